"""What other threads want of the main one, and how it is taken out of their queue without holding Tk up."""

from __future__ import annotations

import logging
import queue
import signal
import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from astcti_client.hand_over import Answer, NoHandOver, OtherClient
from astcti_client.instance import Closable, open_door

logger = logging.getLogger(__name__)

POLL = 50  # milliseconds between two looks into the queue
MOST_A_LOOK = 10  # messages, so that the window stays alive in a flood


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
    """Takes mail out of the queue on Tk's thread, a few pieces at a time. Anybody may put into the queue."""

    def __init__(self, root: tk.Tk, mail: queue.SimpleQueue[Any], take: Callable[[Any], None]) -> None:
        """`take` gets each piece; what it raises is logged and ends only that piece. Main thread."""
        self._root, self._mail, self._take = root, mail, take
        self._going = True
        root.after(POLL, self._look)

    def stop(self) -> None:
        """Take no more. Main thread."""
        self._going = False

    def _look(self) -> None:
        pause = POLL
        try:
            for _count in range(MOST_A_LOOK):
                self._take(self._mail.get_nowait())
            pause = 1
        except queue.Empty:
            pass
        except Exception:  # one message that cannot be shown must not end the rest
            logger.exception("a message could not be handled")
            pause = 1
        if self._going:
            self._root.after(pause, self._look)


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
