"""What is picked from thousands: a service's operators and an operator's services, with their penalties.

A row is one field, `operator:mario` or `service:7`, whose value is the penalty; their order is the order in
which they were sent. That keeps a form of a thousand rows small.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from configurator import models
from configurator.database.text_order import folded_text
from configurator.importing.service_words import HIGHEST_PENALTY

MOST_PICKED = 20_000
"""Of one entry: as many as a CSV file may have. What is more is refused, never left out."""
MOST_UNKNOWN = 50
"""Names of a pasted list that are told to be unknown."""


class PickedRow(NamedTuple):
    """One row: the field's key, what is shown, the penalty as it was typed, and what is wrong."""

    key: str
    title: str
    detail: str
    penalty: str = "0"
    error: str = ""
    has_penalty: bool = True


def operator_row(operator: models.Operator, penalty: object = 0, error: str = "") -> PickedRow:
    """An operator as a row of a service."""
    return PickedRow(operator.username, operator.full_name, operator.username, str(penalty), error)


def service_row(service: models.Service, penalty: object = 0, error: str = "") -> PickedRow:
    """A service as a row of an operator."""
    detail = service.queue or service.context
    return PickedRow(str(service.pk), service.name, detail, str(penalty), error, bool(service.queue))


class Picked(NamedTuple):
    """What a form says."""

    rows: list[PickedRow]
    penalties: dict[str, int]
    """Key and penalty, in order, of the rows without a mistake."""
    pasted: str = ""
    """A list that was pasted and is not among them."""
    error: str = ""
    """What is wrong with all of it."""

    @property
    def blank(self) -> PickedRow:
        """What a row is made of in the browser."""
        return PickedRow("", "", "")

    @property
    def valid(self) -> bool:
        """Nothing is wrong in any row, and nothing would be lost."""
        return not self.error and not any(row.error for row in self.rows)


def picked_operators(data: Mapping[str, Any]) -> Picked:
    """A service's operators as its form says them."""
    sent = _sent(data, "operator:")
    known = models.Operator.objects.in_bulk(list(sent), field_name="username")
    rows, penalties = [], {}
    for username, typed in sent.items():
        penalty, error = _penalty(typed)
        if username not in known:
            error = _("There is no operator of this user name.")
            rows.append(PickedRow(username, username, "", typed, error))
            continue
        rows.append(operator_row(known[username], typed, error))
        penalties[username] = penalty
    return _picked(data, rows, penalties)


def picked_services(data: Mapping[str, Any]) -> Picked:
    """An operator's services as its form says them."""
    sent = _sent(data, "service:")
    numbers = [int(key) for key in sent if re.fullmatch("[0-9]{1,18}", key)]
    known = {str(pk): row for pk, row in models.Service.objects.in_bulk(numbers).items()}
    rows, penalties = [], {}
    for key, typed in sent.items():
        penalty, error = _penalty(typed)
        if key not in known:
            rows.append(PickedRow(key, key, "", typed, _("There is no such service any more.")))
            continue
        rows.append(service_row(known[key], typed, error))
        penalties[key] = penalty if known[key].queue else 0
    return _picked(data, rows, penalties)


def _picked(data: Mapping[str, Any], rows: list[PickedRow], penalties: dict[str, int]) -> Picked:
    pasted, error = str(data.get("pasted", "")), ""
    if len(rows) > MOST_PICKED:
        error = _("At most %(most)d can be chosen.") % {"most": MOST_PICKED}
    elif pasted.strip():
        error = _("The pasted list was not added: add it, or empty its field.")
    return Picked(rows, penalties, pasted, error)


def _sent(data: Mapping[str, Any], prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): str(data[key]).strip() for key in data if key.startswith(prefix)}


def _penalty(typed: str) -> tuple[int, str]:
    if re.fullmatch("[0-9]{0,10}", typed) and int(typed or 0) <= HIGHEST_PENALTY:
        return int(typed or 0), ""
    return 0, _("A penalty is a whole number from 0 to %(most)d.") % {"most": HIGHEST_PENALTY}


class PastedNames(NamedTuple):
    """What a list of names stands for."""

    rows: list[PickedRow]
    unknown: list[str]
    """As they were pasted."""


def pasted_rows(kind: str, text: str) -> PastedNames:
    """Rows of a list: names one a line or apart by commas, semicolons or tabs, a number behind its penalty.

    `kind` is operators, by user name or full name, or services, by name, context or queue. A line that is a
    name as a whole, such as `Rossi, Mario`, is that.
    """
    entries: Iterable[Any]
    if kind == "operators":
        entries = models.Operator.objects.all()
        named = _by_names(entries, lambda row: (row.username,), lambda row: (row.full_name,))
    else:
        entries = models.Service.objects.all()
        named = _by_names(entries, lambda row: (row.name,), lambda row: (row.queue, row.context))
    found: dict[str, PickedRow] = {}
    unknown = []
    for name, penalty in _names(text, named):
        entry = named.get(folded_text(name) or "")
        if entry is None:
            unknown.append(name if penalty == "0" else f"{name}:{penalty}")
            continue
        row = operator_row(entry, penalty) if kind == "operators" else service_row(entry, penalty)
        found[row.key] = row
    return PastedNames(list(found.values()), unknown)


_PENALTY_AT_END = re.compile(r"(.+?)\s*[:;\t]\s*([0-9]{1,10})")


def _names(text: str, named: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and penalties. `named` are the names that are known, folded."""
    found: list[tuple[str, str]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        told = _PENALTY_AT_END.fullmatch(line)
        for name, penalty in ((line, "0"), (told[1], told[2]) if told else ("", "")):
            if folded_text(name) in named:
                found.append((name, penalty))
                break
        else:
            found += _names_of_line(line)
    return found


def _names_of_line(line: str) -> list[tuple[str, str]]:
    """A number behind a semicolon or a tab is the penalty of the name before; behind a comma it is a name."""
    found: list[tuple[str, str]] = []
    for before, part in re.findall(r"([,;\t]|^)\s*([^,;\t]+)", line):
        told = re.fullmatch(r"(.+?)\s*:\s*([0-9]{1,10})", part.strip())
        if found and found[-1][1] == "" and before != "," and re.fullmatch("[0-9]{1,10}", part.strip()):
            found[-1] = (found[-1][0], part.strip())
        elif part.strip():
            found.append((told[1], told[2]) if told else (part.strip(), ""))
    return [(name, penalty or "0") for name, penalty in found]


def _by_names(entries: Iterable[Any], first: Any, then: Any) -> dict[str, Any]:
    """Entries by their names without case and accents; a name that means several means none."""
    found: dict[str, Any] = {}
    for names in (first, then):
        these: dict[str, Any] = {}
        for entry in entries:
            for name in filter(None, {folded_text(name) for name in names(entry)}):
                these[name] = None if name in these else entry
        found = {**these, **{name: entry for name, entry in found.items() if entry is not None}}
    return found
