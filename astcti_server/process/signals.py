"""The signals that the process was sent and has not acted on yet: each once, and the end before all others.

Handlers run between two bytecodes of the main thread, so they only note. Somebody who asks thousands of times
for the same thing gets it once, and is not in the way of somebody who asks for the end.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

ENDING: Final = (signal.SIGTERM, signal.SIGINT)
HANDLED: Final = (*ENDING, signal.SIGHUP, signal.SIGUSR1)


@dataclass(frozen=True, slots=True)
class SignalReceived:
    """The process was sent a signal (its number); for the main thread."""

    number: int


class PendingSignals:
    """Main thread only, where signal handlers run too."""

    def __init__(self, tell: Callable[[SignalReceived], None], end_at_once: Callable[[], None]) -> None:
        """`tell` wakes whoever acts on signals. `end_at_once` is called when the end is asked for again."""
        self._tell = tell
        self._end_at_once = end_at_once
        self._pending: set[int] = set()
        self.end = ""
        """The name of the signal that asked for the end; empty if none did."""

    def install(self) -> None:
        """Receive signals from now on."""
        for number in HANDLED:
            signal.signal(number, lambda received, _frame: self.receive(received))

    def receive(self, number: int) -> None:
        """A signal came."""
        if number in ENDING:
            if self.end:
                self._end_at_once()
            self.end = signal.Signals(number).name
        if number not in self._pending:
            self._pending.add(number)
            self._tell(SignalReceived(number))

    def taken_up(self, number: int) -> None:
        """The signal is about to be acted on: one that comes from now on asks for it anew."""
        self._pending.discard(number)
