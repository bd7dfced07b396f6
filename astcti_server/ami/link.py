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
from typing import BinaryIO, Final

from astcti_server.ami import actions
from astcti_server.ami.actions import Action
from astcti_server.ami.connection import Connection, ConnectionFailedError, timed_out
from astcti_server.ami.heartbeat import Heartbeat
from astcti_server.ami.link_listener import Limits, LinkListener, State
from astcti_server.ami.login import CLOSED_BEFORE_LOGIN, Login, LoginRefusedError
from astcti_server.ami.loop import Loop
from astcti_server.ami.pending import Done, Outcome
from astcti_server.ami.privileges import Privileges
from astcti_server.ami.recording import Recorder
from astcti_server.ami.requests import Requests
from astcti_server.ami.retry import Attempts
from astcti_server.ami.timers import Timer, Work
from astcti_server.ami.wire.event_filter import Interest
from astcti_server.ami.wire.messages import Event, Response
from astcti_server.ami.wire.parser import AmiParser, Banner, Message
from astcti_server.threads import Died, ServiceThread
from schemas.server.settings import AmiSettings

__all__ = ["AmiLink", "Done", "Limits", "LinkListener", "Outcome", "Timer"]

logger = logging.getLogger(__name__)

REVIEW_EVERY: Final = 60.0  # seconds between two looks at what the user seems not to be allowed to read


