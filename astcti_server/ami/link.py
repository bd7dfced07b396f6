"""The AMI thread: one connection to Asterisk for the whole server, kept up for as long as it lives.

One loop reads, sends, runs timers and what other threads post. It never waits for anybody: a turn reads at
most 64 KiB, then timers and posted work have theirs. Everything it calls (listener, answers, timers, posted
work) runs on this thread and has to be quick; an exception ends only the event or work it came from.
"""

from __future__ import annotations

import logging
import selectors
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from astcti_server.ami import actions
from astcti_server.ami.asterisk_identity import AsteriskIdentity, IdentityReader
from astcti_server.ami.connection import AmiConnection, ConnectionFailedError, timed_out
from astcti_server.ami.heartbeat import Heartbeat
from astcti_server.ami.link_listener import LinkListener, LinkState, LinkTimeLimits
from astcti_server.ami.login import CLOSED_BEFORE_LOGIN, AmiLogin, AmiLoginRefusedError
from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.recording import RecordBytes, Recorder
from astcti_server.ami.requests import AmiRequests
from astcti_server.ami.retries import ConnectionFailure, Retries
from astcti_server.ami.timers import AmiTimer, AmiWork
from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent, AmiResponse
from astcti_server.ami.wire.parser import AmiBanner, AmiMessage, AmiParser
from astcti_server.threads import Died, ServiceThread
from schemas.server.settings import AmiSettings

logger = logging.getLogger(__name__)

FULLY_BOOTED: Final = "FullyBooted"
REVIEW_EVERY: Final = 60.0  # seconds between two looks at what the user seems not to be allowed to read


