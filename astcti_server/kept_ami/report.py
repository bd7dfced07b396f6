"""Makes a report: finds the time of what was asked for, and extracts what was kept of it.

Any thread but the AMI thread; a report of everything that can be kept takes some seconds, with pauses for
others. Nothing is written here: whoever asked makes the archive.
"""

from __future__ import annotations

import base64
import re
import time
import zlib
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from astcti_server.kept_ami.extract import Extract
from astcti_server.kept_ami.kept_bytes import KeptMessage, KeptWindow
from astcti_server.kept_ami.marks import ConfiguredMark, SeatsMark
from astcti_server.kept_ami.masking import Mask
from astcti_server.recent_log import RecentLog
from schemas.phone_numbers import end_alike, ending, is_number, written_anyhow

AROUND: Final = 2.0  # seconds before and after a call
LOG_AROUND: Final = 60.0
LONGEST_PART: Final = 100_000
"""Characters of a configuration in one line of the answer."""
LAST: Final = "last"
_CLOCK: Final = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
_TIMES: Final = re.compile(rf"({_CLOCK})-({_CLOCK})")
_MOMENTS: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T\S+?)/([0-9]{4}-[0-9]{2}-[0-9]{2}T\S+)")
_IDS: Final = re.compile(rb"\r\n(?:[A-Za-z]*[uU]nique[iI][dD][12]?|[A-Za-z]*Linkedid): ([^\r\n]+)")
_NUMBER_KEYS: Final = (
    rb"\r\n(?:Dest)?(?:CallerID(?:Num)?|ConnectedLineNum|Exten|Extension|Uniqueid|UniqueID|Linkedid|"
    rb"Uniqueid[12]|SrcUniqueID): (?:%s)(?=\r\n|\Z)"
)
_NUMBERS: Final = rb"\r\n(?:Dest)?(?:CallerID(?:Num)?|ConnectedLineNum|Exten|Extension): ([^\r\n]*%s[^\r\n]*)"
_NOBODY: Final = frozenset({b"", b"<null>", b"<unknown>"})


class ReportRange(NamedTuple):
    """From when to when, in seconds since 1970."""

    begin: float
    end: float


class NothingKept(Exception):
    """What was asked for is not in what is kept."""


class ReportMaker:
    """Finds and extracts. One report; one thread."""

    def __init__(self, window: KeptWindow) -> None:
        self._window = window

    def find(self, what: str, now: float) -> ReportRange:
        """When it was. Raises NothingKept, ValueError for a time that is none."""
        found = _range(what, now)
        if found is not None:
            return found
        messages = self._ids_and_times(self._pattern(what).search)
        if messages is None and (end := ending(what)) and is_number(what):
            messages = self._ids_and_times(_numbers_ending(end, what))
        if messages is None:
            raise NothingKept
        return ReportRange(messages.begin - AROUND, messages.end + AROUND)

    def _pattern(self, what: str) -> re.Pattern[bytes]:
        phones = self._phones()
        if what == LAST:
            last = self._last_call(phones)
            if last is None:
                raise NothingKept
            return re.compile(_NUMBER_KEYS % re.escape(last))
        sought = [phone for phone, names in phones.items() if what == phone or what in names]
        if sought:
            return re.compile(_of_phones(sought))
        return re.compile(_NUMBER_KEYS % re.escape(what.encode()))

    def _phones(self) -> dict[str, set[str]]:
        """Each phone of a seat with who sat there."""
        found: dict[str, set[str]] = {}
        marks = [mark for segment in self._window.segments for mark in segment.marks]
        for mark in (self._window.state.configured, SeatsMark(self._window.state.operators, ()), *marks):
            if isinstance(mark, ConfiguredMark):
                for seat in mark.configuration.seats:
                    found.setdefault(seat.extension, set())
            elif isinstance(mark, SeatsMark):
                for phone, name in mark.taken.items():
                    found.setdefault(phone, set()).add(name)
        return found

    def _last_call(self, phones: Collection[str]) -> bytes | None:
        """The id of the newest channel of a seat's phone."""
        if not phones:
            return None
        pattern = re.compile(rb"Event: Newchannel\r\n(?s:.*)" + _of_phones(phones))
        last = None
        for message in self._window.messages():
            if pattern.match(message.raw):
                ids = [one for one in _IDS.findall(message.raw) if one not in _NOBODY]
                last = ids[-1] if ids else last
        return last

    def _ids_and_times(self, named: Callable[[bytes], object]) -> ReportRange | None:
        """From the first to the last message on the channels that are named beside what was asked for."""
        ids: set[bytes] = set()
        for message in self._calls():
            if named(message.raw):
                ids.update(_IDS.findall(message.raw))
        ids -= _NOBODY
        times = [message.time for message in self._calls() if not ids.isdisjoint(_IDS.findall(message.raw))]
        return ReportRange(times[0], times[-1]) if times else None

    def _calls(self) -> Iterator[KeptMessage]:
        """Events as they happened: not the entries of lists."""
        for message in self._window.messages():
            if message.raw.startswith(b"Event: ") and b"\r\nActionID: " not in message.raw:
                yield message

    def make(
        self,
        found: ReportRange,
        about: dict[str, Any],
        log: RecentLog,
        secrets: tuple[str, ...],
        *,
        mask: bool,
    ) -> dict[str, Any]:
        """The report as a document. `secrets` are not to be in the log's lines."""
        extract = Extract(self._window, found.begin, found.end, Mask() if mask else None)
        pieces = [base64.b64encode(zlib.compress(piece, 6)).decode("ascii") for piece in extract.transcript()]
        lines = log.between(found.begin - LOG_AROUND, found.end + LOG_AROUND, secrets, mask=mask)
        counts = {
            "masked": mask,
            "from": _iso(found.begin),
            "to": _iso(found.end),
            "messages": extract.messages,
            "left_out": extract.left_out,
            "bytes": extract.size,
            "log_lines": len(lines),
        }
        return {
            "about": about | counts,
            "configurations": [
                {"file": name, "xml": xml[at : at + LONGEST_PART]}
                for name, xml in extract.configurations.items()
                for at in range(0, len(xml), LONGEST_PART)
            ],
            "marks": extract.marks,
            "log": lines,
            "ami": pieces,
        }


def _of_phones(phones: Collection[str]) -> bytes:
    """An expression for a field with a channel of these phones."""
    names = b"|".join(re.escape(phone.encode()) for phone in sorted(phones))
    return rb"\r\n[A-Za-z0-9]+: (?:%s)(?:-[0-9a-f]+|(?=\r\n|\Z))" % names


def _numbers_ending(end: str, what: str) -> Callable[[bytes], object]:
    """Whether a message has a number that ends as this one: one of them may have a country's code."""
    numbers = re.compile(_NUMBERS % written_anyhow(end)).findall
    return lambda raw: any(end_alike(number.decode("utf-8", "replace"), what) for number in numbers(raw))


def _range(what: str, now: float) -> ReportRange | None:
    """A range of times of today, or of moments; None for anything else."""
    if found := _TIMES.fullmatch(what):
        today = datetime.fromtimestamp(now).date().isoformat()
        begin, end = (datetime.fromisoformat(f"{today}T{text.zfill(5)}") for text in found.groups())
        if begin > end:  # over midnight
            begin -= timedelta(days=1)
        return ReportRange(begin.timestamp(), end.timestamp())
    if found := _MOMENTS.fullmatch(what):
        first, last = (datetime.fromisoformat(text).timestamp() for text in found.groups())
        return ReportRange(first, last)
    return None


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(moment))
