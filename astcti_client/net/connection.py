"""The network thread: keeps one session with the server alive, and tells what happens through a queue.

Every socket call is made by this thread. Other threads call `send` and `stop`, which never wait for the
network.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from astcti_client.net.backoff import Backoff, SleepWatch
from astcti_client.net.conversation import Farewell, Lost, ServerConversation, TurnedAway, checked_command
from astcti_client.net.login import LoginRefused, PasswordWithheld
from astcti_client.net.login_memory import LoginMemory, scram_places_file
from astcti_client.net.mac_addresses import own_macs
from astcti_client.net.messages import (
    ConnectionInbox,
    ConnectionMessage,
    ConnectionState,
    Ending,
    IssuedCommand,
    Unanswered,
)
from astcti_client.net.resume_memory import ResumeMemory
from astcti_client.net.transport import (
    Interrupted,
    PlainNotAllowed,
    ServerAddress,
    ServerTransport,
    TransportError,
    Waiter,
    open_transport,
)
from astcti_client.password import Password
from astcti_client.resume_position import ResumePosition
from astcti_client.settings import Settings
from schemas.protocol import ByeReason, Refusal
from schemas.sentences import said

logger = logging.getLogger(__name__)

SLEEP_CHECK_INTERVAL = 2.0  # seconds; how soon after a sleep the PC's waking up is noticed
MOST_SHOWN = 1000  # that wait to be told; of more the oldest are let go of
PROVEN_TIME = 30.0  # seconds; a session that lasted so long makes the pauses short again
_FINAL: dict[str, tuple[Ending, str]] = {
    ByeReason.TAKEOVER: ("taken-over", "somebody logged in as the same operator or on the same seat"),
    ByeReason.DISABLED: ("disabled", "this operator was disabled or removed"),
}


NOT_CONNECTED = said("not connected to the server")


class NotConnected(Exception):
    """The command was not sent, because nobody is logged in at the moment."""


class ServerConnection:
    """Connects, logs in, and comes back after every loss.

    That ends when it is stopped, or when the server refuses the log-in or ends the session for good.

    The last message is always a `ConnectionState` of phase "ended".
    """

    def __init__(
        self,
        address: ServerAddress,
        user: str,
        password: Password,
        inbox: ConnectionInbox,
        *,
        macs: Callable[[str], Sequence[str]],
        keep_alive: float = 0.0,
        memory: LoginMemory | None = None,
        resume: ResumePosition | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`macs` gives the MAC addresses to try, from the local address of the connection.

        `memory` and `resume` are what earlier runs know of this server; without them this one begins anew.
        `clock` and `wall` replace the monotonic and the wall clock in tests.
        """
        self._address = address
        self._user = user
        self._password = password
        self._memory = memory or LoginMemory(password)
        self._resume = ResumeMemory(resume)
        self._inbox = inbox
        self._macs = macs
        self._keep_alive = keep_alive
        self._backoff = backoff or Backoff(clock=clock)
        self._clock = clock
        self._wall = wall
        self._numbers = itertools.count(1)
        self._waiter = Waiter()
        self._watch = SleepWatch(clock, wall)
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._lock = threading.Lock()
        self._commands: deque[IssuedCommand] = deque()
        self._shown: deque[tuple[str, str]] = deque(maxlen=MOST_SHOWN)
        self._accepting = False
        self._up_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="connection")

    # --- for every other thread ---

    def start(self) -> None:
        """Begin to connect. Once."""
        self._thread.start()

    def send(self, line: str) -> IssuedCommand:
        """Hand a command to the network; its replies come through the queue with this value in `answers`.

        Raises NotConnected while nobody is logged in, and ValueError if the line cannot be a command.
        """
        text = checked_command(line)
        command = IssuedCommand(next(self._numbers), text)
        with self._lock:
            if not self._accepting:
                raise NotConnected(NOT_CONNECTED)
            self._commands.append(command)
        self._waiter.wake()
        return command

    def shown(self, epoch: str, line: str) -> None:
        """Tell the server that an event of this epoch is on the screen; `line` is a SHOWN.

        While the connection is lost it waits for the next one, and is dropped if that has another epoch.
        """
        with self._lock:
            self._shown.append((epoch, line))
        self._waiter.wake()

    def try_now(self) -> None:
        """Somebody waits in front of the screen: the pause before the next attempt is over."""
        self._hurry.set()
        self._waiter.wake()

    def stop(self) -> None:
        """Ask for the end: the thread logs out and closes. Does not wait for it. Any number of times."""
        self._stop.set()
        self._waiter.wake()

    def join(self, seconds: float | None = None) -> bool:
        """Wait for the thread's end; whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    # --- the network thread ---

    def _deliver(self, message: ConnectionMessage) -> None:
        if isinstance(message, ConnectionState) and message.phase == "up":
            self._up_since = self._clock()
            with self._lock:  # first, so that whoever reads this message can send at once
                self._accepting = True
        self._inbox.put(message)

    def _run(self) -> None:
        ending, detail = self._guarded()
        self._waiter.close()
        self._deliver(ConnectionState("ended", detail, ending=ending))

    def _guarded(self) -> tuple[Ending, str]:
        try:
            return self._keep_connected()
        except Exception as error:
            logger.critical("the network thread failed", exc_info=True)
            return "failed", f"an error in the client itself: {error!r}"

    def _keep_connected(self) -> tuple[Ending, str]:
        while not self._stop.is_set():
            self._deliver(ConnectionState("connecting", f"connecting to {self._address}"))
            self._up_since = None
            turned_away = False
            try:
                self._one_session()
            except Interrupted:
                break
            except LoginRefused as refused:
                reason = f"the server refused the log-in of {self._user}: {refused}"
                if not _for_now(str(refused)):
                    return "refused", reason
                turned_away = True
            except PasswordWithheld as withheld:
                return "refused", f"not logged in at {self._address}: {withheld}"
            except Farewell as farewell:
                if farewell.kind in _FINAL:
                    ending, reason = _FINAL[farewell.kind]
                    return ending, ": ".join(filter(None, (reason, str(farewell))))
                reason = f"the server ended the session: {farewell.kind} {farewell}".rstrip()
            except PlainNotAllowed as error:
                return "unencrypted", str(error)
            except (Lost, TransportError) as error:
                reason, turned_away = str(error), isinstance(error, TurnedAway)
            if not self._stop.is_set():
                if self._up_since is not None and self._clock() - self._up_since >= PROVEN_TIME:
                    self._backoff.reset()
                self._pause(reason, turned_away=turned_away)
        return "stopped", "stopped"

    def _pause(self, reason: str, *, turned_away: bool) -> None:
        pause = self._backoff.next_pause(turned_away=turned_away)
        self._watch.restart()
        self._hurry.clear()
        self._deliver(ConnectionState("waiting", f"{reason}; next attempt in {pause:.1f} s", retry_in=pause))
        until = self._clock() + pause
        while not (self._stop.is_set() or self._hurry.is_set()) and (left := until - self._clock()) > 0:
            if self._wait(left):
                self._backoff.reset()
                return

    def _wait(
        self, seconds: float, transport: ServerTransport | None = None, *, writing: bool = False
    ) -> bool:
        """Wait for work; whether the PC has slept meanwhile."""
        seconds = max(0.0, min(seconds, SLEEP_CHECK_INTERVAL))
        sock = transport.socket if transport else None
        self._waiter.wait(seconds, read=sock, write=sock if writing else None)
        return self._watch.slept(seconds)

    def _one_session(self) -> None:
        transport = open_transport(self._address, self._waiter, self._stop.is_set, self._clock)
        with contextlib.closing(transport):
            conversation = ServerConversation(
                self._user,
                self._password,
                self._macs(transport.local_address()),
                deliver=self._deliver,
                clock=self._clock,
                protection=transport.protection,
                keep_alive=self._keep_alive,
                numbers=self._numbers,
                memory=self._memory,
                resume=self._resume,
            )
            self._watch.restart()  # connecting may have taken its time
            try:
                self._talk(transport, conversation)
            finally:
                conversation.over()
                for command in self._take_commands(accept_more=False):
                    self._deliver(Unanswered(command))

    def _talk(self, transport: ServerTransport, conversation: ServerConversation) -> None:
        quitting = False
        while True:
            stop = self._stop.is_set()
            if conversation.epoch:
                self._say_shown(conversation)
            if conversation.up:
                for command in self._take_commands(accept_more=not stop):
                    conversation.say(command)
            if stop and not quitting:
                quitting = True
                conversation.quit()
            conversation.tick()
            self._write(transport, conversation)
            left = conversation.next_tick() - self._clock()
            if self._wait(left, transport, writing=bool(conversation.outgoing)) and not quitting:
                conversation.check_now()
            self._read(transport, conversation)

    def _write(self, transport: ServerTransport, conversation: ServerConversation) -> None:
        try:
            transport.write(conversation.outgoing)
        except TransportError:
            self._read(transport, conversation)  # the server's last word may say why it closed
            raise

    def _read(self, transport: ServerTransport, conversation: ServerConversation) -> None:
        while (data := transport.read()) is not None:
            if not data:
                raise Lost("the server closed the connection")
            conversation.feed(data)

    def _say_shown(self, conversation: ServerConversation) -> None:
        with self._lock:
            shown = list(self._shown)
            self._shown.clear()
        for epoch, line in shown:
            if epoch == conversation.epoch:
                conversation.shown(line)

    def _take_commands(self, *, accept_more: bool) -> list[IssuedCommand]:
        with self._lock:
            self._accepting = accept_more
            commands = list(self._commands)
            self._commands.clear()
        return commands


def _for_now(refusal: str) -> bool:
    """Whether the same log-in may be taken later: the server did not even look at the password."""
    found = Refusal.of(refusal)
    return found is not None and found[0] is Refusal.TOO_MANY_LOGINS


def memory_for(address: ServerAddress, settings: Settings, password: Password) -> LoginMemory:
    """What earlier runs know of log-ins there."""
    return LoginMemory(
        password,
        place=f"{address} {settings.user}",
        file=scram_places_file(),
        # Nobody in between can speak for a server whose certificate was checked.
        md5_allowed=settings.allow_md5 or (settings.tls and settings.verify),
    )


def connection_for(
    settings: Settings, password: Password, inbox: ConnectionInbox, resume: ResumePosition | None = None
) -> ServerConnection:
    """A connection as the settings describe it, not started yet. `inbox` gets its messages, on its thread.

    `resume`: where an earlier run, or an earlier connection of this one, was.
    """
    address = ServerAddress(
        settings.host,
        settings.port,
        settings.tls,
        settings.ca_file,
        settings.server_name,
        settings.verify,
        settings.plain,
    )
    return ServerConnection(
        address,
        settings.user,
        password,
        inbox,
        macs=lambda local_address: (settings.mac,) if settings.mac else own_macs(local_address),
        keep_alive=settings.keep_alive,
        memory=memory_for(address, settings, password),
        resume=resume,
    )