class AmiLink(ServiceThread):
    """The connection to Asterisk. `state`, `failure`, `identity` and `filter_events` are for any thread.

    What is asked of Asterisk goes through `requests`, which the link answers while it is logged in.
    """

    def __init__(
        self,
        settings: AmiSettings,
        requests: AmiRequests,
        *,
        listener: LinkListener,
        event_filter: EventFilter | None = None,
        died: Died | None = None,
        record: RecordBytes | None = None,
        read: Callable[[int], None] | None = None,
        limits: LinkTimeLimits | None = None,
    ) -> None:
        """`read` is told of each read from Asterisk, and of how many bytes, before they are looked at."""
        super().__init__("ami", died)
        self.state: LinkState = "down"
        self._settings = settings
        self._limits = limits or LinkTimeLimits()
        self._listener = listener
        self._parser = AmiParser(event_filter or EventFilter(), encoding=settings.encoding)
        self._recorder = Recorder(record)
        self._read_bytes = read
        self.needed = 0
        """Events that were looked into since the start. The AMI thread counts, any thread reads."""
        self.logins = 0
        """How often Asterisk let us in."""
        self._requests = requests
        self._loop = requests.loop
        self._privileges = requests.privileges
        self._identity = IdentityReader(requests)
        self._heartbeat = Heartbeat(settings.ping, self._loop, self._ping, self._lost)
        self._retries = Retries(settings)
        self._connection: AmiConnection | None = None
        self._login = AmiLogin(settings, requests.next_login_id)
        self._deadline: AmiTimer | None = None
        self._fully_booted = False

    # -- any thread ----------------------------------------------------------------------------------------

    def filter_events(self, event_filter: EventFilter) -> None:
        """Read what this filter wants, from the next read on."""
        self._parser.filter_events(event_filter)

    @property
    def dropped(self) -> int:
        """Events since the start that nobody needed."""
        return self._parser.dropped

    @property
    def failure(self) -> ConnectionFailure | None:
        """What the last attempt to connect said, if it failed and nobody logged in since."""
        return self._retries.failure

    @property
    def identity(self) -> AsteriskIdentity:
        """Which Asterisk it is, or was before the connection was lost."""
        return self._identity.known

    @property
    def events_seen(self) -> frozenset[str]:
        """The names of the events that came in this connection, also of those that nobody needs."""
        return self._parser.names_seen()

    def wake(self) -> None:
        """Get the loop to look whether it has to stop."""
        self._loop.wake()

    # -- the loop ------------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Connect, and stay connected until the link is stopped."""
        self._loop.open()
        try:
            self._loop.timers.later(REVIEW_EVERY, self._review)
            self._connect()
            while not self.stopping.is_set():
                self._loop.turn()
                self._send_gathered()
            self._say_goodbye()
        finally:
            self._end()

    def _exchange(self, mask: int) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            if not connection.is_open:
                connection.ready()
                if connection.is_open:
                    self._opened()
                return
            if mask & selectors.EVENT_WRITE:
                connection.flush()
            self._read(connection)
        except (ConnectionFailedError, AmiLoginRefusedError) as error:
            self._lost(str(error))

    def _read(self, connection: AmiConnection) -> None:
        data = connection.read()
        if data is None:
            return
        if not data:
            self._lost("Asterisk closed the connection" if self.state == "up" else CLOSED_BEFORE_LOGIN)
            return
        self._heartbeat.heard()
        self._recorder.read(data)
        if self._read_bytes is not None:
            self._read_bytes(len(data))
        messages = self._parser.feed(data)
        self.needed += len(messages)
        self._listener.chunk_begins()
        try:
            for message in messages:
                if type(message) is AmiEvent and self.state == "up":
                    self._event(message)
                else:
                    self._other(message)
                if self._connection is not connection:
                    return
        finally:
            self._loop.guarded(self._listener.chunk_over)

    def _event(self, event: AmiEvent) -> None:
        if not self._fully_booted and event.name == FULLY_BOOTED:
            self._booted()
            return
        try:
            if not self._requests.take_event(event):
                self._listener.event(event)
        except Exception:  # whatever one event does, the next one is handled
            logger.exception("The event %r could not be handled", event.raw)

    def _other(self, message: AmiMessage) -> None:
        if self.state == "up":
            if type(message) is AmiResponse:
                self._loop.guarded(partial(self._requests.take_response, message))
        elif type(message) is AmiBanner:
            self._send_login(self._login.greeted(message.version))
        elif type(message) is AmiResponse:
            self._send_login(self._login.take(message))
            if self._login.accepted:
                self._logged_in()

    # -- connecting ----------------------------------------------------------------------------------------

    def _connect(self) -> None:
        if self.stopping.is_set():
            return
        self.state = "connecting"
        self._parser.reset()
        self._login = AmiLogin(self._settings, self._requests.next_login_id)
        self._connection = AmiConnection(self._settings, self._loop.selector, self._exchange)
        where = f"{self._settings.host}:{self._settings.port}"
        self._set_deadline(self._limits.connect, lambda: self._lost(timed_out(where)))
        try:
            self._connection.start()
        except ConnectionFailedError as error:
            self._lost(str(error))

    def _opened(self) -> None:
        self.state = "logging-in"
        self._set_deadline(self._limits.login, self._login_late)

    def _login_late(self) -> None:
        self._lost(self._login.why_late())

    def _send_login(self, data: bytes) -> None:
        if data:
            assert self._connection is not None
            self._connection.send(data)

    def _logged_in(self) -> None:
        assert self._connection is not None
        self._cancel_deadline()
        self.state = "up"
        self.logins += 1
        self._requests.begin(partial(self._write, self._connection))
        self._retries.succeeded(self._loop.clock())
        self._recorder.logged_in()
        self._privileges.connected()
        self._identity.connected(self._login.banner_version)
        logger.info(
            "Logged in to Asterisk at %s:%d as %s (manager interface %s)",
            self._settings.host,
            self._settings.port,
            self._settings.username,
            self._login.banner_version,
        )
        self._fully_booted = False
        self._set_deadline(self._limits.boot, self._booted)
        self._heartbeat.start()
        self._loop.guarded(partial(self._listener.link_up, self._login.banner_version))

    def _booted(self) -> None:
        """Ask only now what the user may do: while Asterisk loads its modules, their actions are missing.

        Asterisk says so from 1.6.2 on, right after the login or when it is done with its start, to users
        who read the class `system` (manager.c, action_login). For others a time has to do. 1.8.0 repeats
        it whenever any client logs in: what comes later in a connection is no news.
        """
        self._fully_booted = True
        self._cancel_deadline()
        self._requests.ask(actions.list_commands(), self._commands_listed)
        self._loop.guarded(self._listener.fully_booted)

    def _commands_listed(self, outcome: ActionOutcome) -> None:
        self._privileges.commands_listed(outcome)
        self._identity.commands_listed(outcome)

    def _lost(self, reason: str) -> None:
        """The one way in which a connection, or an attempt at one, ends."""
        was_up = self.state == "up"
        self.state = "down"
        self._cancel_deadline()
        self._heartbeat.stop()
        now = self._loop.clock()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._recorder.ended()
        self._requests.end(reason)
        if was_up:
            logger.warning("The link to Asterisk is down: %s", reason)
            self._loop.guarded(partial(self._listener.link_down, reason, self._heartbeat.quiet(now)))
        pause = self._retries.lost(now, reason) if was_up else self._retries.failed(reason)
        if pause is not None:
            self._loop.timers.later(pause, self._connect)
        else:
            self._loop.guarded(partial(self._listener.gave_up, reason))

    def _write(self, connection: AmiConnection, data: bytes) -> None:
        """Send an action of this connection, at the end of the turn: all of one turn go out together."""
        try:
            connection.gather(data)
        except ConnectionFailedError as error:
            # Whoever submits does not expect the link to go down meanwhile.
            self._loop.post(partial(self._broken, connection, str(error)))

    def _send_gathered(self) -> None:
        if self._connection is not None:
            try:
                self._connection.flush_gathered()
            except ConnectionFailedError as error:
                self._lost(str(error))

    def _broken(self, connection: AmiConnection, reason: str) -> None:
        if connection is self._connection:
            self._lost(reason)

    def _set_deadline(self, seconds: float, work: AmiWork) -> None:
        self._cancel_deadline()
        self._deadline = self._loop.timers.later(seconds, work)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    # -- what the link itself asks -------------------------------------------------------------------------

    def _ping(self) -> None:
        self._requests.ask(actions.ping(), _ignore, self._settings.ping)

    def _review(self) -> None:
        if self.state == "up":
            self._privileges.review(self._parser.seen)
        self._loop.timers.later(REVIEW_EVERY, self._review)

    # -- the end -------------------------------------------------------------------------------------------

    def _say_goodbye(self) -> None:
        """Send what was posted before the stop, log off and wait a moment for Asterisk to close."""
        self._loop.do_posted()
        connection = self._connection
        if self.state != "up" or connection is None:
            return
        deadline = time.monotonic() + self._limits.farewell
        try:
            connection.send(actions.logoff().encode(self._requests.logoff_id))
            while (left := deadline - time.monotonic()) > 0:
                if connection.read() == b"":
                    return
                self._loop.wait(left)
                connection.flush()
        except ConnectionFailedError as error:
            logger.debug("While logging off: %s", error)

    def _end(self) -> None:
        self.state = "down"
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._recorder.ended()
        self._requests.end("the server stops")
        self._loop.close()


def _ignore(_outcome: ActionOutcome) -> None:
    """Whatever is read shows that Asterisk lives: the answer to a ping says nothing more."""
