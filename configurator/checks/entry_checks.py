"""The server's own checks, asked about one entry among all the others while its form is open."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from django import forms
from django.utils.translation import gettext as _

from configurator import models
from configurator.checks.translation import capitalized, translated_for_form
from configurator.publishing import working_copy
from configurator.publishing.working_copy import WorkingCopy
from schemas.configuration.checks import Complaint, check_configuration, warn_of_configuration
from schemas.configuration.model import Service

_Value = TypeVar("_Value")

NEW = 0
"""The row of an entry that is not stored yet."""

_FIELDS = {
    "queue-name": "queue_name",
    "may-leave": "may_leave",
    "queue-interface": "queue_interface",
    "state-interface": "state_interface",
    "full-name": "full_name",
}
"""Fields of a form that are called otherwise than in a configuration's file."""
_KINDS = {"reason": "pausereason", "variable": "service", "trigger": "service", "binding": "service"}
"""Under which kind of entry a complaint is found."""


def check_seat(seat: models.Seat, form: forms.BaseForm) -> None:
    """Complain at the fields of a seat's form."""
    copy = working_copy.read_working_copy()
    seats, rows = _with_last(
        copy.configuration.seats, copy.places.seats, seat.pk, working_copy.seat_value(seat)
    )
    found = check_configuration(
        replace(copy.configuration, seats=tuple(seats)), replace(copy.places, seats=rows)
    )
    _complain(form, found, {"seat"}, seat.pk or NEW, copy.names)


def check_operator(operator: models.Operator, form: forms.BaseForm) -> None:
    """Complain at the fields of an operator's form."""
    copy = working_copy.read_working_copy()
    value = working_copy.operator_value(operator)
    operators, rows = _with_last(copy.configuration.operators, copy.places.operators, operator.pk, value)
    found = check_configuration(
        replace(copy.configuration, operators=tuple(operators)), replace(copy.places, operators=rows)
    )
    _complain(form, found, {"operator"}, operator.pk or NEW, copy.names)


def check_service(pk: int | None, value: Service, form: forms.BaseForm) -> None:
    """Complain at the fields of a service's form."""
    copy = working_copy.read_working_copy()
    row, before, places = pk or NEW, copy.places.services, copy.places
    services, rows = _with_last(copy.configuration.services, before, pk, value)
    places = replace(
        places,
        services=rows,
        variables=_with_last(places.variables, before, pk, [row] * len(value.variables))[0],
        triggers=_with_last(places.triggers, before, pk, [row] * len(value.triggers))[0],
        bindings=_with_last(places.bindings, before, pk, [row] * len(value.operators))[0],
    )
    found = check_configuration(replace(copy.configuration, services=tuple(services)), places)
    _complain(form, found, {"service"}, row, copy.names)


def _with_last(
    values: Iterable[_Value], rows: Iterable[int], pk: int | None, value: _Value
) -> tuple[list[_Value], list[int]]:
    """The same with an entry behind all others, so that a complaint about two of them falls on this one."""
    others = [(other, row) for other, row in zip(values, rows, strict=True) if row != pk]
    return [*(other for other, _ in others), value], [*(row for _, row in others), pk or NEW]


def _complain(
    form: forms.BaseForm, found: list[Complaint], kinds: set[str], row: int, names: dict[str, dict[int, str]]
) -> None:
    for complaint in found:
        if complaint.kind not in kinds or complaint.place != row:
            continue
        field = _FIELDS.get(complaint.field, complaint.field)
        place = field if field in form.fields else None
        message = capitalized(message_with_names(complaint, names))
        if message not in form.errors.get(place or "__all__", []):
            form.add_error(place, message)


def message_with_names(complaint: Complaint, names: dict[str, dict[int, str]]) -> str:
    """A complaint's message with names in place of rows, in the language of the page."""
    kind = "service" if complaint.kind in ("variable", "trigger", "binding") else complaint.kind
    return re.sub(
        r"# (\d+)",
        lambda match: names[kind].get(int(match[1]), _("this entry")),
        translated_for_form(complaint.message),
    )


class EntryFinding(NamedTuple):
    """What is wrong, or hardly meant, with one entry: its kind as in the audit log, its name, and why."""

    kind: str
    name: str
    message: str


def check_everything(copy: WorkingCopy) -> tuple[list[EntryFinding], list[EntryFinding]]:
    """Errors and warnings of the whole configuration; no warnings while there are errors."""
    configuration, places = copy.configuration, copy.places
    errors = [_finding(complaint, copy) for complaint in check_configuration(configuration, places)]
    if errors:
        return errors, []
    return [], [_finding(complaint, copy) for complaint in warn_of_configuration(configuration, places)]


def _finding(complaint: Complaint, copy: WorkingCopy) -> EntryFinding:
    name = copy.names[complaint.kind].get(complaint.place, "")
    kind = _KINDS.get(complaint.kind, complaint.kind)
    return EntryFinding(kind, name, message_with_names(complaint, copy.names))
