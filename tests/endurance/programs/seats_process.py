"""A group of seats as a process that can be killed: the real client's network and trigger code, no window.

`python -m tests.endurance.programs.seats_process PORT SEATS GROUPS GROUP SEED BREAKS FILE`. What a user would
see and hear of is written down: pages that open, where the connection stands, queues and pauses.
"""

from __future__ import annotations

import logging
import queue
import random
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from astcti_client.net.connection import NotConnected, ServerConnection
from astcti_client.net.login_memory import LoginMemory
from astcti_client.net.messages import ConnectionMessage, ConnectionState, ServerEvent, ServerReply
from astcti_client.net.transport import ServerAddress
from astcti_client.password import Password
from astcti_client.triggers.event_triggers import EventTriggers
from astcti_client.triggers.memory_file import MemoryFile, pop_ups_file
from astcti_client.triggers.runner import TriggerRunner
from astcti_client.triggers.trigger_memory import TriggerMemory
from schemas.protocol import Capability, CommandName, PauseWord, ReplyCode
from schemas.wire import Reply
from tests.endurance.history import HistoryWriter
from tests.endurance.office import PASSWORD, Office
from tests.endurance.programs.orders import serve_orders

PAUSES_EVERY = 2.0  # seconds: then somebody of this group takes a break, or comes back


class SoakSeat:
    """One operator at a phone. Its messages are handled by one thread."""

    def __init__(
        self,
        phone: str,
        port: int,
        history: HistoryWriter,
        inbox: queue.SimpleQueue[tuple[SoakSeat, ConnectionMessage]],
    ) -> None:
        self.phone = phone
        self._history, self._inbox = history, inbox
        self._up = False
        self._paused = self._asked = False
        password = Password.from_text(PASSWORD)
        address, operator = ServerAddress("127.0.0.1", port), Office.operator(phone)
        memory = TriggerMemory(MemoryFile(pop_ups_file().with_name(f"pop-ups-{operator}")))
        memory.enter(f"{address} {operator}")
        self.connection = ServerConnection(
            address,
            operator,
            password,
            self,
            macs=lambda _local: (Office.mac(phone),),
            memory=LoginMemory(password),
            resume=memory.position(),
        )
        self._events = EventTriggers(
            TriggerRunner(show_page=self._show, memory=memory), memory, self.connection.shown, time.monotonic
        )

    def put(self, item: ConnectionMessage, /) -> None:
        """Take a message of the network thread."""
        self._inbox.put((self, item))

    def handle(self, message: ConnectionMessage) -> None:
        """What the client makes of a message."""
        match message:
            case ConnectionState(phase="up"):
                self._up = True
                self._write("up")
            case ConnectionState(phase=phase, detail=detail):
                if self._up or phase == "ended":
                    self._up = False
                    self._write("down", detail=detail)
                if phase == "logging-in":  # a login that was cut may have heard that the PBX is down
                    self._write("pbx", up=True)
            case ServerReply(reply=reply):
                self._reply(reply)
            case ServerEvent():
                self._hear(message)

    def toggle_pause(self) -> None:
        """Take a break, or come back from it."""
        line = f"{CommandName.PAUSE} {PauseWord.OUT if self._paused else f'{PauseWord.IN} Lunch'}"
        before, self._asked = self._asked, PauseWord.IN in line  # the answer comes on another thread, at once
        try:
            self.connection.send(line)
        except NotConnected:
            self._asked = before  # an operator cannot, then

    def _hear(self, message: ServerEvent) -> None:
        event = message.event
        for due in self._events.hear(
            event, trusted=message.trusted, epoch=message.epoch, arrived=message.arrived
        ):
            outcome = self._events.do(due)
            if not outcome.done:
                moment = "hangup" if event.id == "Hangup" else "answer"
                self._write("not-shown", moment=moment, leg=event.call.uniqueid, why=str(outcome.failure))
        self._events.shows()
        self._events.drawn()

    def _reply(self, reply: Reply) -> None:
        match reply.number:
            case ReplyCode.CAPABILITIES:
                if Capability.RESUME in reply.information.split():
                    self._write("resumes")
            case ReplyCode.PBX_DOWN | ReplyCode.PBX_UP:
                self._write("pbx", up=reply.number == ReplyCode.PBX_UP)
            case ReplyCode.QUEUE_JOINED:
                self._write("joined", queue=reply.information)
            case ReplyCode.QUEUE_LEFT:
                self._write("left", queue=reply.information)
            case ReplyCode.PAUSE_STATE:
                self._pause_told(reply.token == PauseWord.IN)
            case ReplyCode.PAUSE_DONE:
                self._pause_told(self._asked)
            case ReplyCode.SESSION_ENDED:
                self._write("bye", text=reply.information)

    def _pause_told(self, paused: bool) -> None:
        self._paused = paused
        self._write("paused", paused=paused)

    def _show(self, url: str, service: str) -> None:
        page = urlsplit(url)
        self._write("shown", moment=page.path[1:], service=service, **dict(parse_qsl(page.query, True)))

    def _write(self, what: str, **more: object) -> None:
        self._history.write(what, seat=self.phone, **more)


class SeatGroup:
    """All seats of a process."""

    def __init__(self, office: Office, group: int, port: int, seed: int, history: HistoryWriter) -> None:
        self._inbox: queue.SimpleQueue[tuple[SoakSeat, ConnectionMessage]] = queue.SimpleQueue()
        self._chance = random.Random(f"{seed} {group}")
        self._breaks = False
        self._stopping = threading.Event()
        history.write("began", seats=office.group(group))
        self.seats = [SoakSeat(phone, port, history, self._inbox) for phone in office.group(group)]
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._handle_all, self._take_breaks)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        for seat in self.seats:
            seat.connection.start()

    def take_breaks(self, wanted: bool) -> bool:
        """Whether operators go into pause now and then."""
        self._breaks = wanted
        return wanted

    def stop(self) -> None:
        for seat in self.seats:
            seat.connection.stop()
        for seat in self.seats:
            seat.connection.join(10.0)
        self._stopping.set()

    def _handle_all(self) -> None:
        while True:
            seat, message = self._inbox.get()
            seat.handle(message)

    def _take_breaks(self) -> None:
        while not self._stopping.wait(PAUSES_EVERY):
            if self._breaks:
                self._chance.choice(self.seats).toggle_pause()


def main() -> None:
    port, seats, groups, group, seed, breaks, file = sys.argv[1:]
    logging.basicConfig(level=logging.WARNING)
    history = HistoryWriter(Path(file))
    office = Office(int(seats), int(groups))
    seat_group = SeatGroup(office, int(group), int(port), int(seed), history)
    seat_group.take_breaks(breaks == "1")
    seat_group.start()
    serve_orders({"breaks": seat_group.take_breaks, "hello": lambda: "hello"})
    seat_group.stop()


if __name__ == "__main__":
    main()
