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

MOST_PICKED = 5000  # of one entry; more than any call centre binds to a service


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

    @property
    def blank(self) -> PickedRow:
        """What a row is made of in the browser."""
        return PickedRow("", "", "")

    @property
    def valid(self) -> bool:
        """Nothing is wrong in any row."""
        return not any(row.error for row in self.rows)


def picked_operators(data: Mapping[str, Any]) -> Picked:
    """A service's operators as its form says them."""
    sent = _sent(data, "operator:")
    known = {row.username: row for row in models.Operator.objects.filter(username__in=sent)}
    rows, penalties = [], {}
    for username, typed in sent.items():
        penalty, error = _penalty(typed)
        if username not in known:
            error = _("There is no operator of this user name.")
            rows.append(PickedRow(username, username, "", typed, error))
            continue
        rows.append(operator_row(known[username], typed, error))
        penalties[username] = penalty
    return Picked(rows, penalties)


def picked_services(data: Mapping[str, Any]) -> Picked:
    """An operator's services as its form says them."""
    sent = _sent(data, "service:")
    numbers = [int(key) for key in sent if re.fullmatch("[0-9]{1,18}", key)]
    known = {str(row.pk): row for row in models.Service.objects.filter(pk__in=numbers)}
    rows, penalties = [], {}
    for key, typed in sent.items():
        penalty, error = _penalty(typed)
        if key not in known:
            rows.append(PickedRow(key, key, "", typed, _("There is no such service any more.")))
            continue
        rows.append(service_row(known[key], typed, error))
        penalties[key] = penalty if known[key].queue else 0
    return Picked(rows, penalties)


def _sent(data: Mapping[str, Any], prefix: str) -> dict[str, str]:
    found = {key.removeprefix(prefix): str(data[key]).strip() for key in data if key.startswith(prefix)}
    return dict(list(found.items())[:MOST_PICKED])


def _penalty(typed: str) -> tuple[int, str]:
    if re.fullmatch("[0-9]{0,10}", typed) and int(typed or 0) <= HIGHEST_PENALTY:
        return int(typed or 0), ""
    return 0, _("A penalty is a whole number from 0 to %(most)d.") % {"most": HIGHEST_PENALTY}


class PastedNames(NamedTuple):
    """What a list of names stands for."""

    rows: list[PickedRow]
    unknown: list[str]


def pasted_rows(kind: str, text: str) -> PastedNames:
    """Rows of a list: names one a line or apart by commas, semicolons or tabs, a number behind its penalty.

    `kind` is operators, by user name or full name, or services, by name, context or queue.
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
    for name, penalty in _names(text)[:MOST_PICKED]:
        entry = named.get(folded_text(name) or "")
        if entry is None:
            unknown.append(name[:80])
            continue
        row = operator_row(entry, penalty) if kind == "operators" else service_row(entry, penalty)
        found[row.key] = row
    return PastedNames(list(found.values()), unknown)


def _names(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        begun = len(found)
        for part in filter(None, (part.strip() for part in re.split(r"[,;\t]", line))):
            told = re.fullmatch(r"(.+?)\s*:\s*([0-9]{1,10})", part)
            if re.fullmatch("[0-9]{1,10}", part) and len(found) > begun:
                found[-1] = (found[-1][0], part)
            else:
                found.append((told[1], told[2]) if told else (part, "0"))
    return found


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
