"""What other programs ask of the running client: a number to call, or its window. And what it answers.

A request is one line: a telephone number, or SHOW. The answer is one line: `OK`, or `KO` and the reason.
How the lines travel is up to `unix_socket` and `named_pipe`.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from astcti_client.phone_number import clean_number

DIAL_REPLY_TIME = 20.0  # seconds; longer than the server may take for its reply
READ_TIME = 2.0  # seconds for the number to arrive
LONGEST_REQUEST = 512  # bytes; a number has 40
SHOW = "show"  # said instead of a number: bring the window to the front
NO_REPLY = "the running client does not answer"
NO_CLIENT = "no client is running for this user; start astcti-client first"
ANOTHER_CLIENT = "another client of this user is running, and gets the numbers"
_STOP_CHECK = 0.5  # seconds between two looks whether the client ends while it waits for the server's reply

DialReply = Callable[[str], None]
"""Called once, from any thread: the text for the one who dials, empty if the call was accepted."""

DialNumber = Callable[[str, DialReply], None]
"""Has a clean number called; on the listening thread, so it must not wait."""


@dataclass(frozen=True, slots=True)
class DialRequest:
    """`astcti-client dial`, or a link, wants a number called. `reply` must be called in any case."""

    number: str
    reply: DialReply


@dataclass(frozen=True, slots=True)
class ShowRequest:
    """A second client was started: the first one shows its window."""


class NoHandOver(Exception):
    """Numbers cannot be handed over. The text says why."""


class OtherClient(NoHandOver):
    """Another client of this user is running."""


def answer_to(line: str, dial: DialNumber, show: Callable[[], None] | None, stopping: threading.Event) -> str:
    """What the running client answers: it shows its window, or dials and says what came of it.

    On the listening thread, which waits for the outcome until `stopping`.
    """
    if line == SHOW:
        if show is None:
            return "KO the running client has no window"
        show()
        return f"OK {SHOW}"
    try:
        number = clean_number(line)
    except ValueError as error:
        return f"KO {error}"
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    dial(number, answers.put)
    for _ in range(int(DIAL_REPLY_TIME / _STOP_CHECK)):
        with contextlib.suppress(queue.Empty):
            problem = answers.get(timeout=_STOP_CHECK)
            return f"KO {problem}" if problem else f"OK {number}"
        if stopping.is_set():
            break
    return f"KO {NO_REPLY}"
