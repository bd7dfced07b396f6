"""Seats and operators from CSV: first a dry run that lists every bad row, then all rows or none.

The first line names the columns, in any order; commas or semicolons. Known ones stand in COLUMNS. Rows are
matched by MAC or user name, so that the same file can be imported again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from configurator import differences, models, working_copy
from configurator.differences import FieldChange
from configurator.server_words import capital, words
from schemas import configuration_formats as formats
from schemas import mac_address, passwords
from schemas.configuration import Configuration
from schemas.configuration_checks import Places, check
from schemas.configuration_values import address_or_text

COLUMNS = {
    "seats": ("mac", "extension", "description", "address", "queue-interface", "state-interface"),
    "operators": ("username", "full-name", "password", "seat", "begin-in-pause", "enabled"),
}
NEEDED = {"seats": ("mac", "extension"), "operators": ("username", "full-name")}
MOST_ROWS = 20_000
YES, NO = ("1", "true", "yes", "si", "sì"), ("0", "false", "no", "")


class Bad(NamedTuple):
    """A row that cannot be imported."""

    line: int
    name: str
    message: str


class Good(NamedTuple):
    """A row that would be imported, and what it would change; nothing where all is as it says already."""

    line: int
    name: str
    new: bool
    changes: tuple[FieldChange, ...]


class Run(NamedTuple):
    """The outcome; nothing was stored if there is a bad row."""

    good: tuple[Good, ...]
    bad: tuple[Bad, ...]


class _Undo(Exception):
    """Ends a dry run."""


def run(kind: str, data: bytes, *, store: bool) -> Run:
    """Read a file's bytes; `kind` is seats or operators. Stores only with `store` and without a bad row."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Run((), (Bad(0, "", _("The file is not in UTF-8.")),))
    rows, bad = _rows(kind, text)
    good: list[Good] = []
    seen: set[str] = set()
    try:
        with transaction.atomic("configuration"):
            for line, row in rows:
                _take(kind, line, row, good, bad, seen)
            bad += _judge(kind, {one.name: one.line for one in good})
            if bad or not store:
                raise _Undo
    except _Undo:
        pass
    return Run(tuple(good), tuple(sorted(bad)))


def _rows(kind: str, text: str) -> tuple[list[tuple[int, dict[str, str]]], list[Bad]]:
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[int, dict[str, str]]] = []
    bad: list[Bad] = []
    try:
        heads = [one.strip().lower().replace("_", "-") for one in next(reader, [])]
        unknown = [one for one in heads if one not in COLUMNS[kind]]
        missing = [one for one in NEEDED[kind] if one not in heads]
        if unknown or missing or len(set(heads)) != len(heads):
            message = _("The first line has to name the columns: %(columns)s") % {
                "columns": ", ".join(COLUMNS[kind])
            }
            return [], [Bad(1, ", ".join(unknown or missing), message)]
        for row in reader:
            if not any(one.strip() for one in row):
                continue
            if len(row) != len(heads):
                message = _("%(found)d values stand where there are %(wanted)d columns.")
                bad.append(
                    Bad(reader.line_num, row[0][:80], message % {"found": len(row), "wanted": len(heads)})
                )
                continue
            rows.append((reader.line_num, dict(zip(heads, (one.strip() for one in row), strict=True))))
            if len(rows) > MOST_ROWS:
                return [], [Bad(reader.line_num, "", _("The file has too many rows."))]
    except csv.Error as error:
        bad.append(Bad(reader.line_num, "", str(error)))
    return rows, bad


def _take(
    kind: str, line: int, row: dict[str, str], good: list[Good], bad: list[Bad], seen: set[str]
) -> None:
    name = row["mac"] if kind == "seats" else row["username"]
    try:
        name, entry = (_seat if kind == "seats" else _operator)(row)
        if name in seen:
            raise ValueError(_("This entry stands twice in the file."))
        _fields(entry)
        seen.add(name)
        good.append(Good(line, name, entry.pk is None, _store(kind, entry)))
    except ValueError as error:
        bad.append(Bad(line, name[:80], capital(str(error))))


