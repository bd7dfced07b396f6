"""What other threads want of the main one, and how it is taken out of their queue without holding Tk up."""

from __future__ import annotations

import logging
import queue
import time
import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from astcti_client.hand_over.requests import DialRequest, NoHandOver, OtherClient, ShowRequest
from astcti_client.hand_over.running_client import RequestListener, listen_for_requests

logger = logging.getLogger(__name__)

INBOX_POLL = 50  # milliseconds between two looks into the queue
SLICE_TIME = 0.02  # seconds of work at one time, so that the window stays alive in a flood
FLOOD_PAUSE = 5  # milliseconds between two slices of a flood, for keys, mouse and drawing


@dataclass(frozen=True, slots=True)
class HotKeyPressed:
    """The selected text is to be called."""


@dataclass(frozen=True, slots=True)
class HangUpKeyPressed:
    """The call that goes on is to be ended."""


class InboxReader:
    """Takes items out of the queue on Tk's thread, a slice at a time. Anybody may put into the queue.

    It looks again and again, since no other thread can wake Tk: a call of Tk from there waits for the main
    thread, and is an error where Tcl was built without threads.
    """

    def __init__(
        self,
        root: tk.Tk,
        inbox: queue.SimpleQueue[Any],
        take: Callable[[Any], None],
        taken: Callable[[], None],
    ) -> None:
        """`take` gets each item, then `taken` is called once for the slice: it shows what changed.

        What they raise is logged and ends nothing else. Main thread.
        """
        self._root, self._inbox, self._take, self._taken = root, inbox, take, taken
        self._going = True
        root.after(INBOX_POLL, self._look)

    def stop(self) -> None:
        """Take no more. Main thread."""
        self._going = False

    def _look(self) -> None:
        more, until, count = True, time.monotonic() + SLICE_TIME, 0
        while more and self._going and time.monotonic() < until:
            try:
                self._take(self._inbox.get_nowait())
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
            self._root.after(FLOOD_PAUSE if more else INBOX_POLL, self._look)


def requests_into(inbox: queue.SimpleQueue[Any]) -> RequestListener | None:
    """Have what other programs ask for put into the queue: a number to call, or the window.

    None where nobody can ask. Raises OtherClient.
    """
    try:
        return listen_for_requests(
            lambda number, reply: inbox.put(DialRequest(number, reply)), lambda: inbox.put(ShowRequest())
        )
    except OtherClient:
        raise  # two clients would pop up everything twice and log each other out
    except NoHandOver as reason:
        logger.warning("astcti-client dial does not reach this client: %s", reason)
        return None
