"""What other threads want of the main one, and how it is taken out of their queue without holding Tk up."""

from __future__ import annotations

import logging
import queue
import signal
import time
import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from astcti_client.hand_over import Answer, NoHandOver, OtherClient
from astcti_client.instance import Closable, open_door

logger = logging.getLogger(__name__)

POLL = 50  # milliseconds between two looks into the queue
SLICE = 0.02  # seconds of mail at one time, so that the window stays alive in a flood
BREATH = 5  # milliseconds between two slices of a flood, for keys, mouse and drawing


@dataclass(frozen=True, slots=True)
class DialWanted:
    """`astcti-client dial`, or a link, wants a number called."""

    number: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class ShowWanted:
    """A second client was started."""


@dataclass(frozen=True, slots=True)
class StopWanted:
    """A signal asks for the end."""


@dataclass(frozen=True, slots=True)
class HotKeyPressed:
    """The selected text is to be called."""


class MailRound:
    """Takes mail out of the queue on Tk's thread, a slice at a time. Anybody may put into the queue."""

    def __init__(
        self,
        root: tk.Tk,
        mail: queue.SimpleQueue[Any],
        take: Callable[[Any], None],
        taken: Callable[[], None],
    ) -> None:
        """`take` gets each piece, then `taken` is called once for the slice: it shows what changed.

        What they raise is logged and ends nothing else. Main thread.
        """
        self._root, self._mail, self._take, self._taken = root, mail, take, taken
        self._going = True
        root.after(POLL, self._look)

    def stop(self) -> None:
        """Take no more. Main thread."""
        self._going = False

    def _look(self) -> None:
        more, until, count = True, time.monotonic() + SLICE, 0
        while more and self._going and time.monotonic() < until:
            try:
                self._take(self._mail.get_nowait())
            except queue.Empty:
                more = False
            except Exception:  # one message that cannot be taken must not end the rest
                logger.exception("a message could not be handled")
            count += more
        if count and self._going:
            try:
                self._taken()
            except Exception:
                logger.exception("the window could not be brought up to date")
        if self._going:
            self._root.after(BREATH if more else POLL, self._look)


def open_door_to(mail: queue.SimpleQueue[Any]) -> Closable | None:
    """Have numbers of other programs, and the wish to see the window, put into the queue.

    None where there can be no such door. Raises OtherClient.
    """
    try:
        return open_door(
            lambda number, answer: mail.put(DialWanted(number, answer)), lambda: mail.put(ShowWanted())
        )
    except OtherClient:
        raise  # two clients would pop up everything twice and log each other out
    except NoHandOver as reason:
        logger.warning("astcti-client dial does not reach this client: %s", reason)
        return None


def stop_at_signals(mail: queue.SimpleQueue[Any]) -> None:
    """SIGINT and SIGTERM log out first. The queue's put is the one thing safe in a handler."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: mail.put(StopWanted()))
