"""Seats and operators from CSV: first a dry run that lists every bad row, then all rows or none.

The first line names the columns, in any order; commas or semicolons. `csv_file.CSV_COLUMNS` are known.
Rows are matched by MAC or user name, so that the same file can be imported again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, get_args

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from configurator import models
from configurator.checks import entry_checks
from configurator.checks.translation import capitalized, translated_for_form
from configurator.importing.csv_file import BadRow, CsvFile, UserPassword
from configurator.publishing import differences, working_copy
from configurator.publishing.differences import FieldChange
from schemas import mac_address, passwords, scram
from schemas.configuration import formats
from schemas.configuration.checks import check_configuration
from schemas.configuration.defaults import address_or_text, mac_or_text
from schemas.configuration.model import AnswerWay, Seat
from schemas.passwords import StoredForms
from schemas.sentences import said

YES, NO = ("1", "true", "yes", "si", "sì"), ("0", "false", "no", "")


class GoodRow(NamedTuple):
    """A row that would be imported, and what it would change; nothing where all is as it says already."""

    line: int
    name: str
    new: bool
    changes: tuple[FieldChange, ...]


class CsvImport(NamedTuple):
    """The outcome; nothing was stored if there is a bad row."""

    good: tuple[GoodRow, ...]
    bad: tuple[BadRow, ...]


class _Row(NamedTuple):
    """A row that is good in itself."""

    line: int
    name: str
    entry: Any
    before: dict[str, differences.FieldValue]
    """What the entry says now; nothing for a new one."""


class _Undo(Exception):
    """Ends a dry run."""


def import_csv(file: CsvFile, *, store: bool) -> CsvImport:
    """Check what was read, and store it only with `store`, as it was read, and without a bad row.

    The server's checks are asked once the rows are in the tables, since rows may depend on one another; a
    dry run and a bad row undo that. Within `writing`.
    """
    kind, lines, bad = file.kind, file.lines, list(file.bad)
    rows = _checked_rows(file, bad)
    named = {mac_or_text(values["mac"]) for _, values in lines} if kind == "seats" else set()
    if kind == "seats" and rows:
        rows = _with_free_phones(rows, named, bad)
    good = [_good(kind, row) for row in rows]
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


def _checked_rows(file: CsvFile, bad: list[BadRow]) -> list[_Row]:
    """Make an entry of each row, and check it alone."""
    kind, lines = file.kind, file.lines
    found: dict[str, _Row] = {}
    if not lines:
        return []
    seats = {seat.mac: seat for seat in models.Seat.objects.all()}
    operators: dict[str, models.Operator] = {}
    if kind == "operators":
        known_ones = models.Operator.objects.select_related("seat")
        operators = {operator.username: operator for operator in known_ones}
    for line, values in lines:
        name = values["mac"] if kind == "seats" else values["username"]
        try:
            name = mac_address.canonical(name) if kind == "seats" else name
            if name in found:
                raise ValueError(_("This entry stands twice in the file."))
            known = seats.get(name) if kind == "seats" else operators.get(name)
            before = _describe(kind, known) if known else {}
            entry = _seat(values, name, known) if kind == "seats" else _operator(values, known, seats, file)
            _check_fields(entry)
            found[name] = _Row(line, name, entry, before)
        except ValueError as error:
            bad.append(BadRow(line, name[:80], capitalized(translated_for_form(error.args[0]))))
    return list(found.values())


def _with_free_phones(rows: list[_Row], named: set[str], bad: list[BadRow]) -> list[_Row]:
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


def _describe(kind: str, entry: Any) -> dict[str, differences.FieldValue]:
    if kind == "seats":
        return differences.describe_seat(working_copy.seat_value(entry))
    return differences.describe_operator(working_copy.operator_value(entry))


def _good(kind: str, row: _Row) -> GoodRow:
    changes = differences.field_changes(row.before, _describe(kind, row.entry))
    return GoodRow(row.line, row.name, row.entry.pk is None, changes)


def _free_extensions(rows: list[_Row], named: set[str]) -> None:
    """Take the phones from the seats of the file that do not keep theirs, those of bad rows among them."""
    stay = {row.name for row in rows if row.before.get("Extension") == row.entry.extension}
    for seat in models.Seat.objects.all():
        if seat.mac in named and seat.mac not in stay:
            working_copy.free_extension_of(seat)


def _store(rows: list[_Row]) -> None:
    for row in rows:
        if row.entry.pk:
            row.entry.raise_revision()
        row.entry.save()


def _check_fields(entry: Any) -> None:
    """Check each value alone, as its field in the form does."""
    for field in entry._meta.fields:
        value = getattr(entry, field.attname)
        for validator in field.validators if isinstance(value, str) and value else ():
            _validate(field, validator, value)


def _validate(field: Any, validator: Callable[[Any], None], value: str) -> None:
    try:
        validator(value)
    except ValidationError as error:
        raise ValueError(f"{field.verbose_name}: {' '.join(map(str, error.messages))}") from None


def _seat(row: dict[str, str], mac: str, known: models.Seat | None) -> models.Seat:
    seat = known or models.Seat(mac=mac)
    seat.extension = row["extension"]
    wrong = formats.check_extension(seat.extension)
    if wrong:
        raise ValueError(f"{_('Extension')}: {translated_for_form(wrong)}")
    seat.description = row.get("description", seat.description)
    seat.address = address_or_text(row.get("address", seat.address))
    seat.queue_interface = row.get("queue-interface", seat.queue_interface)
    seat.state_interface = row.get("state-interface", seat.state_interface)
    seat.answer = row.get("answer", seat.answer) or "none"
    if seat.answer not in (ways := get_args(AnswerWay)):
        raise ValueError(
            said(
                "{column} has to be one of {words}, not {value!r}",
                column="answer",
                words=", ".join(ways),
                value=seat.answer[:80],
            )
        )
    return seat


def _operator(
    row: dict[str, str], known: models.Operator | None, seats: dict[str, models.Seat], file: CsvFile
) -> models.Operator:
    username = row["username"]
    if not username:
        raise ValueError(_("The user name is empty."))
    operator = known or models.Operator(username=username)
    operator.full_name = row["full-name"]
    wrong = formats.check_name(operator.full_name)
    if wrong:
        raise ValueError(f"{_('Full name')}: {translated_for_form(wrong)}")
    if row.get("seat"):
        operator.seat = seats.get(mac_address.canonical(row["seat"]))
        if operator.seat is None:
            raise ValueError(_("There is no seat with MAC %(mac)s.") % {"mac": row["seat"]})
    elif "seat" in row:
        operator.seat = None
    for column, field in (("begin-in-pause", "begin_in_pause"), ("enabled", "enabled")):
        if column in row:
            setattr(operator, field, _boolean(column, row[column]))
    operator.store_password(_password(row, operator, file.hashed))
    return operator


def _boolean(column: str, text: str) -> bool:
    if text.lower() in YES:
        return True
    if text.lower() in NO:
        return False
    raise ValueError(_("%(column)s is yes or no, not %(value)s") % {"column": column, "value": text[:40]})


def _password(
    row: dict[str, str], operator: models.Operator, hashed: dict[UserPassword, StoredForms]
) -> StoredForms:
    text, keys = row.get("password", ""), row.get("scram", "")
    stored = text.startswith(("md5:", "scrypt:"))
    if keys and not stored:
        raise ValueError(_("scram stands only beside a password that is stored already (md5: or scrypt:)."))
    if not text:
        if operator.password:
            return StoredForms(operator.password, operator.scram)
        raise ValueError(_("A new operator needs a password."))
    if not stored:
        return hashed.get((operator.username, text)) or passwords.make_stored_forms(text)
    if wrong := passwords.check_stored_password(text):
        raise ValueError(f"{_('Password')}: {translated_for_form(wrong)}")
    if keys and (wrong := scram.check_stored_keys(keys)):
        raise ValueError(f"scram: {translated_for_form(wrong)}")
    if not keys and text == operator.password:
        return StoredForms(text, operator.scram)
    return StoredForms(text, keys)


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
