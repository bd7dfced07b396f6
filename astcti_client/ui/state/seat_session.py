"""The connection behind the window: one at a time; what an older one still says is not heard. Main thread."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from astcti_client.dialler import Dialler
from astcti_client.hand_over.requests import DialReply
from astcti_client.net.connection import NOT_CONNECTED, NotConnected, ServerConnection, connection_for
from astcti_client.net.messages import ConnectionMessage, IssuedCommand, ServerReply, Unanswered
from astcti_client.password import Password
from astcti_client.settings import Settings
from astcti_client.triggers.trigger_memory import TriggerMemory
from schemas.wire import Reply


@dataclass(frozen=True, slots=True)
class SessionMessage:
    """A message of a connection, with the number of that connection."""

    number: int
    message: ConnectionMessage


class _SessionInbox:
    """Gives the messages of one connection its number. For the connection's thread."""

    def __init__(self, number: int, inbox: queue.SimpleQueue[Any]) -> None:
        self._number, self._inbox = number, inbox

    def put(self, item: ConnectionMessage, /) -> None:
        self._inbox.put(SessionMessage(self._number, item))


class SeatSession:
    """Starts and stops connections."""

    def __init__(self, inbox: queue.SimpleQueue[Any], memory: TriggerMemory) -> None:
        """`inbox` gets a `SessionMessage` for each message; `memory` says where to go on."""
        self._inbox, self._memory = inbox, memory
        self.number = 0
        """That of the newest connection, which its messages carry; 0 before the first."""
        self._connection: ServerConnection | None = None
        self._ending: list[ServerConnection] = []
        self._dialler = Dialler(self.send)
        self._asked: dict[IssuedCommand, Callable[[Reply], None]] = {}

    def start(self, settings: Settings, password: Password) -> None:
        """Connect; an older connection is ended first."""
        self.stop()
        self.number += 1
        self._dialler = Dialler(self.send)
        self._asked.clear()
        self._memory.enter(settings.place)
        position = self._memory.position()
        self._connection = connection_for(
            settings, password, _SessionInbox(self.number, self._inbox), position
        )
        self._connection.start()

    def stop(self) -> None:
        """Log out. Returns at once."""
        if self._connection is not None:
            self._connection.stop()
            self._ending.append(self._connection)
            self._connection = None
        self._let_go_of_ended()

    def ended(self) -> bool:
        """Whether every connection that was stopped has ended."""
        self._let_go_of_ended()
        return not self._ending

    def is_present(self, message: SessionMessage) -> bool:
        """Whether this is of the present connection. An older one may have said it before it was stopped."""
        return message.number == self.number and self._connection is not None

    def hear(self, message: ConnectionMessage) -> None:
        """Take notice of a message of the present connection: replies go to those who asked."""
        self._dialler.hear(message)
        match message:
            case ServerReply(reply=reply, answers=IssuedCommand() as command, final=True):
                if answered := self._asked.pop(command, None):
                    answered(reply)
            case Unanswered(command=command):
                self._asked.pop(command, None)

    def try_now(self) -> None:
        """Try to connect at once, if an attempt is waited for."""
        if self._connection is not None:
            self._connection.try_now()

    def send(self, line: str) -> IssuedCommand:
        """Send a command. Raises NotConnected or ValueError."""
        if self._connection is None:
            raise NotConnected(NOT_CONNECTED)
        return self._connection.send(line)

    def await_reply(self, command: IssuedCommand, answered: Callable[[Reply], None]) -> None:
        """Have the last reply to a command that was just sent told; nothing is, if the connection is lost."""
        self._asked[command] = answered

    def shown(self, epoch: str, line: str) -> None:
        """Tell the server what is on the screen; see `ServerConnection.shown`."""
        if self._connection is not None:
            self._connection.shown(epoch, line)

    def dial(self, number: str, reply: DialReply, context: str = "") -> None:
        """Call a clean number."""
        self._dialler.dial(number, reply, context)

    def _let_go_of_ended(self) -> None:
        self._ending = [connection for connection in self._ending if not connection.join(0)]
