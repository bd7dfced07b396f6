"""The client without a window: prints what it gets and carries out triggers. Runs on the main thread."""

from __future__ import annotations

import errno
import io
import os
import queue
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from astcti_client.dialler import Dialler
from astcti_client.hand_over.requests import DialNumber, DialRequest, NoHandOver
from astcti_client.hand_over.running_client import RequestListener
from astcti_client.net.connection import ServerConnection
from astcti_client.net.messages import (
    ConnectionMessage,
    ConnectionState,
    Ending,
    OfferedTargets,
    OperatorFound,
    PauseReasons,
    Resumed,
    ResumeOver,
    SeatFound,
    SeatUnknown,
    Sent,
    ServerEvent,
    ServerReply,
    Services,
    Unanswered,
    Unreadable,
)
from astcti_client.stop_signals import StopRequest, stop_requests, terminal_signals
from astcti_client.terminal_text import announcement_in_words, event_in_words
from astcti_client.triggers.event_triggers import EventTriggers
from astcti_client.triggers.runner import TriggerRunner
from astcti_client.triggers.trigger_memory import TriggerMemory
from schemas.log_lines import harmless
from schemas.protocol import TriggerFailure

EXIT_CODES: dict[Ending, int] = {
    "stopped": 0,
    "failed": 1,
    "unencrypted": 2,
    "taken-over": 3,
    "disabled": 3,
    "refused": 4,
}
_WARNINGS: dict[str, str] = {
    "plain": "the connection is not encrypted (plain is on): others on the network can read the password, "
    "and programs of calls are started only if allowed-programs lists them",
    "unverified": "the server's certificate is not checked (verify is off): programs of calls are started "
    "only if allowed-programs lists them",
}
TIDY_EVERY = 1.0  # seconds between two looks at the programs that were started
# A pipe or terminal whose other end is gone; Windows knows but the last one.
_NO_READER = (errno.EPIPE, errno.EIO, errno.EINVAL)


InboxItem = ConnectionMessage | StopRequest | DialRequest


