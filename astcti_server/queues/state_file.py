"""The queue members that this server added, kept on disk so that a crash leaves none behind for ever.

Written before each QueueAdd, so whatever the file does not list is not ours and is never removed. Used on
one thread at a time: before the start by the main thread, then by the one of `state_writer.py`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from astcti_server.process.state_directory import StateError
from schemas import own_files
from schemas.configuration.model import queue_key

logger = logging.getLogger(__name__)

NAME = "queue-members.json"
FORMAT = 1
"""Grows only when an older release could not use the file: it ignores further fields."""

MemberKey: TypeAlias = tuple[str, str]
"""A queue, as its `queue_key`, and a member's interface as Asterisk writes it."""


class NewerFormatError(Exception):
    """A newer release wrote the file; the text says which formats."""


class StateFile:
    """`queue-members.json` in the directory given by `--state`."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        self.failure = ""
        """Why the file could not be written last; empty if it was. Any thread reads it."""

    def load(self) -> dict[MemberKey, str]:
        """The members listed, with the user name each was added for.

        A damaged file, and one of a format that only a newer release knows, is logged, kept beside as
        `queue-members.json.damaged` or `.newer`, and counts as empty. Fields that are not known are ignored.
        Raises StateError if there is a file that cannot be read.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StateError(f"{self.path}: {error.strerror or error}: cannot be read") from error
        try:
            return _decode(data)
        except NewerFormatError as error:
            self._put_aside(str(error), "newer")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self._put_aside(f"damaged ({error})", "damaged")
        return {}

    def save(self, members: Mapping[MemberKey, str]) -> bool:
        """Replace the file in one step, on the disk before this returns. Failing: False, and a log line."""
        try:
            own_files.replace_file(self.path, _encode(members), own_files.PRIVATE)
        except OSError as error:
            if not self.failure:
                logger.error(
                    "%s: %s: cannot be written; members left in queues by a crash would not be removed",
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


def _encode(members: Mapping[MemberKey, str]) -> bytes:
    rows = [
        {"queue": queue, "interface": interface, "username": username}
        for (queue, interface), username in sorted(members.items())
    ]
    # Without indentation, which takes ten times as long and keeps all other threads from running meanwhile.
    return json.dumps({"format": FORMAT, "members": rows}, ensure_ascii=False).encode() + b"\n"


def _decode(data: bytes) -> dict[MemberKey, str]:
    content = json.loads(data.decode())
    if type(content["format"]) is int and content["format"] > FORMAT:
        formats = f"format {content['format']}, known here: {FORMAT}"
        raise NewerFormatError(f"written by a newer release ({formats})")
    if content["format"] != FORMAT:
        raise ValueError(f"unknown format {content['format']!r}")
    members: dict[MemberKey, str] = {}
    for row in content["members"]:
        queue, interface, username = row["queue"], row["interface"], row["username"]
        if not (isinstance(queue, str) and isinstance(interface, str) and isinstance(username, str)):
            raise TypeError("a member's queue, interface and username are strings")
        f"{queue}{interface}{username}".encode()  # half a character (\\ud800) could not be written again
        members[queue_key(queue), interface] = username
    return members
