"""What the provider says of itself: where to send people, where to ask, with which keys it signs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import requests

from configurator.openid.openid_settings import OpenIdSettings, is_safe_address
from configurator.openid.refusals import SignOnError, SignOnRefusal

TIMEOUT = (5.0, 10.0)
"""Seconds to connect, and between two pieces of an answer."""
KEPT_FOR = 3600.0
"""Seconds after which the provider is asked again where its addresses are."""
SILENT_FOR = 5.0
"""Seconds for which nobody else waits for a provider that did not answer."""
MOST_WAITING = 4
"""Requests that may wait for the provider; half of the application's threads are left for everybody else."""
LONGEST_TURN = 1.0
"""Seconds to wait for one of these turns."""
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_ADDRESSES = (*_NEEDED, "userinfo_endpoint", "end_session_endpoint")


class OpenIdProvider:
    """Asked when the first one logs in, not before: the application starts without it. Any thread."""

    def __init__(self, chosen: OpenIdSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._chosen = chosen
        self._clock = clock
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(MOST_WAITING)
        self._found: tuple[float, Mapping[str, Any]] | None = None
        self._failed: tuple[float, SignOnRefusal, str] | None = None

    def metadata(self) -> Mapping[str, Any]:
        """Its own description (OpenID Connect Discovery 1.0), checked. SignOnError."""
        if not self._lock.acquire(timeout=LONGEST_TURN):
            raise SignOnError(SignOnRefusal.BUSY)
        try:
            now = self._clock()
            if self._found is not None and now - self._found[0] < KEPT_FOR:
                return self._found[1]
            if self._failed is not None and now - self._failed[0] < SILENT_FOR:
                raise SignOnError(*self._failed[1:])
            try:
                found = MappingProxyType(self._checked(self._asked()))
            except SignOnError as error:
                self._failed = self._clock(), error.refusal, str(error)
                raise
            self._found = self._clock(), found
            return found
        finally:
            self._lock.release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A turn to wait for the provider, one of a few: a hanging one stops nobody else. SignOnError."""
        if not self._turns.acquire(timeout=LONGEST_TURN):
            raise SignOnError(SignOnRefusal.BUSY)
        try:
            yield
        finally:
            self._turns.release()

    def _asked(self) -> Any:
        address = f"{self._chosen.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            answer = requests.get(address, timeout=TIMEOUT, verify=self._chosen.ca_file or True)
        except requests.RequestException as error:
            raise SignOnError(SignOnRefusal.UNREACHABLE, f"{address}: {error}") from None
        if answer.status_code != 200:
            refusal = SignOnRefusal.UNREACHABLE if answer.status_code >= 500 else SignOnRefusal.SET_UP
            raise SignOnError(refusal, f"{address} answers {answer.status_code}: is the issuer right?")
        try:
            return answer.json()
        except ValueError:
            raise SignOnError(
                SignOnRefusal.SET_UP, f"{address} answers no JSON: is the issuer right?"
            ) from None

    def _checked(self, said: Any) -> dict[str, Any]:
        if not isinstance(said, dict) or not isinstance(said.get("issuer"), str):
            raise SignOnError(SignOnRefusal.SET_UP, f"{self._chosen.issuer} does not describe a provider")
        if said["issuer"].rstrip("/") != self._chosen.issuer.rstrip("/"):
            raise SignOnError(
                SignOnRefusal.SET_UP,
                f"the provider calls itself {said['issuer'][:200]!r}: make that the issuer",
            )
        for key in _ADDRESSES:
            address = said.get(key)
            if address is None and key not in _NEEDED:
                continue
            if not isinstance(address, str) or not is_safe_address(address):
                raise SignOnError(
                    SignOnRefusal.SET_UP, f"the provider's {key} is no https address: {address!r}"
                )
        algorithms = said.get("id_token_signing_alg_values_supported")
        if isinstance(algorithms, list) and self._chosen.algorithm not in algorithms:
            raise SignOnError(
                SignOnRefusal.SET_UP,
                f"the provider does not sign with {self._chosen.algorithm}: set algorithm to one of"
                f" {', '.join(map(str, algorithms))[:200]}",
            )
        return said


@lru_cache(maxsize=1)
def provider_of(chosen: OpenIdSettings) -> OpenIdProvider:
    """The provider of these settings, the same one each time."""
    return OpenIdProvider(chosen)