class AmiLink(ServiceThread):
    """The connection to Asterisk. `submit`, `post`, `up`, `state` and `interest` are for any thread."""

    def __init__(
        self,
        settings: AmiSettings,
        *,
        listener: LinkListener,
        interest: Interest | None = None,
        clock: Callable[[], float] = time.monotonic,
        died: Died | None = None,
        record: BinaryIO | None = None,
        limits: Limits | None = None,
    ) -> None:
        super().__init__("ami", died)
        self.state: State = "down"
        self._settings = settings
        self._limits = limits or Limits()
        self._listener = listener
        self._parser = AmiParser(interest or Interest(), encoding=settings.encoding)
        self._recorder = Recorder(record)
        self._loop = Loop(clock)
        self._privileges = Privileges(settings.username, self._parser.seen)
        self._requests = Requests(self._loop, self._privileges, self._broken)
        self._heartbeat = Heartbeat(settings.ping, self._loop.timers, clock, self._ping, self._lost)
        self._attempts = Attempts(settings)
        self._connection: Connection | None = None
        self._login = Login(settings)
        self._deadline: Timer | None = None

    # -- any thread ----------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Whether actions can be submitted."""
        return self.state == "up"

    @property
    def interest(self) -> Interest:
        """Which events are parsed and told; may be set by any thread, and holds from the next read on."""
        return self._parser.interest

    @interest.setter
    def interest(self, interest: Interest) -> None:
        self._parser.interest = interest

    @property
    def dropped(self) -> int:
        """Events that nobody needed."""
        return self._parser.dropped

    @property
    def mistakes(self) -> int:
        """Exceptions that escaped from what was called; each is logged."""
        return self._loop.mistakes

    def wake(self) -> None:
        """Get the loop to look whether it has to stop."""
        self._loop.wake()

    def post(self, work: Work) -> None:
        """Have `work` run on the AMI thread, in order, whatever the state of the link; not after its end."""
        if not self._loop.post(work):
            logger.debug("The AMI thread is over: %r is not run", work)

    def submit(self, action: Action, done: Done, *, timeout: float = 5.0) -> str:
        """Send an action; returns its ActionID.

        `done` is called exactly once, on the AMI thread and never before this returns: with the answer, with
        failure `timeout` after `timeout` seconds, or with `down` when there is no connection or it is lost.
        (After the thread's end it is called at once, on the calling thread.) Raises ValueError, and calls
        nothing, for values that cannot be sent.
        """
        action_id = self._requests.next_id()
        data = action.encode(action_id)
        if not self._loop.post(partial(self._requests.send, action_id, action, data, done, timeout)):
            done(Outcome(False, "the server stops", failure="down"))
        return action_id

    def later(self, seconds: float, work: Work) -> Timer:
        """Have `work` run after so many seconds, whatever the state of the link. AMI thread only."""
        return self._loop.timers.later(seconds, work)

    # -- the loop ------------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Connect, and stay connected until the link is stopped."""
        self._loop.open()
        try:
            self._loop.timers.later(REVIEW_EVERY, self._review)
            self._connect()
            while not self.stopping.is_set():
                self._loop.turn()
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
        except (ConnectionFailedError, LoginRefusedError) as error:
            self._lost(str(error))

    def _read(self, connection: Connection) -> None:
        data = connection.read()
        if data is None:
            return
        if not data:
            self._lost("Asterisk closed the connection" if self.up else CLOSED_BEFORE_LOGIN)
            return
        self._heartbeat.heard()
        self._recorder.read(data)
        for message in self._parser.feed(data):
            if type(message) is Event and self.state == "up":
                self._event(message)
            else:
                self._other(message)
            if self._connection is not connection:
                return

    def _event(self, event: Event) -> None:
        try:
            if not self._requests.take_event(event):
                self._listener.event(event)
        except Exception:  # whatever one event does, the next one is handled
            self._loop.mistakes += 1
            logger.exception("The event %r could not be handled", event.raw)

    def _other(self, message: Message) -> None:
        if self.state == "up":
            if type(message) is Response:
                self._loop.guarded(partial(self._requests.take_response, message))
        elif type(message) is Banner:
            self._send_login(self._login.greeted(message.version))
        elif type(message) is Response:
            self._send_login(self._login.take(message))

    # -- connecting ----------------------------------------------------------------------------------------

    def _connect(self) -> None:
        if self.stopping.is_set():
            return
        self.state = "connecting"
        self._parser.reset()
        self._login = Login(self._settings)
        self._connection = Connection(self._settings, self._loop.selector, self._exchange)
        where = f"{self._settings.host}:{self._settings.port}"
        self._deadline = self._loop.timers.later(self._limits.connect, lambda: self._lost(timed_out(where)))
        try:
            self._connection.start()
        except ConnectionFailedError as error:
            self._lost(str(error))

    def _opened(self) -> None:
        self.state = "logging-in"
        self._set_deadline(self._limits.login, self._login_late)

    def _login_late(self) -> None:
        self._lost(self._login.why_late())

    def _send_login(self, action: Action | None) -> None:
        if action is None:
            self._logged_in()
            return
        assert self._connection is not None
        try:
            data = action.encode(self._requests.login_id)
        except ValueError as error:
            raise LoginRefusedError(f"the username or secret in server.xml cannot be sent: {error}") from None
        self._connection.send(data)

    def _logged_in(self) -> None:
        assert self._connection is not None
        self._set_deadline(None, None)
        self.state = "up"
        self._requests.begin(self._connection)
        self._attempts.succeeded()
        self._recorder.logged_in()
        self._privileges.connected()
        logger.info(
            "Logged in to Asterisk at %s:%d as %s (manager interface %s)",
            self._settings.host,
            self._settings.port,
            self._settings.username,
            self._login.banner_version,
        )
        self._requests.ask(actions.list_commands(), self._privileges.commands_listed)
        self._heartbeat.start()
        self._loop.guarded(partial(self._listener.link_up, self._login.banner_version))

    def _lost(self, reason: str) -> None:
        """The one way in which a connection, or an attempt at one, ends."""
        was_up = self.state == "up"
        self.state = "down"
        self._set_deadline(None, None)
        self._heartbeat.stop()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._recorder.ended()
        self._requests.end(reason)
        if was_up:
            logger.warning("The link to Asterisk is down: %s", reason)
            self._loop.guarded(partial(self._listener.link_down, reason))
        if was_up or self._attempts.failed(reason):
            self._loop.timers.later(self._settings.pause, self._connect)
        else:
            self._loop.guarded(partial(self._listener.gave_up, reason))

    def _broken(self, connection: Connection, reason: str) -> None:
        if connection is self._connection:
            self._lost(reason)

    def _set_deadline(self, seconds: float | None, work: Work | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if seconds is not None and work is not None:
            self._deadline = self._loop.timers.later(seconds, work)

    # -- what the link itself asks -------------------------------------------------------------------------

    def _ping(self) -> None:
        self._requests.ask(actions.ping(), lambda _outcome: None, self._settings.ping)

    def _review(self) -> None:
        if self.state == "up":
            self._privileges.review()
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
                self._loop.selector.select(left)
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
