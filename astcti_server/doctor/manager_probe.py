"""A manager session of `doctor`'s own: logs in as the server does, asks, and hears events. One thread."""

from __future__ import annotations

import logging
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from astcti_server.ami import actions
from astcti_server.ami.actions import AmiAction
from astcti_server.ami.connection import (
    AmiConnection,
    ConnectionFailedError,
    HostNameError,
    TlsFailedError,
    timed_out,
)
from astcti_server.ami.login import CLOSED_BEFORE_LOGIN, AmiLogin, AmiLoginRefusedError
from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.requests import AmiRequests
from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent, AmiResponse
from astcti_server.ami.wire.parser import AmiBanner, AmiMessage, AmiParser
from astcti_server.doctor.facts import ManagerStage
from schemas.server.settings import AmiSettings

ASK_WITHIN: Final = 10.0  # seconds for one answer


@dataclass(frozen=True, slots=True)
class ProbeTimeLimits:
    """Seconds. Tests take shorter ones."""

    connect: float = 10.0
    """For TCP and TLS."""
    login: float = 5.0
    """From the greeting to the end of the login: Asterisk waits a second before it refuses one."""
    events: float = 2.0
    """For events that have to come: the one after the login, and those that were provoked."""


class ProbeFailedError(Exception):
    """There is no session, or it broke; the text says why and what to check."""

    def __init__(self, stage: ManagerStage, reason: str) -> None:
        super().__init__(reason)
        self.stage: ManagerStage = stage


class ManagerProbe:
    """Use as a context manager; entering it logs in. Every method may raise ProbeFailedError."""

    def __init__(self, settings: AmiSettings, limits: ProbeTimeLimits) -> None:
        self._settings = settings
        self._limits = limits
        self._requests = AmiRequests(settings.username)
        self._loop = self._requests.loop
        self._parser = AmiParser(EventFilter(), encoding=settings.encoding)
        self._login = AmiLogin(settings, self._requests.next_login_id)
        self._connection = AmiConnection(settings, self._loop.selector, self._exchange)

    def __enter__(self) -> ManagerProbe:
        self._loop.open()
        try:
            self._connect()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._connection.is_open:
            try:
                self._connection.send(actions.logoff().encode(self._requests.logoff_id))
            except ConnectionFailedError as failed:
                logging.getLogger(__name__).debug("While logging off: %s", failed)
        self._close()

    @property
    def manager(self) -> str:
        """The version in the greeting."""
        return self._login.banner_version

    @property
    def certificate_ends(self) -> float | None:
        """Of Asterisk's certificate, in seconds since 1970; None without TLS."""
        return self._connection.certificate_ends()

    @property
    def events(self) -> frozenset[str]:
        """Names of the events that came so far."""
        return self._parser.names_seen()

    def ask(self, action: AmiAction, within: float = ASK_WITHIN) -> ActionOutcome:
        """Ask, and wait for the whole answer; one that does not come is an outcome, too."""
        found: list[ActionOutcome] = []
        self._requests.ask(action, found.append, within)
        self._turn_until(lambda: bool(found), within + 1.0, "up", "Asterisk does not answer")
        return found[0]

    def await_event(self, names: Callable[[frozenset[str]], bool]) -> bool:
        """Read on until the events that came so far are enough, or for too long."""
        deadline = time.monotonic() + self._limits.events
        self._requests.later(self._limits.events, lambda: None)  # it wakes the loop
        while not names(self.events):
            if time.monotonic() >= deadline:
                return False
            self._turn("up")
        return True

    # -- connecting ----------------------------------------------------------------------------------------

    def _connect(self) -> None:
        where = f"{self._settings.host}:{self._settings.port}"
        try:
            self._connection.start()
        except ConnectionFailedError as error:
            raise _failed("connect", error) from None
        self._turn_until(lambda: self._connection.is_open, self._limits.connect, "connect", timed_out(where))
        deadline = time.monotonic() + self._limits.login
        self._requests.later(self._limits.login, lambda: None)
        while not self._login.accepted:
            greeted = bool(self._login.banner_version)
            if time.monotonic() >= deadline:
                raise ProbeFailedError("login" if greeted else "greeting", self._login.why_late())
            self._turn("login" if greeted else "greeting")
        self._requests.begin(self._connection.send)

    def _turn_until(self, over: Callable[[], bool], within: float, stage: ManagerStage, late: str) -> None:
        deadline = time.monotonic() + within
        self._requests.later(within, lambda: None)
        while not over():
            if time.monotonic() >= deadline:
                raise ProbeFailedError(stage, late)
            self._turn(stage)

    def _turn(self, stage: ManagerStage) -> None:
        try:
            self._loop.turn()
        except (ConnectionFailedError, AmiLoginRefusedError) as error:
            raise _failed(stage, error) from None

    def _exchange(self, mask: int) -> None:
        connection = self._connection
        if not connection.is_open:
            connection.ready()
            return
        if mask & selectors.EVENT_WRITE:
            connection.flush()
        data = connection.read()
        if data is None:
            return
        if not data:
            up = self._login.accepted
            raise ConnectionFailedError("Asterisk closed the connection" if up else CLOSED_BEFORE_LOGIN)
        for message in self._parser.feed(data):
            self._take(message)

    def _take(self, message: AmiMessage) -> None:
        if type(message) is AmiBanner:
            self._connection.send(self._login.greeted(message.version))
        elif type(message) is AmiResponse:
            if self._login.accepted:
                self._requests.take_response(message)
            else:
                self._connection.send(self._login.take(message))
        elif type(message) is AmiEvent:
            self._requests.take_event(message)

    def _close(self) -> None:
        self._connection.close()
        self._requests.end("doctor is done")
        self._loop.close()


def _failed(stage: ManagerStage, error: Exception) -> ProbeFailedError:
    if isinstance(error, HostNameError):
        stage = "host-name"
    elif isinstance(error, TlsFailedError):
        stage = "tls"
    elif isinstance(error, AmiLoginRefusedError):
        stage = "login"
    return ProbeFailedError(stage, str(error))


def own_address(host: str, port: int) -> str:
    """The address of this machine on the way to a host; nothing is sent. Empty if there is no way."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _name, address = found[0]
        with socket.socket(family, kind, protocol) as trying:
            trying.connect(address)
            return str(trying.getsockname()[0])
    except (OSError, IndexError):
        return ""
