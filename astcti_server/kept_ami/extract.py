"""Makes of kept bytes what a report holds: a transcript without noise and secrets, and the marks in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from astcti_server.calls.originations import Origination
from astcti_server.kept_ami.kept_bytes import END, KeptWindow
from astcti_server.kept_ami.marks import (
    ArrivedMark,
    ConfiguredMark,
    EndedUnheardMark,
    HadMark,
    KeptMark,
    LinkDownMark,
    LinkUpMark,
    LostMark,
    OriginatedMark,
    SeatsMark,
    UnreadMark,
)
from astcti_server.kept_ami.masking import Mask
from astcti_server.kept_ami.redaction import Redactor
from schemas.configuration.model import Configuration
from schemas.configuration.xml_form import dump_xml

NO_PASSWORD: Final = "md5:" + "0" * 32
"""In place of each password: nobody logs in with it, and the file is a configuration as before."""
PIECE: Final = 1 << 18
TIME_STEP: Final = 0.1  # seconds: the server's own clock is asked for nothing finer

MarkFields = dict[str, Any]
"""A mark as JSON: `at` (byte of the transcript), `mark`, and what belongs to it."""


def without_secrets(configuration: Configuration) -> Configuration:
    """The configuration without anything to log in with."""
    operators = (replace(operator, password=NO_PASSWORD, scram="") for operator in configuration.operators)
    return replace(configuration, operators=tuple(operators))


class Extract:
    """One extract of a window: `transcript` first, then the rest is complete. One thread."""

    def __init__(self, window: KeptWindow, begin: float, end: float, mask: Mask | None) -> None:
        """`begin` and `end`: seconds since 1970. What was noted before is summed up at the first byte."""
        self.marks: list[MarkFields] = []
        self.configurations: dict[str, str] = {}
        """XML by the name of its file in the archive."""
        self.messages = self.left_out = self.size = 0
        self._window = window
        self._begin, self._end = begin, end
        self._mask = mask
        self._redactor = Redactor(mask)
        self._state = window.state
        self._began = False
        self._told_at = float("-inf")

    def transcript(self) -> Iterator[bytes]:
        """The bytes, in pieces."""
        piece: list[bytes] = []
        size = 0
        for data in self._redacted():
            piece.append(data)
            size += len(data)
            self.size += len(data)
            if size >= PIECE:
                yield b"".join(piece)
                piece.clear()
                size = 0
        if not self._began:
            self._start()
        if piece:
            yield b"".join(piece)

    def _redacted(self) -> Iterator[bytes]:
        rest = b""
        for moment, item in _link_before_login(self._window):
            if moment > self._end:
                return
            if moment >= self._begin and not self._began:
                self._start()
            if isinstance(item, bytes):
                *blocks, rest = (rest + item).split(END)
                if self._began:
                    self._tell_time(moment)
                    yield from self._wanted(blocks)
            else:
                if isinstance(item, LostMark | LinkUpMark):
                    rest = b""
                self._note(moment, item)

    def _wanted(self, blocks: list[bytes]) -> Iterator[bytes]:
        for block in blocks:
            found = self._redactor.redacted(block)
            if found is None:
                self.left_out += 1
            else:
                self.messages += 1
                yield found + END

    def _start(self) -> None:
        """Say what holds where the transcript begins."""
        self._began = True
        state = self._state
        if state.configured is not None:
            self._write_mark(state.configured)
        if state.operators:
            self._write_mark(SeatsMark(state.operators, ()))
        for extension in sorted(state.resuming & state.operators.keys()):
            self._write_mark(ArrivedMark(extension, resumes=True))
        if state.banner_version is not None:
            self._redactor.connected(state.banner_version)
            self.marks.append({"at": 0, "mark": "linked", "banner": state.banner_version})

    def _note(self, moment: float, mark: KeptMark) -> None:
        self._state = self._state.after(mark)
        if self._began:
            self._tell_time(moment)
            self._write_mark(mark)

    def _tell_time(self, moment: float) -> None:
        if moment - self._told_at >= TIME_STEP:
            self._told_at = moment
            self.marks.append({"at": self.size, "mark": "time", "time": round(moment, 3)})

    def _write_mark(self, mark: KeptMark) -> None:
        self.marks.append({"at": self.size, **self._fields(mark)})

    def _fields(self, mark: KeptMark) -> MarkFields:
        match mark:
            case ConfiguredMark():
                return self._configured(mark)
            case SeatsMark(taken, left):
                return {"mark": "seats", "taken": self._people(taken), "left": list(map(self._phone, left))}
            case ArrivedMark(extension, resumes):
                return {"mark": "arrived", "extension": self._phone(extension), "resumes": resumes}
            case HadMark(extension, uniqueid, other):
                ids = {"uniqueid": uniqueid, "other": other}
                return {"mark": "had", "extension": self._phone(extension), **ids}
            case LinkUpMark(banner):
                self._redactor.connected(banner)
                return {"mark": "link-up", "banner": banner}
            case LinkDownMark(quiet):
                return {"mark": "link-down", "quiet": quiet}
            case UnreadMark():
                return {"mark": "unread"}
            case OriginatedMark(action_id, asked):
                return {"mark": "originated", "action-id": action_id, **self._originated(asked)}
            case EndedUnheardMark(uniqueid):
                return {"mark": "ended-unheard", "uniqueid": uniqueid}
            case LostMark(size):
                return {"mark": "lost", "bytes": size}

    def _configured(self, mark: ConfiguredMark) -> MarkFields:
        self._redactor.use(mark.configuration, mark.encoding)
        clean = without_secrets(mark.configuration)
        xml = dump_xml(self._mask.configuration(clean) if self._mask is not None else clean)
        name = f"configuration-{hashlib.sha256(xml).hexdigest()[:12]}.xml"
        self.configurations[name] = xml.decode()
        return {
            "mark": "configuration",
            "file": name,
            "events": "all" if mark.all_calls else "services",
            "encoding": mark.encoding,
            "late-pop-up": mark.late_pop_up,
        }

    def _originated(self, asked: Origination) -> MarkFields:
        exten = self._mask.number(asked.exten) if self._mask is not None else asked.exten
        fields = {"extension": self._phone(asked.extension), "exten": exten, "context": asked.context}
        return fields | {"service": asked.service.name if asked.service is not None else ""}

    def _people(self, operators: Mapping[str, str]) -> dict[str, str]:
        return self._mask.operators(operators) if self._mask is not None else dict(operators)

    def _phone(self, extension: str) -> str:
        return self._mask.channel(extension) if self._mask is not None else extension


def _link_before_login(window: KeptWindow) -> Iterator[tuple[float, bytes | KeptMark]]:
    """The entries, but the login's mark before the bytes that brought it: events may be among these."""
    held: tuple[float, bytes | KeptMark] | None = None
    for entry in window.entries():
        if isinstance(entry[1], LinkUpMark):
            yield entry
            continue
        if held is not None:
            yield held
        held = entry
    if held is not None:
        yield held
