"""Remembers over a restart which configuration is in force, and what it says.

Without it a file that is held would be taken up by the next start, and a file in force that was overwritten
by a held one would be lost. Called on one thread at a time: before the start by the main thread, then by the
one that watches the configuration. Never by one that may not wait for a disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from astcti_server.config.store import ConfigSnapshot
from schemas import own_files
from schemas.configuration import xml_form
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError

logger = logging.getLogger(__name__)

NAME = "configuration-in-force"
MOST_HEAD = 65536  # bytes of the first line
FORMAT = 1
"""Grows only when an older release could not use the file: it ignores further fields."""


@dataclass(frozen=True)
class RememberedFile:
    """The file that was in force last, and what it said, though it may be gone or say something else now."""

    path: Path
    digest: bytes
    modified: float
    """Its time among the others, in seconds since 1970."""
    content: bytes
    """The configuration as XML."""

    @cached_property
    def configuration(self) -> Configuration:
        """What the file said. What is not understood any more, which is logged, counts as empty."""
        try:
            return xml_form.parse_xml(self.content, str(self.path)).configuration
        except ConfigurationError as error:
            logger.warning("what %s said is not valid any more, nothing is held: %s", self.path, error)
            return Configuration()


class ConfigMemory:
    """The file `configuration-in-force` of the state directory: a line of JSON, then the XML."""

    def __init__(self, directory: Path) -> None:
        """`directory` is the state directory."""
        self.path = directory / NAME
        self._kept: tuple[Path, bytes, float] | None = None
        self._failing = False

    def load(self, directory: Path) -> RememberedFile | None:
        """Return what was in force last in a configuration directory; None if that is not known.

        A memory that is damaged or of another release is logged, and counts as none.
        """
        try:
            head, _, content = self.path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.warning("%s cannot be read (%s): nothing is held at this start", self.path, error.strerror)
            return None
        try:
            found = _decode(head, content)
            if found.path.parent != directory.absolute():
                return None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            logger.warning("%s is not understood (%s): nothing is held at this start", self.path, error)
            return None
        return found

    def keep(self, loaded: ConfigSnapshot) -> None:
        """Remember what is in force now, on the disk before this returns. A failure is logged once."""
        what = (loaded.path.absolute(), loaded.digest, loaded.modified)
        if what == self._kept:
            return
        try:
            if self._kept is None:
                self._put_newer_aside()
            own_files.replace_file(self.path, _encode(loaded), own_files.PRIVATE)  # hashes are in it
        except OSError as error:
            if not self._failing:
                logger.error(
                    "%s: %s: cannot be written; a configuration that is held would be taken up by a restart",
                    self.path,
                    error.strerror or error,
                )
            self._failing = True
            return
        if self._failing:
            logger.warning("%s: can be written again", self.path)
        self._failing = False
        self._kept = what

    def _put_newer_aside(self) -> None:
        """Keep what a newer release remembered, which will want it again, perhaps. Raises OSError."""
        with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
            with self.path.open("rb") as stream:
                written = json.loads(stream.readline(MOST_HEAD))["format"]
            if type(written) is int and written > FORMAT:
                kept = own_files.put_aside(self.path, "newer")
                logger.warning("%s: written by a newer release; kept as %s", self.path, kept.name)


def _encode(loaded: ConfigSnapshot) -> bytes:
    content = _content(loaded)
    head = {
        "format": FORMAT,
        "file": str(loaded.path.absolute()),
        "sha256": loaded.digest.hex(),
        "modified": loaded.modified,
        "content": hashlib.sha256(content).hexdigest(),
    }
    return json.dumps(head).encode() + b"\n" + content


def _content(loaded: ConfigSnapshot) -> bytes:
    """The file as it is, where it is XML and still there: putting it together anew takes far longer."""
    if loaded.path.suffix.lower() == ".xml":
        with contextlib.suppress(OSError):
            content = loaded.path.read_bytes()
            if hashlib.sha256(content).digest() == loaded.digest:
                return content
    return xml_form.dump_xml(loaded.configuration)


def _decode(head: bytes, content: bytes) -> RememberedFile:
    said = json.loads(head)
    if said["format"] != FORMAT:
        raise ValueError(f"unknown format {said['format']!r}")
    if hashlib.sha256(content).hexdigest() != said["content"]:
        raise ValueError("it is damaged")
    return RememberedFile(Path(said["file"]), bytes.fromhex(said["sha256"]), float(said["modified"]), content)