def _store(kind: str, entry: Any) -> tuple[FieldChange, ...]:
    describe: Callable[[Any], Any] = (
        (lambda one: differences.describe_seat(working_copy.seat_value(one)))
        if kind == "seats"
        else (lambda one: differences.describe_operator(working_copy.operator_value(one)))
    )
    table = type(entry)
    before = describe(table.objects.get(pk=entry.pk)) if entry.pk else {}
    changes = differences.changes(before, describe(entry))
    if changes:
        entry.revision += 1 if entry.pk else 0
        entry.save()
    return changes


def _fields(entry: Any) -> None:
    """Judge each value alone, as its field in the form does."""
    for field in entry._meta.fields:
        value = getattr(entry, field.attname)
        for validator in field.validators if isinstance(value, str) and value else ():
            _validate(field, validator, value)


def _validate(field: Any, validator: Callable[[Any], None], value: str) -> None:
    try:
        validator(value)
    except ValidationError as error:
        raise ValueError(f"{field.verbose_name}: {' '.join(map(str, error.messages))}") from None


def _seat(row: dict[str, str]) -> tuple[str, models.Seat]:
    mac = mac_address.canonical(row["mac"])
    seat = models.Seat.objects.filter(mac=mac).first() or models.Seat(mac=mac)
    seat.extension = row["extension"]
    wrong = formats.extension(seat.extension)
    if wrong:
        raise ValueError(f"{_('Extension')}: {words(wrong)}")
    other = models.Seat.objects.filter(extension=seat.extension).exclude(pk=seat.pk).first()
    if other is not None:
        raise ValueError(
            _("extension %(value)s already belongs to seat %(where)s")
            % {"value": seat.extension, "where": other.mac}
        )
    seat.description = row.get("description", seat.description)
    seat.address = address_or_text(row.get("address", seat.address))
    seat.queue_interface = row.get("queue-interface", seat.queue_interface)
    seat.state_interface = row.get("state-interface", seat.state_interface)
    return mac, seat


def _operator(row: dict[str, str]) -> tuple[str, models.Operator]:
    username = row["username"]
    if not username:
        raise ValueError(_("The user name is empty."))
    operator = models.Operator.objects.filter(username=username).first() or models.Operator(username=username)
    operator.full_name = row["full-name"]
    wrong = formats.name(operator.full_name)
    if wrong:
        raise ValueError(f"{_('Full name')}: {words(wrong)}")
    if row.get("seat"):
        operator.seat = models.Seat.objects.filter(mac=mac_address.canonical(row["seat"])).first()
        if operator.seat is None:
            raise ValueError(_("There is no seat with MAC %(mac)s.") % {"mac": row["seat"]})
    elif "seat" in row:
        operator.seat = None
    for column, field in (("begin-in-pause", "begin_in_pause"), ("enabled", "enabled")):
        if column in row:
            setattr(operator, field, _boolean(column, row[column]))
    operator.password = _password(row.get("password", ""), operator)
    return username, operator


def _boolean(column: str, text: str) -> bool:
    if text.lower() in YES:
        return True
    if text.lower() in NO:
        return False
    raise ValueError(_("%(column)s is yes or no, not %(value)s") % {"column": column, "value": text[:40]})


def _password(text: str, operator: models.Operator) -> str:
    if not text:
        if operator.password:
            return operator.password
        raise ValueError(_("A new operator needs a password."))
    if text.startswith(("md5:", "scrypt:")):
        wrong = passwords.check(text)
        if wrong:
            raise ValueError(f"{_('Password')}: {wrong}")
        return text
    return passwords.make(text)


def _judge(kind: str, lines: dict[str, int]) -> list[Bad]:
    """The server's own checks, over everything as it would be."""
    configuration: Configuration = working_copy.configuration()
    places = Places.counted(configuration)
    entries: Any = configuration.seats if kind == "seats" else configuration.operators
    names = [one.mac if kind == "seats" else one.username for one in entries]
    wanted = "seat" if kind == "seats" else "operator"
    found = []
    for complaint in check(configuration, places):
        name = names[complaint.place - 1] if complaint.kind == wanted else ""
        if name in lines:
            found.append(Bad(lines[name], name, capital(words(complaint.message))))
    return found
