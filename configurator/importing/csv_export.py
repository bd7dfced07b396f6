"""Lists as CSV, and files to fill in: in the columns that an import takes, where there is one."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from configurator import models
from configurator.importing.csv_file import CSV_COLUMNS
from configurator.importing.csv_text import write_cell
from configurator.importing.service_words import ServiceNames
from configurator.sections.section import Section

EXAMPLES = {
    "seats": ("00:11:22:33:44:55", "PJSIP/201", "First row", "", "", "", ""),
    "operators": ("mario", "Mario Rossi", "secret", "", "", "no", "yes", "sales:1;support:3"),
}
"""The row under the heads of a file to fill in."""
_NEVER_OUT = ("password", "scram")
"""Columns that an import takes and nothing shows again."""


def write_csv(rows: Iterable[Sequence[str]], separator: str) -> bytes:
    """A file that spreadsheets take for UTF-8, whatever their language."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows([write_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def file_to_fill_in(kind: str, separator: str) -> bytes:
    """The heads of an import, with one example."""
    return write_csv([CSV_COLUMNS[kind], EXAMPLES[kind]], separator)


def exported_rows(section: Section, entries: Iterable[Any]) -> list[Sequence[str]]:
    """The heads and a row for each of these entries of `rows`."""
    if section.key == "operators":
        return _table(section.key, _operator_cells(ServiceNames()), entries)
    if section.key == "seats":
        return _table(section.key, _seat_cells, entries)
    if section.key == "services":
        return _services(entries)
    rows: list[Sequence[str]] = [[column.key.replace("_", "-") for column in section.columns]]
    return rows + [[_text(column.value(entry)) for column in section.columns] for entry in entries]


def _table(kind: str, cells: Callable[[Any], dict[str, str]], entries: Iterable[Any]) -> list[Sequence[str]]:
    columns = [column for column in CSV_COLUMNS[kind] if column not in _NEVER_OUT]
    found: list[Sequence[str]] = [columns]
    for entry in entries:
        said = cells(entry)
        found.append([said[column] for column in columns])
    return found


def _seat_cells(seat: models.Seat) -> dict[str, str]:
    return {
        "mac": seat.mac,
        "extension": seat.extension,
        "description": seat.description,
        "address": seat.address,
        "queue-interface": seat.queue_interface,
        "state-interface": seat.state_interface,
        "answer": seat.answer,
    }


def _operator_cells(services: ServiceNames) -> Callable[[models.Operator], dict[str, str]]:
    return lambda operator: {
        "username": operator.username,
        "full-name": operator.full_name,
        "seat": operator.seat.mac if operator.seat else "",
        "begin-in-pause": _text(operator.begin_in_pause),
        "enabled": _text(operator.enabled),
        "services": services.write(
            (binding.service_id, binding.penalty) for binding in operator.bindings.all()
        ),
    }


def _services(entries: Iterable[models.Service]) -> list[Sequence[str]]:
    bound: dict[int, list[str]] = {}
    bindings = models.ServiceOperator.objects.values_list("service_id", "operator__username", "penalty")
    for pk, username, penalty in bindings:
        bound.setdefault(pk, []).append(f"{username}:{penalty}")
    heads = ("name", "context", "type", "queue", "may-leave", "enabled", "operators")
    rows: list[Sequence[str]] = [heads]
    for service in entries:
        ticks = (_text(service.may_leave), _text(service.enabled))
        operators = ";".join(bound.get(service.pk, ()))
        rows.append((service.name, service.context, service.type, service.queue, *ticks, operators))
    return rows


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
