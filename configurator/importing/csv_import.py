"""Seats and operators from CSV: first a dry run that lists every bad row, then all rows or none.

The first line names the columns, in any order; commas or semicolons. `csv_file.CSV_COLUMNS` are known.
Rows are matched by MAC or user name, so that the same file can be imported again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from django.http import HttpRequest
from django.utils.translation import gettext as _

from configurator import audit_log, models
from configurator.checks import entry_checks
from configurator.checks.translation import capitalized
from configurator.database.many_rows import update_rows
from configurator.importing.csv_file import BadRow, CsvFile
from configurator.importing.csv_rows import CheckedRow, check_rows, mac_or_text
from configurator.importing.service_words import store_bindings
from configurator.publishing import differences, entry_parts, replacement, working_copy
from configurator.publishing.differences import FieldChange
from configurator.publishing.working_copy import AT_ONCE, WorkingCopy
from schemas.configuration.model import Seat

EntryValue = TypeVar("EntryValue")


class GoodRow(NamedTuple):
    """A row that would be imported, and what it would change; nothing where all is as it says already."""

    line: int
    name: str
    new: bool
    changes: tuple[FieldChange, ...]
    entry_name: str
    """As the audit log calls it."""


class CsvImport(NamedTuple):
    """What a file would do; nothing is stored if there is a bad row."""

    good: tuple[GoodRow, ...]
    bad: tuple[BadRow, ...]
    rows: tuple[CheckedRow, ...]
    """The good rows, to be stored."""
    digest: str
    """`WorkingCopy.digest` of the entries that they were compared with."""

    @property
    def changed(self) -> list[GoodRow]:
        """The rows that change something."""
        return [row for row in self.good if row.changes]


def check_csv(file: CsvFile) -> CsvImport:
    """Say what a file that was read would do, by the server's checks of everything as it would be.

    Nothing is written and nobody waits, so that it is looked at before anything is locked.
    """
    kind, lines, bad = file.kind, file.lines, list(file.bad)
    copy = working_copy.read_working_copy()
    rows = check_rows(file, bad)
    named = {mac_or_text(values["mac"]) for _, values in lines} if kind == "seats" else set()
    if kind == "seats" and rows:
        rows = _with_free_phones(rows, named, bad)
    if rows:
        bad += _check_all(kind, rows, named, copy)
    return CsvImport(tuple(map(_good, rows)), tuple(sorted(bad)), tuple(rows), copy.digest)


def still_true(found: CsvImport, file: CsvFile) -> CsvImport:
    """The same, looked at again if somebody changed an entry since. Within `writing`."""
    return found if working_copy.present_digest() == found.digest else check_csv(file)


def store_csv(kind: str, found: CsvImport) -> None:
    """Store what was found good, with few statements. Within `writing`, of what is still true."""
    rows = [row for row, said in zip(found.rows, found.good, strict=True) if said.changes]
    there = [row.entry for row in rows if row.entry.pk]
    if kind == "seats":
        replacement.free_extensions(
            [row.entry.pk for row in rows if row.before and row.before["Extension"] != row.entry.extension]
        )
    update_rows(there)
    table = models.Seat if kind == "seats" else models.Operator
    table._default_manager.bulk_create([row.entry for row in rows if not row.entry.pk], batch_size=AT_ONCE)
    touched = store_bindings({row.entry: row.bindings for row in rows if row.bindings is not None})
    working_copy.raise_revisions(models.Service(pk=pk) for pk in touched)


def _with_free_phones(rows: list[CheckedRow], named: set[str], bad: list[BadRow]) -> list[CheckedRow]:
    """Leave out rows whose phone another seat would have in the end, so that two seats may exchange theirs.

    `named` are the seats of all rows, bad ones too: what those have now does not count.
    """
    owners = {seat.extension: seat.mac for seat in models.Seat.objects.all() if seat.mac not in named}
    free = []
    for row in rows:
        owner = owners.get(row.entry.extension)
        if owner is not None:
            message = _("extension %(value)s already belongs to seat %(where)s")
            bad.append(
                BadRow(
                    row.line, row.name, capitalized(message % {"value": row.entry.extension, "where": owner})
                )
            )
            continue
        owners[row.entry.extension] = _at(row.name, row.line)
        free.append(row)
    return free


def _at(mac: str, line: int) -> str:
    return _("%(mac)s (line %(line)d)") % {"mac": mac, "line": line}


def _good(row: CheckedRow) -> GoodRow:
    changes = differences.field_changes(row.before, row.after)
    return GoodRow(row.line, row.name, row.entry.pk is None, changes, str(row.entry))


def audit_rows(actor: HttpRequest | str, kind: str, rows: Iterable[GoodRow]) -> None:
    """Note each entry that a file changed."""
    changed = [(row.entry_name, row.changes) for row in rows if row.changes]
    audit_log.record_many(actor, "import", kind.removesuffix("s"), changed)


def _check_all(kind: str, rows: list[CheckedRow], named: set[str], copy: WorkingCopy) -> list[BadRow]:
    """The server's own checks, over everything as it would be. Seats are named by MAC, and line."""
    lines = {row.name: row.line for row in rows}
    configuration, places = copy.configuration, copy.places
    if kind == "seats":
        seats, numbers = _as_imported(
            configuration.seats, places.seats, rows, lambda row: entry_parts.seat_value(row.entry)
        )
        # What a bad row's seat has now says nothing of what it shall have.
        left = [at for at, seat in enumerate(seats) if seat.mac in lines or seat.mac not in named]
        seats, numbers = tuple(seats[at] for at in left), [numbers[at] for at in left]
        macs = dict(zip(numbers, (seat.mac for seat in seats), strict=True))
        seats, numbers = _with_imported_last(seats, numbers, macs, lines)
        configuration, places = replace(configuration, seats=seats), replace(places, seats=numbers)
        wanted, keys = "seat", macs
        names = {"seat": {at: _at(mac, lines[mac]) if mac in lines else mac for at, mac in macs.items()}}
    else:
        operators, numbers = _as_imported(
            configuration.operators, places.operators, rows, lambda row: entry_parts.operator_value(row.entry)
        )
        configuration = replace(configuration, operators=operators)
        places = replace(places, operators=numbers)
        wanted = "operator"
        keys = dict(zip(numbers, (operator.username for operator in operators), strict=True))
        names = {"operator": keys}
    found: list[BadRow] = []
    for complaint in entry_checks.complaints_of(configuration, places):
        key = keys[complaint.place] if complaint.kind == wanted else ""
        if key in lines:
            message = capitalized(entry_checks.message_with_names(complaint, {**copy.names, **names}))
            found.append(BadRow(lines[key], key, message))
    return found


def _as_imported(
    entries: tuple[EntryValue, ...],
    numbers: list[int],
    rows: list[CheckedRow],
    value: Callable[[CheckedRow], EntryValue],
) -> tuple[tuple[EntryValue, ...], list[int]]:
    """The entries with those of the file in their places; new ones have numbers of their own behind them."""
    found = dict(zip(numbers, entries, strict=True))
    free = max(numbers, default=0)
    for row in rows:
        free += not row.entry.pk
        found[row.entry.pk or free] = value(row)
    return tuple(found.values()), list(found)


def _with_imported_last(
    entries: tuple[Seat, ...], rows: list[int], macs: dict[int, str], lines: dict[str, int]
) -> tuple[tuple[Seat, ...], list[int]]:
    """Put those of the file behind the others, so that a complaint about two of them falls on a line."""
    both = sorted(zip(entries, rows, strict=True), key=lambda pair: lines.get(macs[pair[1]], 0))
    return tuple(seat for seat, _ in both), [row for _, row in both]
