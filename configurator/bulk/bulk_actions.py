"""What can be done with many entries of a list at once.

An action says in numbers what it would do, then changes the rows with few statements, however many they
are, and tells what changed of each entry. `bulk_change.apply_bulk` is who runs it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django import forms
from django.db.models import F, Model
from django.utils.translation import gettext_lazy

from configurator import models
from configurator.bulk.bulk_forms import AssignForm, GiveSeatForm, ServiceOnlyForm
from configurator.publishing import differences
from configurator.publishing.differences import FieldChange
from configurator.sections.section import READ_AT_ONCE, Section


class EntryChange(NamedTuple):
    """What changed of one entry: for the audit log."""

    name: str
    changes: tuple[FieldChange, ...]


class BulkOutcome(NamedTuple):
    """What an action did."""

    audit_action: str
    """A word of `audit_log.ACTION_WORDS`."""
    entries: tuple[EntryChange, ...]
    """Only those that changed."""
    shown_by: tuple[Model, ...] = ()
    """Rows of other sections whose forms show what changed."""
    snapshot: models.Snapshot | None = None
    """What it can be undone to, once all is done."""


Values = dict[str, Any]
"""What the action's form said, cleaned."""


class BulkAction(ABC):
    """One action on many entries of one section. Without state."""

    key: str
    """What it is called in addresses."""
    label: Any
    icon: str
    form: type[forms.Form] = forms.Form
    """What has to be said beside which entries."""
    danger: bool = False

    def consequences(self, section: Section, rows: Sequence[int]) -> list[str]:
        """What else goes or changes, in sentences with numbers, before it is done."""
        return []

    @abstractmethod
    def apply(self, section: Section, rows: Sequence[int], values: Values) -> BulkOutcome:
        """Change the entries of these rows. Within `writing`."""


@dataclass(frozen=True)
class SetTick(BulkAction):
    """Sets a tick of each entry."""

    key: str
    label: Any
    icon: str
    column: str
    field: str
    """As `differences` calls it."""
    value: bool

    def apply(self, section: Section, rows: Sequence[int], values: Values) -> BulkOutcome:
        """Set it where it is not set so already."""
        others = section.model._default_manager.filter(pk__in=rows, **{self.column: not self.value})
        change = FieldChange(self.field, *(("no", "yes") if self.value else ("yes", "no")))
        changed = {entry.pk: EntryChange(str(entry), (change,)) for entry in others}
        section.model._default_manager.filter(pk__in=changed).update(
            **{self.column: self.value}, revision=F("revision") + 1
        )
        return BulkOutcome("edit", tuple(changed.values()))


class AssignToService(BulkAction):
    """Binds operators to a service; one that is bound already gets the penalty."""

    key = "assign"
    label = gettext_lazy("Assign to a service")
    icon = "service"
    form = AssignForm

    def apply(self, section: Section, rows: Sequence[int], values: Values) -> BulkOutcome:
        """Add what is missing behind the others, in the order of the user names."""
        service: models.Service = values["service"]
        penalty = (values["penalty"] or 0) if service.queue else 0
        present = {binding.operator_id: binding for binding in service.bindings.filter(operator__in=rows)}
        changed, new, other = [], [], []
        for operator in models.Operator.objects.filter(pk__in=rows).order_by("username"):
            binding = present.get(operator.pk)
            if binding is not None and binding.penalty == penalty:
                continue
            before = "" if binding is None else _bound(service, binding.penalty)
            if binding is None:
                new.append(models.ServiceOperator(service=service, operator=operator, penalty=penalty))
            else:
                other.append(binding.pk)
            change = FieldChange("Service", before, _bound(service, penalty))
            changed.append((operator, EntryChange(operator.username, (change,))))
        models.ServiceOperator.objects.bulk_create(new)
        models.ServiceOperator.objects.filter(pk__in=other).update(penalty=penalty)
        return _of_bindings(changed, [service])


class RemoveFromService(BulkAction):
    """Takes operators out of a service."""

    key = "unassign"
    label = gettext_lazy("Remove from a service")
    icon = "close"
    form = ServiceOnlyForm

    def apply(self, section: Section, rows: Sequence[int], values: Values) -> BulkOutcome:
        """Remove what there is."""
        service: models.Service = values["service"]
        bindings = list(service.bindings.filter(operator__in=rows).select_related("operator"))
        changed = [
            (
                binding.operator,
                EntryChange(
                    binding.operator.username, (FieldChange("Service", _bound(service, binding.penalty), ""),)
                ),
            )
            for binding in bindings
        ]
        models.ServiceOperator.objects.filter(pk__in=[binding.pk for binding in bindings]).delete()
        return _of_bindings(changed, [service])


