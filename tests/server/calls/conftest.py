"""Recorded calls: what the seats are told of them, an event a line, and the same told in another order."""

from __future__ import annotations

import re
from random import Random

from astcti_server.calls.notification import Notification
from astcti_server.replay import Replay
from schemas.configuration.model import Configuration

UNIQUEID = re.compile(rb"^\w*Uniqueid\d?: ?([^\r\n]+)", re.MULTILINE | re.IGNORECASE)


def heard(
    transcript: bytes, configuration: Configuration, *, all_calls: bool = True, size: int = 65536
) -> list[Notification]:
    """What the seats are told of a recording that is read in pieces of `size` bytes."""
    told: list[Notification] = []
    replay = Replay(configuration, told.append, all_calls=all_calls)
    for start in range(0, len(transcript), size):
        replay.feed(transcript[start : start + size])
    return told


def line_of(notification: Notification, seats: re.Pattern[str]) -> str:
    """An event as a line of EXPECTED. `seats` finds the number of the seat (1 to 3) in its phone's name."""
    event, call = notification.event, notification.event.call
    seat = seats.fullmatch(notification.extension)
    assert seat is not None
    data = dict(call.appdata).get("calldata", "")
    words = ["ABC"[int(seat[1]) - 1], event.id, call.direction, event.service or "-", call.queue or "-"]
    words += [call.calleridnum or "-", data or "-"]
    if event.cause is not None:
        words.append(event.cause.end)
    if event.repeat:
        words.append("repeat")
    urls = [trigger.url for trigger in event.triggers]
    return " ".join([*words, *(url.rpartition("/")[2].partition("?")[0] for url in urls)])


def in_another_order(transcript: bytes, random: Random, swaps: int) -> bytes:
    """The same events: `swaps` times two neighbours that are about different channels may change places."""
    blocks = transcript.split(b"\r\n\r\n")
    about = [frozenset(UNIQUEID.findall(block)) for block in blocks]
    for _ in range(swaps):
        at = random.randrange(len(blocks) - 1)
        first, second = about[at : at + 2]
        if first and second and not first & second:
            blocks[at : at + 2] = blocks[at + 1], blocks[at]
            about[at : at + 2] = second, first
    return b"\r\n\r\n".join(blocks)
