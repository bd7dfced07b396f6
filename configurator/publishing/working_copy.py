"""The configuration being edited, between the tables and the model that the three programs share.

`read_working_copy` reads all of it; `replacement.py` makes the tables equal to another one.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, Model

from configurator import audit_log, models
from configurator.database import change_marks
from configurator.publishing import entry_parts
from configurator.publishing.entry_parts import EntryPart
from schemas.configuration import model as schema
from schemas.configuration.checks import PartPlaces

AT_ONCE = 500
"""Rows that one statement names: not every SQLite takes ten thousand."""


@contextmanager
def writing() -> Iterator[None]:
    """A transaction over both files: the configuration, and the audit log that tells of it.

    Always in this order, and each begins with the lock for writing: two that write wait for one another
    instead of each for the file that the other has.
    """
    with transaction.atomic("configuration"), transaction.atomic("default"):
        yield


@contextmanager
def writing_much() -> Iterator[None]:
    """The same for what takes longer: who only reads does not wait, nor who saves a session.

    The audit log is written at the end, before the configuration is committed.
    """
    with transaction.atomic("configuration"), audit_log.gathered_entries():
        yield


class WorkingCopy(NamedTuple):
    """All of the configuration, and which rows its parts come from."""

    configuration: schema.Configuration
    places: PartPlaces
    names: dict[str, dict[int, str]]
    """Kind, row, name: to say of a complaint what it is about."""
    digest: str
    """A mark of all that it says, to notice that it changed between looking and doing."""


MOST_TRIES = 5
"""How often all is read again that somebody wrote meanwhile; then writers wait."""


def read_working_copy() -> WorkingCopy:
    """Everything, in the order in which it was entered, as it stood at one moment.

    What was not changed since is not read again. Any thread; the lists and dictionaries are shared: nobody
    changes them.
    """
    for _ in range(MOST_TRIES):
        marks = change_marks.read_marks()
        parts = [entry_parts.read_part(name, marks[name]) for name in change_marks.PARTS]
        if change_marks.read_marks() == marks:  # else somebody wrote in between
            return _joined(parts, marks)
    with transaction.atomic("configuration"):
        marks = change_marks.read_marks()
        return _joined([entry_parts.read_part(name, marks[name]) for name in change_marks.PARTS], marks)


_lock = threading.Lock()
_last: tuple[list[EntryPart], WorkingCopy] | None = None


def _joined(parts: list[EntryPart], marks: dict[str, str]) -> WorkingCopy:
    """The parts as one; the same object as long as nothing changes."""
    global _last
    with _lock:
        known = _last
    if known is not None and all(mine is its for mine, its in zip(parts, known[0], strict=True)):
        return known[1]
    copy = _made_of(parts, marks)
    with _lock:
        _last = (parts, copy)
    return copy


def _made_of(parts: list[EntryPart], marks: dict[str, str]) -> WorkingCopy:
    services, seats, operators, reasons = parts
    values: tuple[schema.Service, ...] = services.values
    places = PartPlaces(
        unit="#",
        services=services.rows,
        variables=[[row] * len(its.variables) for row, its in zip(services.rows, values, strict=True)],
        triggers=[[row] * len(its.triggers) for row, its in zip(services.rows, values, strict=True)],
        bindings=[[row] * len(its.operators) for row, its in zip(services.rows, values, strict=True)],
        seats=seats.rows,
        operators=operators.rows,
        reasons=reasons.rows,
    )
    names = dict.fromkeys(("service", "variable", "trigger", "binding"), services.names)
    names |= {"seat": seats.names, "operator": operators.names, "reason": reasons.names}
    configuration = schema.Configuration(
        services=values, seats=seats.values, operators=operators.values, pause_reasons=reasons.values
    )
    return WorkingCopy(configuration, places, names, _digest_of_marks(marks))


def present_digest() -> str:
    """`WorkingCopy.digest` of what stands here now."""
    return _digest_of_marks(change_marks.read_marks())


def _digest_of_marks(marks: dict[str, str]) -> str:
    return digest_of(*(marks[part] for part in change_marks.PARTS))


def digest_of(*said: str) -> str:
    """A mark of several texts together."""
    return hashlib.sha256(repr(said).encode()).hexdigest()


def configuration() -> schema.Configuration:
    """Read everything as the shared model; it may be invalid."""
    return read_working_copy().configuration


def is_empty() -> bool:
    """Tell whether nothing was entered yet."""
    tables = (models.Service, models.Seat, models.Operator, models.PauseReason)
    return not any(table.objects.exists() for table in tables)


def raise_revisions(rows: Iterable[Model]) -> None:
    """Note that what a row's form shows was changed elsewhere: who has the form open is told when saving."""
    by_table: dict[type[Model], list[int]] = defaultdict(list)
    for row in rows:
        by_table[type(row)].append(row.pk)
    for table, numbers in by_table.items():
        for chosen in portions(numbers):
            table._default_manager.filter(pk__in=chosen).update(revision=F("revision") + 1)


def portions(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """So many rows after one another as one statement may name."""
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))