def _bound(service: models.Service, penalty: int) -> str:
    return f"{service.name} ({penalty})"


def _of_bindings(
    changed: list[tuple[models.Operator, EntryChange]], services: Iterable[models.Service]
) -> BulkOutcome:
    models.Operator.objects.filter(pk__in=[operator.pk for operator, _ in changed]).update(
        revision=F("revision") + 1
    )
    return BulkOutcome("edit", tuple(change for _, change in changed), tuple(services) if changed else ())


class GiveSeat(BulkAction):
    """Makes a seat the only one that operators may use."""

    key = "give-seat"
    label = gettext_lazy("Give a seat")
    icon = "seat"
    form = GiveSeatForm

    def apply(self, section: Section, rows: Sequence[int], values: Values) -> BulkOutcome:
        """Set it where it is another one."""
        return _set_seat(rows, values["seat"])


class TakeSeat(BulkAction):
    """Lets operators use any seat."""

    key = "take-seat"
    label = gettext_lazy("Take the seat")
    icon = "seat"

    def apply(self, section: Section, rows: Sequence[int], values: Values) -> BulkOutcome:
        """Take it where there is one."""
        return _set_seat(rows, None)


def _set_seat(rows: Sequence[int], seat: models.Seat | None) -> BulkOutcome:
    found = models.Operator.objects.filter(pk__in=rows).select_related("seat")
    changed = [operator for operator in found if operator.seat != seat]
    mac = seat.mac if seat else ""
    entries = tuple(
        EntryChange(
            operator.username, (FieldChange("Seat", operator.seat.mac if operator.seat else "", mac),)
        )
        for operator in changed
    )
    models.Operator.objects.filter(pk__in=[operator.pk for operator in changed]).update(
        seat=seat, revision=F("revision") + 1
    )
    return BulkOutcome("edit", entries)


class RemoveEntries(BulkAction):
    """Removes entries with all that belongs to them."""

    key = "remove"
    label = gettext_lazy("Remove")
    icon = "remove"
    danger = True

    def consequences(self, section: Section, rows: Sequence[int]) -> list[str]:
        """What goes with them, in numbers."""
        return section.many_dependents(rows)

    def apply(self, section: Section, rows: Sequence[int], values: Values) -> BulkOutcome:
        """Remove those that are still there."""
        found = list(section.rows().filter(pk__in=rows).iterator(chunk_size=READ_AT_ONCE))
        entries = tuple(
            EntryChange(str(entry), differences.field_changes(before, {}))
            for entry, before in zip(found, section.describe_many(found), strict=True)
        )
        shown_by = section.shown_by_many(found)
        section.model._default_manager.filter(pk__in=[entry.pk for entry in found]).delete()
        return BulkOutcome("remove", entries, tuple(shown_by))


_ENABLE = SetTick("enable", gettext_lazy("Enable"), "check", "enabled", "Enabled", True)
_DISABLE = SetTick("disable", gettext_lazy("Disable"), "close", "enabled", "Enabled", False)
_REMOVE = RemoveEntries()
_OF_SECTIONS: dict[str, tuple[BulkAction, ...]] = {
    "services": (_ENABLE, _DISABLE, _REMOVE),
    "variables": (_REMOVE,),
    "seats": (_REMOVE,),
    "operators": (
        AssignToService(),
        RemoveFromService(),
        GiveSeat(),
        TakeSeat(),
        SetTick("pause", gettext_lazy("Begin in pause"), "pause", "begin_in_pause", "Begin in pause", True),
        SetTick(
            "no-pause",
            gettext_lazy("Begin without pause"),
            "operator",
            "begin_in_pause",
            "Begin in pause",
            False,
        ),
        _ENABLE,
        _DISABLE,
        _REMOVE,
    ),
    "reasons": (_REMOVE,),
}
"""What each section offers; manager users are changed one by one."""


def actions_of(section: Section) -> tuple[BulkAction, ...]:
    """What can be done with many entries of a section."""
    return _OF_SECTIONS.get(section.key, ())
