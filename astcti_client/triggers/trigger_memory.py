"""What this user's client carried out, and up to which event: so that a new process repeats nothing.

A line stands for each trigger that was begun (`b`), for each that is over, carried out or not (`d`), and
for the place up to which events were handled (`h`). It ends in a full stop: what was cut off is no line.
Of calls and servers it has hashes alone. No clock, and no I/O but for the store it is given; for one thread.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from typing import Final, Literal, TypeVar

from astcti_client.resume_position import ResumePosition
from astcti_client.triggers.memory_file import LineStore
from schemas.events import Action, CallEvent
from schemas.protocol import MOST_SEQ

MOST_TRIGGERS: Final = 2000
"""Remembered; far more than the calls one phone has in a day."""
MOST_PLACES: Final = 50
"""Servers and users whose place is remembered."""
LONG: Final = 10_000
"""Lines after which the file is written anew."""
_MARK: Final = re.compile(r"(?P<what>[bd]) (?P<mark>[0-9a-f]{32}) \.")
_PLACE: Final = re.compile(
    r"h (?P<place>[0-9a-f]{32}) (?P<epoch>[0-9a-f]{16}) (?P<seq>[0-9]{1,10}) (?P<known>[0-9]{1,10}) \."
)

Value = TypeVar("Value")
TriggerState = Literal["new", "taken", "interrupted", "over"]
"""`taken`: by this process, and not over yet; `interrupted`: begun by an earlier one that ended meanwhile."""


class TriggerMemory:
    """Which triggers were begun and are over, and up to where events were handled, by server and user."""

    def __init__(self, store: LineStore) -> None:
        """Read what there is."""
        self._store = store
        self._over: OrderedDict[str, bool] = OrderedDict()
        """By the mark of a trigger whether it is over; the oldest first."""
        self._places: OrderedDict[str, ResumePosition] = OrderedDict()
        self._taken: set[str] = set()
        self.place = ""
        """The hash of the server and user that it is about."""
        self._lines = self._read_into(self._over, self._places)
        if self._lines > len(self._over) + len(self._places):
            self._write_anew()

    def enter(self, place: str) -> None:
        """From now on it is about this server and user; `place` names both."""
        self.place = _hashed(place)

    def position(self, place: str = "") -> ResumePosition | None:
        """Up to where events were handled there, or at the place of this hash; None if that is not known."""
        return self._places.get(place or self.place)

    def mark(self, event: CallEvent, action: Action) -> str:
        """What stands for a trigger of an event: the same for each time that it is told."""
        call = event.call
        other = call.connected.uniqueid if call.connected else call.calleridnum
        key = action.key or repr(action)
        return _hashed(self.place, call.uniqueid, other, event.id, key)

    def state(self, mark: str) -> TriggerState:
        """Whether it was begun, and is over."""
        if mark in self._taken:
            return "taken"
        over = self._over.get(mark)
        if over is None:
            return "new"
        return "over" if over else "interrupted"

    def take(self, mark: str) -> None:
        """This process decides about it from now on. If it is killed before, another one does."""
        self._taken.add(mark)

    def begin(self, mark: str) -> None:
        """It is about to be carried out. If the process is killed now nobody knows whether it was."""
        self._keep(mark, over=False)

    def end(self, mark: str) -> None:
        """It was carried out, or will not be."""
        self._taken.discard(mark)
        self._keep(mark, over=True)

    def handled(self, place: str, position: ResumePosition) -> None:
        """Events were handled up to there, at the place of this hash."""
        if position == self._places.get(place):
            return
        _put(self._places, place, position, MOST_PLACES)
        self._write(_place_line(place, position))

    def _keep(self, mark: str, *, over: bool) -> None:
        _put(self._over, mark, over, MOST_TRIGGERS)
        self._write(_mark_line(mark, over=over))

    def _write(self, line: str) -> None:
        self._store.append(line.encode())
        self._lines += 1
        if self._lines > LONG:
            self._write_anew()

    def _write_anew(self) -> None:
        """Leave out what was replaced or is too old; keep what another client added meanwhile."""
        over: OrderedDict[str, bool] = OrderedDict()
        places: OrderedDict[str, ResumePosition] = OrderedDict()
        self._read_into(over, places)
        for mark, is_over in self._over.items():
            _put(over, mark, is_over or over.get(mark, False), MOST_TRIGGERS)
        for place, position in self._places.items():
            _put(places, place, position, MOST_PLACES)
        lines = [_mark_line(mark, over=is_over) for mark, is_over in over.items()]
        lines += [_place_line(place, position) for place, position in places.items()]
        self._store.replace("".join(lines).encode())
        self._lines = len(lines)

    def _read_into(self, over: OrderedDict[str, bool], places: OrderedDict[str, ResumePosition]) -> int:
        """Take in what stands in the store; how many lines that are. What makes no sense is passed over."""
        count = 0
        for line in self._store.read().decode("ascii", "replace").splitlines():
            count += bool(line)
            if found := _MARK.fullmatch(line):
                _put(over, found["mark"], found["what"] == "d", MOST_TRIGGERS)
            elif found := _PLACE.fullmatch(line):
                seq, known = int(found["seq"]), int(found["known"])
                if seq <= known <= MOST_SEQ:
                    _put(places, found["place"], ResumePosition(found["epoch"], seq, known), MOST_PLACES)
        return count


def _put(kept: OrderedDict[str, Value], name: str, value: Value, most: int) -> None:
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > most:
        kept.popitem(last=False)


def _hashed(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _mark_line(mark: str, *, over: bool) -> str:
    return f"{'d' if over else 'b'} {mark} .\n"


def _place_line(place: str, position: ResumePosition) -> str:
    return f"h {place} {position.epoch} {position.seq} {position.known} .\n"
