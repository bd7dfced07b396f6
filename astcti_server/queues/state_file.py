"""What outlives the server: the queue members that it added, the operators' pauses, and the queues they left.

A member is written before its QueueAdd, so whatever the file does not list is not ours and is never removed.
Used on one thread at a time: before the start by the main thread, then by the one of `state_writer.py`.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from astcti_server.process.state_directory import StateError
from astcti_server.queues.kept_wishes import KeptPause, LeftQueues
from schemas import own_files
from schemas.configuration.model import queue_key

logger = logging.getLogger(__name__)

NAME = "queue-members.json"
FORMAT = 1
"""Grows only when an older release could not use the file: it ignores further fields."""

MemberKey: TypeAlias = tuple[str, str]
"""A queue, as its `queue_key`, and a member's interface as Asterisk writes it."""


class SavedQueues(NamedTuple):
    """What the file has. Nobody changes any part any more."""

    members: Mapping[MemberKey, str]
    """The user name that each was added for."""
    pauses: Mapping[str, KeptPause]
    """By user name."""
    left: Mapping[str, LeftQueues] = MappingProxyType({})
    """By user name."""


NOTHING_SAVED = SavedQueues({}, {})


class NewerFormatError(Exception):
    """A newer release wrote the file; the text says which formats."""


class StateFile:
    """`queue-members.json` in the directory given by `--state`."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        self.failure = ""
        """Why the file could not be written last; empty if it was. Any thread reads it."""

    def load(self) -> SavedQueues:
        """What was saved last.

        A damaged file, and one of a format that only a newer release knows, is logged, kept beside as
        `queue-members.json.damaged` or `.newer`, and counts as empty. Fields that are not known are ignored.
        Raises StateError if there is a file that cannot be read.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return NOTHING_SAVED
        except OSError as error:
            raise StateError(f"{self.path}: {error.strerror or error}: cannot be read") from error
        try:
            return _decode(data)
        except NewerFormatError as error:
            self._put_aside(str(error), "newer")
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            self._put_aside(f"damaged ({error})", "damaged")
        return NOTHING_SAVED

    def save(self, saved: SavedQueues) -> bool:
        """Replace the file in one step, on the disk before this returns. Failing: False, and a log line."""
        try:
            own_files.replace_file(self.path, _encode(saved), own_files.PRIVATE)
        except OSError as error:
            if not self.failure:
                logger.error(
                    "%s: %s: cannot be written; a crash would leave members in queues, and end the pauses",
                    self.path,
                    error.strerror or error,
                )
            self.failure = f"{self.path}: {error.strerror or error}: cannot be written"
            return False
        if self.failure:
            logger.warning("%s: can be written again", self.path)
        self.failure = ""
        return True

    def _put_aside(self, why: str, kind: str) -> None:
        try:
            kept = own_files.put_aside(self.path, kind)
        except OSError as failure:
            raise StateError(f"{self.path}: is {why} and cannot be put aside: {failure}") from failure
        logger.error(
            "%s: %s; kept as %s. Queue members that an earlier run left behind are not known now:"
            " look at 'queue show' and remove them by hand",
            self.path,
            why,
            kept.name,
        )


def _encode(saved: SavedQueues) -> bytes:
    members = [
        {"queue": queue, "interface": interface, "username": username}
        for (queue, interface), username in sorted(saved.members.items())
    ]
    pauses = [
        {"username": username, "reason": pause.reason, "since": pause.since, "seen": pause.seen}
        for username, pause in sorted(saved.pauses.items())
    ]
    left = [
        {"username": username, "queues": sorted(left.keys), "seen": left.seen}
        for username, left in sorted(saved.left.items())
    ]
    # Without indentation, which takes ten times as long and keeps all other threads from running meanwhile.
    content = {"format": FORMAT, "members": members, "pauses": pauses, "left": left}
    return json.dumps(content, ensure_ascii=False).encode() + b"\n"


def _decode(data: bytes) -> SavedQueues:
    content = json.loads(data.decode())
    if type(content["format"]) is int and content["format"] > FORMAT:
        formats = f"format {content['format']}, known here: {FORMAT}"
        raise NewerFormatError(f"written by a newer release ({formats})")
    if content["format"] != FORMAT:
        raise ValueError(f"unknown format {content['format']!r}")
    members: dict[MemberKey, str] = {}
    for row in content["members"]:
        queue, interface, username = (_text(row[name]) for name in ("queue", "interface", "username"))
        members[queue_key(queue), interface] = username
    # Releases that kept no pauses, or not which queues were left, wrote none.
    pauses = {
        _text(row["username"]): KeptPause(_text(row["reason"]), _time(row["since"]), _time(row["seen"]))
        for row in content.get("pauses", [])
    }
    left = {
        _text(row["username"]): LeftQueues(_keys(row["queues"]), _time(row["seen"]))
        for row in content.get("left", [])
    }
    return SavedQueues(members, pauses, left)


def _keys(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not value:
        raise TypeError("the queues that somebody left are a list of names")
    return frozenset(queue_key(_text(name)) for name in value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("queue, interface, username and reason are strings")
    value.encode()  # half a character (\ud800) could not be written again
    return value


def _time(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError("since and seen are seconds")
    return float(value)
