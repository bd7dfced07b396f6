"""The rows of a CSV file as entries, each checked alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple, get_args

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from configurator import models
from configurator.checks.translation import capitalized, translated_for_form
from configurator.importing.csv_file import BadRow, CsvFile, UserPassword
from configurator.importing.service_words import Bindings, ServiceNames, described
from configurator.publishing import differences, entry_parts
from schemas import mac_address, passwords, scram
from schemas.configuration import formats
from schemas.configuration.defaults import address_or_text
from schemas.configuration.model import AnswerWay
from schemas.passwords import StoredForms
from schemas.sentences import said

YES = ("1", "true", "yes", "x", "si", "sì", "vero", "ja", "wahr", "oui", "vrai", "sí", "verdadero")
NO = ("0", "false", "no", "", "falso", "nein", "falsch", "non", "faux")
"""Spreadsheets write ticks in the words of their language."""


class CheckedRow(NamedTuple):
    """A row that is good in itself."""

    line: int
    name: str
    entry: Any
    before: dict[str, differences.FieldValue]
    """What the entry says now; nothing for a new one."""
    after: dict[str, differences.FieldValue]
    bindings: Bindings | None = None
    """An operator's services, where the file says them."""


def check_rows(file: CsvFile, bad: list[BadRow]) -> list[CheckedRow]:
    """Make an entry of each row, and check it alone."""
    kind, lines = file.kind, file.lines
    found: dict[str, CheckedRow] = {}
    if not lines:
        return []
    tables = _read_tables(kind, lines)
    for line, values in lines:
        name = values["mac"] if kind == "seats" else values["username"]
        try:
            name = mac_address.from_any_form(name) if kind == "seats" else name
            if name in found:
                raise ValueError(_("This entry stands twice in the file."))
            found[name] = _checked_row(file, _Line(line, name, values), tables)
        except ValueError as error:
            bad.append(BadRow(line, name[:80], capitalized(translated_for_form(error.args[0]))))
    return list(found.values())


class _Line(NamedTuple):
    """One row of the file."""

    line: int
    name: str
    values: dict[str, str]


class _Tables(NamedTuple):
    """What is there now, read once for a whole file."""

    seats: dict[str, models.Seat]
    operators: dict[str, models.Operator]
    services: ServiceNames | None
    """None where the file does not say operators' services."""
    bindings: dict[int, Bindings]


def _read_tables(kind: str, lines: list[tuple[int, dict[str, str]]]) -> _Tables:
    seats = {seat.mac: seat for seat in models.Seat.objects.all()}
    if kind == "operators":  # theirs is named by its extension, too, as in the form
        seats |= {seat.extension: seat for seat in seats.values()}
    operators: dict[str, models.Operator] = {}
    bindings: dict[int, Bindings] = defaultdict(dict)
    if kind == "operators":
        known_ones = models.Operator.objects.select_related("seat")
        operators = {operator.username: operator for operator in known_ones}
    if "services" not in lines[0][1]:
        return _Tables(seats, operators, None, bindings)
    bound = models.ServiceOperator.objects.values_list("operator_id", "service_id", "penalty")
    for operator_pk, service_pk, penalty in bound:
        bindings[operator_pk][service_pk] = penalty
    return _Tables(seats, operators, ServiceNames(), bindings)


def _checked_row(file: CsvFile, row: _Line, tables: _Tables) -> CheckedRow:
    known = tables.seats.get(row.name) if file.kind == "seats" else tables.operators.get(row.name)
    before = _describe(file.kind, known) if known else {}
    wanted: Bindings | None = None
    if file.kind == "seats":
        entry: Any = _seat(row.values, row.name, known)
    else:
        entry = _operator(row.values, known, tables.seats, file)
    _check_fields(entry)
    after = _describe(file.kind, entry)
    if tables.services is not None:
        wanted = tables.services.read(row.values["services"])
        if known:
            before["Service"] = described(tables.bindings[known.pk], tables.services)
        after["Service"] = described(wanted, tables.services)
    return CheckedRow(row.line, row.name, entry, before, after, wanted)


def _describe(kind: str, entry: Any) -> dict[str, differences.FieldValue]:
    if kind == "seats":
        return differences.describe_seat(entry_parts.seat_value(entry))
    return differences.describe_operator(entry_parts.operator_value(entry))


def mac_or_text(text: str) -> str:
    try:
        return mac_address.from_any_form(text)
    except ValueError:
        return text


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
        operator.seat = seats.get(mac_or_text(row["seat"]))
        if operator.seat is None:
            raise ValueError(_("There is no seat %(value)s.") % {"value": row["seat"][:80]})
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
