"""Signals that ask the client to end become a request in its inbox, since it has to log out first."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass(frozen=True, slots=True)
class StopRequest:
    """A signal, or the end of the reader of our output, asks for the end."""


def terminal_signals() -> list[signal.Signals]:
    """Those by which a terminal, or a service manager, ends a program. Main thread."""
    wanted = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it
        wanted.append(signal.SIGHUP)  # the terminal was closed
    return wanted


@contextmanager
def stop_requests(
    signals: Sequence[signal.Signals], put: Callable[[StopRequest], None], waking: int = -1
) -> Iterator[None]:
    """Meanwhile each of these signals puts a request; afterwards they do what they did before. Main thread.

    `put` is that of a `queue.SimpleQueue`: the one thing that is safe in a handler, since it never waits for
    a lock that the interrupted code holds. `waking` is a descriptor that does not block, to which a signal
    writes at once: the handler itself runs only when the main thread does something in Python.
    """

    def ask(_number: int, _frame: FrameType | None) -> None:
        put(StopRequest())

    told_before = signal.set_wakeup_fd(waking, warn_on_full_buffer=False) if waking >= 0 else -1
    before = {number: signal.signal(number, ask) for number in signals}
    try:
        yield
    finally:
        if waking >= 0:
            signal.set_wakeup_fd(told_before)
        for number, handler in before.items():
            signal.signal(number, handler)
