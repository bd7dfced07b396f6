"""What other threads want of the main one, and how it is taken out of their queue without holding Tk up."""

from __future__ import annotations

import logging
import queue
import socket
import sys
import time
import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from astcti_client.hand_over.requests import DialRequest, NoHandOver, OtherClient, ShowRequest
from astcti_client.hand_over.running_client import RequestListener, listen_for_requests

logger = logging.getLogger(__name__)

INBOX_POLL = 50  # milliseconds between two looks into the queue, where Tk cannot wait for it
SLICE_TIME = 0.02  # seconds of work at one time, so that the window stays alive in a flood
FLOOD_PAUSE = 5  # milliseconds between two slices of a flood, for keys, mouse and drawing


@dataclass(frozen=True, slots=True)
class HotKeyPressed:
    """The selected text is to be called."""


@dataclass(frozen=True, slots=True)
class HangUpKeyPressed:
    """The call that goes on is to be ended."""


class Inbox(queue.SimpleQueue[Any]):
    """A queue with a socket that can be read once something was put there.

    `put` is for any thread and for handlers of signals: it never waits.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._told = False
        """Whether a byte is in the socket, or is about to be: a flood writes one, not thousands."""

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:
        """As of any queue; afterwards the socket can be read."""
        super().put(item)
        if not self._told:
            self._told = True
            try:
                self._writer.send(b"w")
            except OSError:
                pass  # closed: nobody takes anything any more; or full of signals, and can be read then

    def fileno(self) -> int:
        """Whoever takes out of the queue waits until this can be read."""
        return self._reader.fileno()

    @property
    def signal_descriptor(self) -> int:
        """For `signal.set_wakeup_fd`: a signal makes the socket readable, too."""
        return self._writer.fileno()

    def begin_to_take(self) -> None:
        """Empty the socket, before the queue is looked into: what is put from now on is told anew."""
        try:
            while self._reader.recv(4096):
                pass
        except OSError:
            pass  # empty, or closed
        self._told = False  # last: what was put before this and not told is in the queue already

    def close(self) -> None:
        """Give the sockets back; what is put later tells nobody."""
        self._reader.close()
        self._writer.close()


class InboxReader:
    """Takes items out of the queue on Tk's thread, a slice at a time. Anybody may put into the queue.

    No other thread can wake Tk: a call of Tk from there waits for the main thread, and is an error where Tcl
    was built without threads. On X11 and macOS Tk waits for the queue's socket, so that an idle client
    sleeps; on Windows it cannot, and the queue is looked into again and again.
    """

    def __init__(
        self,
        root: tk.Tk,
        inbox: Inbox,
        take: Callable[[Any], None],
        taken: Callable[[], None],
        *,
        poll: bool = sys.platform == "win32",
    ) -> None:
        """`take` gets each item, then `taken` is called once for the slice: it shows what changed.

        What they raise is logged and ends nothing else. `poll`: Tk cannot wait for sockets. Main thread.
        """
        self._root, self._inbox, self._take, self._taken = root, inbox, take, taken
        self._going, self._poll = True, poll
        self._waiting = False
        self._look_again(more=False)

    def stop(self) -> None:
        """Take no more. Main thread."""
        self._going = False
        self._wait(False)

    def _look(self) -> None:
        self._inbox.begin_to_take()
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
        self._look_again(more=more)

    def _look_again(self, *, more: bool) -> None:
        if not self._going:
            return
        if more or self._poll:
            self._root.after(FLOOD_PAUSE if more else INBOX_POLL, self._look)
        else:
            self._wait(True)

    def _wait(self, wanted: bool) -> None:
        """Have Tk listen to the socket, or not: while a slice goes on, or another is due, it must not."""
        if wanted == self._waiting:
            return
        self._waiting = wanted
        if wanted:
            self._root.tk.createfilehandler(self._inbox, tk.READABLE, self._readable)
        else:
            self._root.tk.deletefilehandler(self._inbox)

    def _readable(self, _inbox: object, _mask: int) -> None:
        self._wait(False)
        try:
            self._look()
        except Exception:  # else it would end the main loop
            self._root.report_callback_exception(*sys.exc_info())


def requests_into(inbox: Inbox) -> RequestListener | None:
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
