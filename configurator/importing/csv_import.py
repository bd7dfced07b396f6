"""Seats and operators from CSV: first a dry run that lists every bad row, then all rows or none.

The first line names the columns, in any order; commas or semicolons. `csv_file.CSV_COLUMNS` are known.
Rows are matched by MAC or user name, so that the same file can be imported again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from configurator import audit_log, models
from configurator.checks import entry_checks
from configurator.checks.translation import capitalized
from configurator.importing.csv_file import BadRow, CsvFile
from configurator.importing.csv_rows import CheckedRow, check_rows, mac_or_text
from configurator.importing.service_words import store_bindings
from configurator.publishing import differences, working_copy
from configurator.publishing.differences import FieldChange
from schemas.configuration.checks import check_configuration
from schemas.configuration.model import Seat


class GoodRow(NamedTuple):
    """A row that would be imported, and what it would change; nothing where all is as it says already."""

    line: int
    name: str
    new: bool
    changes: tuple[FieldChange, ...]
    entry_name: str
    """As the audit log calls it."""


class CsvImport(NamedTuple):
    """The outcome; nothing was stored if there is a bad row."""

    good: tuple[GoodRow, ...]
    bad: tuple[BadRow, ...]


class _Undo(Exception):
    """Ends a dry run."""


def import_csv(file: CsvFile, *, store: bool) -> CsvImport:
    """Check what was read, and store it only with `store`, as it was read, and without a bad row.

    The server's checks are asked once the rows are in the tables, since rows may depend on one another; a
    dry run and a bad row undo that. Within `writing`.
    """
    kind, lines, bad = file.kind, file.lines, list(file.bad)
    rows = check_rows(file, bad)
    named = {mac_or_text(values["mac"]) for _, values in lines} if kind == "seats" else set()
    if kind == "seats" and rows:
        rows = _with_free_phones(rows, named, bad)
    good = [_good(row) for row in rows]
    if not rows:  # the tables would stay as they are
        return CsvImport((), tuple(sorted(bad)))
    try:
        with transaction.atomic("configuration"):
            if kind == "seats":
                _free_extensions(rows, named)
            _store([row for row, said in zip(rows, good, strict=True) if said.changes])
            bad += _check_all(kind, {row.name: row.line for row in good})
            if bad or not store:
                raise _Undo
    except _Undo:
        pass
    return CsvImport(tuple(good), tuple(sorted(bad)))


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


def _free_extensions(rows: list[CheckedRow], named: set[str]) -> None:
    """Take the phones from the seats of the file that do not keep theirs, those of bad rows among them."""
    stay = {row.name for row in rows if row.before.get("Extension") == row.entry.extension}
    for seat in models.Seat.objects.all():
        if seat.mac in named and seat.mac not in stay:
            working_copy.free_extension_of(seat)


def _store(rows: list[CheckedRow]) -> None:
    for row in rows:
        if row.entry.pk:
            row.entry.raise_revision()
        row.entry.save()
    touched = store_bindings({row.entry: row.bindings for row in rows if row.bindings is not None})
    working_copy.raise_revisions(models.Service.objects.filter(pk__in=touched))


def audit_rows(actor: HttpRequest | str, kind: str, rows: Iterable[GoodRow]) -> None:
    """Note each entry that a file changed."""
    changed = [(row.entry_name, row.changes) for row in rows if row.changes]
    audit_log.record_many(actor, "import", kind.removesuffix("s"), changed)


def _check_all(kind: str, lines: dict[str, int]) -> list[BadRow]:
    """The server's own checks, over everything as it would be. Seats are named by MAC, and line."""
    copy = working_copy.read_working_copy()
    configuration, places = copy.configuration, copy.places
    macs = dict(zip(places.seats, (seat.mac for seat in configuration.seats), strict=True))
    seat_names = {row: _at(mac, lines[mac]) if mac in lines else mac for row, mac in macs.items()}
    names = {**copy.names, "seat": seat_names}
    if kind == "seats":
        wanted, keys = "seat", macs
        seats, rows = _with_imported_last(configuration.seats, places.seats, macs, lines)
        configuration, places = replace(configuration, seats=seats), replace(places, seats=rows)
    else:
        wanted, keys = "operator", copy.names["operator"]
    found: list[BadRow] = []
    for complaint in check_configuration(configuration, places):
        key = keys[complaint.place] if complaint.kind == wanted else ""
        if key in lines:
            message = capitalized(entry_checks.message_with_names(complaint, names))
            found.append(BadRow(lines[key], key, message))
    return found


def _with_imported_last(
    entries: tuple[Seat, ...], rows: list[int], macs: dict[int, str], lines: dict[str, int]
) -> tuple[tuple[Seat, ...], list[int]]:
    """Put those of the file behind the others, so that a complaint about two of them falls on a line."""
    both = sorted(zip(entries, rows, strict=True), key=lambda pair: lines.get(macs[pair[1]], 0))
    return tuple(seat for seat, _ in both), [row for _, row in both]
