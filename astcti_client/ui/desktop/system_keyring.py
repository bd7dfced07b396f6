"""Remembers a password in the system's keyring: as what the server wants to see, never on disk in clear.

A keyring may be locked and have the system ask for its password, and that may take as long as people take.
So each question has a thread of its own, and nobody waits longer than `KEYRING_TIME` for it. What comes later
is not lost: a password to keep is kept then, and one that was looked for is `given`.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from astcti_client.password import Password
from astcti_client.ui.i18n import _

logger = logging.getLogger(__name__)
KEYRING_TIME = 1.5  # seconds; an open keyring answers within milliseconds
_SERVICE = "AsteriskCTI"
_Answer = TypeVar("_Answer")


class SystemKeyring:
    """The keyring of this user. For one thread only; the questions run on threads of their own."""

    def __init__(self) -> None:
        self._asking: threading.Thread | None = None
        self._given: dict[tuple[str, str], Password] = {}
        """What the keyring gave or took. Written by the thread that asks, of which there is one at a time."""

    def can_remember(self) -> bool:
        """Whether this system has a keyring that keeps secrets, or one that keeps us waiting."""
        return self._in_time(_keyring_there, False, later=True)

    def remembered(self, host: str, user: str) -> Password | None:
        """The password for this user at this server, if it was kept and the keyring gives it now."""
        if not user:
            return None
        return self.given(host, user) or self._in_time(lambda: self._fetch(host, user), None)

    def given(self, host: str, user: str) -> Password | None:
        """The password, if the keyring gave it already. Asks nobody."""
        return self._given.get((host, user))

    def remember(self, host: str, user: str, password: Password, tell: Callable[[str], None]) -> None:
        """Keep it. `tell` gets a sentence for the user if that failed, or takes until the keyring is open."""
        problem = self._in_time(
            lambda: self._store(host, user, password),
            "",
            later=_("The password is remembered once you open the keyring."),
        )
        if problem:
            tell(problem)

    def forget(self, host: str, user: str) -> None:
        """Delete it, if it was kept."""
        self._given.pop((host, user), None)
        self._in_time(lambda: _delete(host, user), None)

    def is_asking(self) -> bool:
        """Whether the system still waits for somebody to open the keyring."""
        return self._asking is not None and self._asking.is_alive()

    def _in_time(
        self, question: Callable[[], _Answer], failed: _Answer, *, later: _Answer | None = None
    ) -> _Answer:
        """The answer; `failed` if there is none, and `later` (if given) if it takes longer than we wait."""
        if self.is_asking():
            return failed if later is None else later
        answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(question())
            except Exception as error:  # backends raise whatever their libraries raise
                logger.warning("the keyring does not answer: %s", _words(error))
                answers.put(failed)

        self._asking = threading.Thread(target=ask, name="keyring", daemon=True)
        self._asking.start()
        try:
            return answers.get(timeout=KEYRING_TIME)
        except queue.Empty:
            logger.info("the keyring takes its time: the system asks for its password")
            return failed if later is None else later

    # --- on the thread of the question ---

    def _fetch(self, host: str, user: str) -> Password | None:
        keyring = _keyring()
        text = keyring.get_password(_SERVICE, f"{user}@{host}") if keyring else None
        if not text:
            return None
        self._given[host, user] = Password.from_text(text)
        return self._given[host, user]

    def _store(self, host: str, user: str, password: Password) -> str:
        keyring = _keyring()
        if keyring is None:
            return ""  # the log-in window said so already
        try:
            keyring.set_password(_SERVICE, f"{user}@{host}", f"md5:{password.md5}")
        except Exception as error:
            logger.warning("the keyring does not take the password: %s", _words(error))
            return _("The password is not remembered: the keyring stayed closed.")
        self._given[host, user] = password
        return ""


# --- on the thread of a question ---


def _words(error: Exception) -> str:
    """What a log may keep: the error itself holds on to the connection that it came from."""
    return str(error) or type(error).__name__


def _keyring() -> Any:
    """The module, or None where no keyring keeps secrets."""
    try:
        import keyring
        from keyring.backends import fail

        backend = keyring.get_keyring()
    except Exception as error:
        logger.info("no keyring: %s", _words(error))
        return None
    # Some add-ons write into plain files; that would be on disk in clear.
    if isinstance(backend, fail.Keyring) or type(backend).__module__.startswith("keyrings.alt"):
        return None
    return keyring


def _keyring_there() -> bool:
    return _keyring() is not None


def _delete(host: str, user: str) -> None:
    keyring = _keyring()
    if keyring is None:
        return
    with contextlib.suppress(keyring.errors.PasswordDeleteError):
        if keyring.get_password(_SERVICE, f"{user}@{host}"):
            keyring.delete_password(_SERVICE, f"{user}@{host}")
