"""A report as a file: a tar.gz of a few plain files, written by whoever asked and read by `replay`."""

from __future__ import annotations

import base64
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from schemas.configuration.model import Configuration
from schemas.configuration.xml_form import parse_xml
from schemas.problems import ConfigurationError

ABOUT, MARKS, LOG, TRANSCRIPT, EXPLANATION = "about.json", "marks.jsonl", "log.txt", "ami.txt", "explain.json"
MODE: Final = 0o600
MOST_UNPACKED: Final = 1 << 30
"""Bytes of a transcript that are read; it is unpacked as it is played. What else there is has far fewer."""
MOST_OF_A_FILE: Final = 64 << 20
READ_AT_ONCE: Final = 65536
_GZIP: Final = b"\x1f\x8b"
_UNREADABLE: Final = (
    *(tarfile.TarError, OSError, EOFError, zlib.error, ConfigurationError),
    *(
        ValueError,
        TypeError,
        LookupError,
        RecursionError,
    ),  # JSON of another shape, or too deep; a broken link
    AttributeError,  # what tarfile of Python 3.11 says of a damaged header of gzip
)


class BadArchive(Exception):
    """It is no report; the text says why."""


def write_archive(path: Path, document: Mapping[str, Any]) -> int:
    """Write a report, and return its size in bytes. A new file; OSError if it is there or cannot be made."""
    files = {ABOUT: _json(document["about"])}
    for part in document["configurations"]:
        files[part["file"]] = files.get(part["file"], b"") + part["xml"].encode()
    files[MARKS] = b"".join(json.dumps(mark).encode() + b"\n" for mark in document["marks"])
    files[LOG] = "".join(f"{line}\n" for line in document["log"]).encode()
    if document.get("explanation"):
        files[EXPLANATION] = _json(document["explanation"])
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    try:
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, data in files.items():
                _add(archive, name, io.BytesIO(data), len(data))
            pieces = [zlib.decompress(base64.b64decode(piece)) for piece in document["ami"]]
            _add(archive, TRANSCRIPT, io.BytesIO(b"".join(pieces)), sum(map(len, pieces)))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path.stat().st_size


def _add(archive: tarfile.TarFile, name: str, data: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, MODE
    archive.addfile(entry, data)


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def is_archive(beginning: bytes) -> bool:
    """Whether a file that begins so is compressed, as reports are and transcripts are not."""
    return beginning.startswith(_GZIP)


class ReportArchive:
    """A report that is read. Raises BadArchive."""

    def __init__(self, file: IO[bytes]) -> None:
        """Read all that stands before the transcript; nothing is written to the disk."""
        self.about: dict[str, Any] = {}
        self.marks: list[dict[str, Any]] = []
        self.configurations: dict[str, Configuration] = {}
        self._transcript: IO[bytes] | None = None
        try:
            self._archive = tarfile.open(fileobj=file, mode="r|gz")  # noqa: SIM115 (read until the end)
            for member in self._archive:
                data = self._archive.extractfile(member)
                if data is None:
                    continue
                if member.name == TRANSCRIPT:
                    self._transcript = data
                    break
                self._take(member.name, data.read(min(max(0, member.size), MOST_OF_A_FILE)))
        except _UNREADABLE as error:
            raise BadArchive(f"it cannot be read: {error}") from None
        if self._transcript is None or not self.about:
            raise BadArchive(f"neither {ABOUT} nor {TRANSCRIPT} is in it")

    def _take(self, name: str, data: bytes) -> None:
        if name == ABOUT:
            self.about = dict(json.loads(data))
        elif name == MARKS:
            self.marks = [dict(json.loads(line)) for line in data.splitlines()]
        elif name.endswith(".xml"):
            self.configurations[name] = parse_xml(data, name).configuration

    def pieces(self) -> Iterator[bytes | dict[str, Any]]:
        """The transcript in pieces, with each mark at its place."""
        at = 0
        for mark in self.marks:
            while at < mark["at"]:
                data = self._read(min(READ_AT_ONCE, mark["at"] - at), at)
                if not data:
                    raise BadArchive("a mark stands behind the end of the transcript")
                at += len(data)
                yield data
            yield mark
        while data := self._read(READ_AT_ONCE, at):
            at += len(data)
            yield data

    def _read(self, size: int, at: int) -> bytes:
        assert self._transcript is not None
        if at >= MOST_UNPACKED:
            raise BadArchive(f"the transcript has more than {MOST_UNPACKED} bytes")
        try:
            return self._transcript.read(size)
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise BadArchive(f"it cannot be read: {error}") from None
