"""The server's own checks, asked about one entry among all the others while its form is open."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _

from configurator import models
from configurator.checks.translation import capitalized, translated_for_field, translated_for_form
from configurator.publishing import entry_parts
from configurator.publishing.entry_parts import ServiceParts
from configurator.publishing.working_copy import WorkingCopy
from schemas.configuration.checks import (
    Complaint,
    FlawlessEntries,
    PartPlaces,
    check_configuration,
    warn_of_configuration,
)
from schemas.configuration.model import Configuration, Service

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
    """Complain at the fields of a seat's form. Only seats that it could collide with are read."""
    value = entry_parts.seat_value(seat)
    phones = Q(mac=value.mac)
    for phone in {value.extension, value.queue_interface} - {""}:
        phones |= Q(extension__iexact=phone) | Q(queue_interface__iexact=phone)
    others = list(models.Seat.objects.filter(phones).exclude(pk=seat.pk).order_by("pk"))
    row = seat.pk or NEW
    configuration = Configuration(seats=(*map(entry_parts.seat_value, others), value))
    places = PartPlaces(unit="#", seats=[*(other.pk for other in others), row])
    names = {"seat": {other.pk: other.extension for other in others}}
    _complain(form, check_configuration(configuration, places), {"seat"}, row, names)


def check_operator(operator: models.Operator, form: forms.BaseForm) -> None:
    """Complain at the fields of an operator's form. Only its namesake and its seat are read."""
    namesakes = models.Operator.objects.filter(username=operator.username).exclude(pk=operator.pk)
    others = list(namesakes.select_related("seat"))
    seats = [other.seat for other in (*others, operator) if other.seat]
    row = operator.pk or NEW
    configuration = Configuration(
        seats=tuple({seat.mac: entry_parts.seat_value(seat) for seat in seats}.values()),
        operators=(*map(entry_parts.operator_value, others), entry_parts.operator_value(operator)),
    )
    places = PartPlaces(
        unit="#", seats=[0] * len(configuration.seats), operators=[*(other.pk for other in others), row]
    )
    names = {"operator": {other.pk: other.username for other in others}}
    _complain(form, check_configuration(configuration, places), {"operator"}, row, names)


def check_service(pk: int | None, value: Service, form: forms.BaseForm) -> None:
    """Complain at the fields of a service's form. Only services of the same context are read.

    That its operators exist is the form's to say.
    """
    row = pk or NEW
    others = list(models.Service.objects.filter(context=value.context).exclude(pk=pk).order_by("pk"))
    bare = ServiceParts([], [], [])
    configuration = Configuration(
        services=(*(entry_parts.service_value(other, bare) for other in others), replace(value, operators=()))
    )
    places = PartPlaces(
        unit="#",
        services=[*(other.pk for other in others), row],
        variables=[*([] for _ in others), [row] * len(value.variables)],
        triggers=[*([] for _ in others), [row] * len(value.triggers)],
        bindings=[[] for _ in (*others, value)],
    )
    names = {"service": {other.pk: other.name for other in others}}
    _complain(form, check_configuration(configuration, places), {"service"}, row, names)


def _complain(
    form: forms.BaseForm, found: list[Complaint], kinds: set[str], row: int, names: dict[str, dict[int, str]]
) -> None:
    for complaint in found:
        if complaint.kind not in kinds or complaint.place != row:
            continue
        field = _FIELDS.get(complaint.field, complaint.field)
        place = field if field in form.fields else None
        translate = translated_for_form if place is None else translated_for_field
        message = capitalized(message_with_names(complaint, names, translate))
        if message not in form.errors.get(place or "__all__", []):
            form.add_error(place, message)


def message_with_names(
    complaint: Complaint,
    names: dict[str, dict[int, str]],
    translate: Callable[[str], str] = translated_for_form,
) -> str:
    """A complaint's message with names in place of rows, in the language of the page."""
    kind = "service" if complaint.kind in ("variable", "trigger", "binding") else complaint.kind
    return re.sub(
        r"# (\d+)",
        lambda match: names.get(kind, {}).get(int(match[1]), _("this entry")),
        translate(complaint.message),
    )


class EntryFinding(NamedTuple):
    """What is wrong, or hardly meant, with one entry: its kind as in the audit log, its name, and why."""

    kind: str
    name: str
    message: str


_Complaints = tuple[list[Complaint], list[Complaint]]
_checking_lock = threading.Lock()
_checked: tuple[Configuration, _Complaints] = (Configuration(), ([], []))
_flawless, _beyond_doubt = FlawlessEntries(), FlawlessEntries()


def check_everything(copy: WorkingCopy) -> tuple[list[EntryFinding], list[EntryFinding]]:
    """Errors and warnings of the whole configuration; no warnings while there are errors. Any thread."""
    errors, warnings = _complaints(copy)
    return [_finding(complaint, copy) for complaint in errors], [
        _finding(complaint, copy) for complaint in warnings
    ]


def complaints_of(configuration: Configuration, places: PartPlaces | None = None) -> list[Complaint]:
    """What `check_configuration` says, which looks at no entry a second time. Any thread."""
    with _checking_lock:
        return check_configuration(configuration, places, _flawless)


def _complaints(copy: WorkingCopy) -> _Complaints:
    """What the checks say; asked anew only after a change, of which the parts being other objects tells."""
    global _checked
    configuration, places = copy.configuration, copy.places
    with _checking_lock:  # who comes meanwhile would look for the same
        of, found = _checked
        if all(mine is its for mine, its in zip(_parts(configuration), _parts(of), strict=True)):
            return found
        errors = check_configuration(configuration, places, _flawless)
        found = (errors, [] if errors else warn_of_configuration(configuration, places, _beyond_doubt))
        _checked = (configuration, found)
    return found


def _parts(configuration: Configuration) -> tuple[object, ...]:
    return (configuration.services, configuration.seats, configuration.operators, configuration.pause_reasons)


def _finding(complaint: Complaint, copy: WorkingCopy) -> EntryFinding:
    name = copy.names[complaint.kind].get(complaint.place, "")
    kind = _KINDS.get(complaint.kind, complaint.kind)
    return EntryFinding(kind, name, message_with_names(complaint, copy.names))
