"""The connection behind the window: one at a time; what an older one still says is not heard. Main thread."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import Any

from astcti_client.dialling import Dialler
from astcti_client.hand_over import Answer
from astcti_client.net.connecting import connection_for
from astcti_client.net.connection import NOT_CONNECTED, Connection, NotConnected
from astcti_client.net.messages import Command, Message
from astcti_client.password import Password
from astcti_client.settings import Settings


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of a connection, with the number of that connection."""

    number: int
    message: Message


class _Mailbox:
    def __init__(self, number: int, mail: queue.SimpleQueue[Any]) -> None:
        self._number, self._mail = number, mail

    def put(self, item: Message, /) -> None:
        self._mail.put(Heard(self._number, item))


class SeatSession:
    """Starts and stops connections."""

    def __init__(self, mail: queue.SimpleQueue[Any]) -> None:
        """`mail` gets a `Heard` for each message."""
        self._mail = mail
        self._number = 0
        self._connection: Connection | None = None
        self._ending: list[Connection] = []
        self._dialler = Dialler(self.send)

    @property
    def running(self) -> bool:
        """Whether there is a connection, whatever its state."""
        return self._connection is not None

    def start(self, settings: Settings, password: Password) -> None:
        """Connect; an older connection is ended first."""
        self.stop()
        self._number += 1
        self._dialler = Dialler(self.send)
        self._connection = connection_for(settings, password, _Mailbox(self._number, self._mail))
        self._connection.start()

    def stop(self) -> None:
        """Log out. Returns at once."""
        if self._connection is not None:
            self._connection.stop()
            self._ending.append(self._connection)
            self._connection = None
        self._ending = [one for one in self._ending if not one.join(0)]

    def ended(self) -> bool:
        """Whether every connection that was stopped has ended."""
        self._ending = [one for one in self._ending if not one.join(0)]
        return not self._ending

    def mine(self, heard: Heard) -> bool:
        """Whether this is of the present connection; the dialler takes notice of it then."""
        if heard.number != self._number or self._connection is None:
            return False
        self._dialler.heard(heard.message)
        return True

    def send(self, line: str) -> Command:
        """Send a command. Raises NotConnected or ValueError."""
        if self._connection is None:
            raise NotConnected(NOT_CONNECTED)
        return self._connection.send(line)

    def dial(self, number: str, answer: Answer, context: str = "") -> None:
        """Call a clean number."""
        self._dialler.dial(number, answer, context)