class Headless:
    """Prints messages until the connection has ended."""

    def __init__(
        self,
        connection: ServerConnection,
        inbox: queue.SimpleQueue[InboxItem],
        triggers: TriggerRunner,
        memory: TriggerMemory,
        *,
        carry_out: bool = True,
        verbose: bool = False,
        listen: Callable[[DialNumber], RequestListener] | None = None,
        output: TextIO | None = None,
    ) -> None:
        """`memory` is that of `triggers`; unless `carry_out` they are only printed.

        `listen` begins to take numbers; see `running_client`.
        """
        self._connection = connection
        self._inbox = inbox
        self._triggers, self._carry_out = triggers, carry_out
        self._events = EventTriggers(triggers, memory, connection.shown, time.monotonic)
        self._verbose = verbose
        self._listen = listen
        self._dialler = Dialler(connection.send)
        self._output = output or sys.stdout
        self._seat_open = False
        """No address of this PC is a seat's; whether the operator has an own one is not known yet."""

    def run(self) -> int:
        """Start the connection, print until it has ended, and return the exit code."""
        with stop_requests(terminal_signals(), self._inbox.put), self._listening():
            self._connection.start()
            try:
                return EXIT_CODES[self._until_the_end()]
            finally:
                self._connection.stop()
                self._connection.join()
                self._triggers.close()
                self._let_go_of_output()

    @contextmanager
    def _listening(self) -> Iterator[None]:
        listener = None
        if self._listen:
            try:
                listener = self._listen(lambda number, reply: self._inbox.put(DialRequest(number, reply)))
            except NoHandOver as reason:
                self._print("--", f"astcti-client dial does not reach this client: {reason}")
        try:
            yield
        finally:
            if listener:
                listener.close()

    def _until_the_end(self) -> Ending:
        while True:
            try:
                item = self._inbox.get(timeout=TIDY_EVERY)
            except queue.Empty:
                item = None
            if isinstance(item, StopRequest):
                self._connection.stop()
            elif isinstance(item, DialRequest):
                self._print("--", f"asked to call {item.number}")
                self._dialler.dial(item.number, item.reply)
            elif item is not None:
                self._dialler.hear(item)
                self._show(item)
            for outcome in self._events.finished():
                self._print("!!", outcome.message)
            if isinstance(item, ConnectionState) and item.phase == "ended":
                return item.ending

    def _show(self, message: ConnectionMessage) -> None:
        match message:
            case ConnectionState(phase=phase, detail=detail, protection=protection):
                if phase == "logging-in" and protection in _WARNINGS:
                    self._print("--", _WARNINGS[protection])
                self._print("--", detail)
            case Sent(command=command):
                if self._verbose:
                    self._print("->", command.line)
            case ServerReply(line=line, reply=reply, answers=answers):
                self._print("<-", line)
                if answers is None and (words := announcement_in_words(reply)):
                    self._print("--", words)
            case ServerEvent():
                self._show_event(message)
            case Unreadable(line=line, reason=reason):
                self._print("<-", line)
                self._print("!!", f"this line was skipped: {reason}")
            case Unanswered(command=command):
                self._print("!!", f"the connection was lost before the reply to: {command.line}")
            case SeatFound(mac=mac, extension=extension):
                self._print("--", f"this PC is the seat {mac} with the phone {extension}")
            case SeatUnknown(tried=tried):
                self._show_seat_unknown(tried)
            case OperatorFound(extension=extension):
                self._show_seat(extension)
            case Services():
                self._show_seat("")
            case OfferedTargets() | PauseReasons() | Resumed() | ResumeOver():
                pass  # its lines were printed already

    def _show_event(self, message: ServerEvent) -> None:
        self._print("<-", event_in_words(message.event))
        if self._verbose:
            self._print("<-", message.line)
        if not self._carry_out:
            for action in message.event.triggers:
                what = " ".join([action.url, action.application, *map(repr, action.arguments)]).strip()
                verb = "start" if action.type == "application" else "open"
                self._print("=>", f"would {verb} ({action.type}, {action.os}): {what}")
        due = self._events.hear(
            message.event, trusted=message.trusted, epoch=message.epoch, arrived=message.arrived
        )
        for trigger in due:
            if trigger.interrupted or self._carry_out:
                outcome = self._events.do(trigger)
                self._print("=>" if outcome.done else "!!", outcome.message)
            else:
                self._events.refuse(trigger, TriggerFailure.TRIGGERS_OFF)
        self._events.shows()
        self._events.drawn()

    def _show_seat_unknown(self, tried: tuple[tuple[str, str], ...]) -> None:
        for mac, reason in tried:
            self._print("--", f"the server does not take this PC's address {mac}: {reason}")
        self._seat_open = True

    def _show_seat(self, extension: str) -> None:
        """Say where the operator sits although this PC is no seat; servers that cannot tell leave it open."""
        if not self._seat_open:
            return
        self._seat_open = False
        if extension:
            self._print("--", f"sits at {extension} by the operator's own seat")
        else:
            self._print(
                "--",
                "no seat was found by the address of this PC; that is fine for an operator bound to a seat, "
                "else have one of its addresses registered as a seat, or give --mac",
            )

    def _print(self, mark: str, text: str) -> None:
        try:
            print(mark, harmless(text), file=self._output, flush=True)
        except OSError as error:
            if error.errno in _NO_READER:  # whoever read our output is gone, and with it the reason to go on
                self._let_go_of_output()
                self._output = io.StringIO()
                self._inbox.put(StopRequest())
            # Else the disk is full: that loses lines, but no pop-ups.

    def _let_go_of_output(self) -> None:
        if sys.stdout is None:  # started without any
            return
        try:
            self._output.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains once more when it ends
