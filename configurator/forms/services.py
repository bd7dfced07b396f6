"""The form of a service: its own fields, and lists of variables, triggers and operators."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from configurator import models, validators
from configurator.checks import entry_checks
from configurator.checks.translation import capitalized, translated_for_form
from configurator.forms import picker
from configurator.forms.entries import CheckedForm
from configurator.publishing.entry_parts import trigger_value
from configurator.publishing.replacement import store_triggers
from schemas.configuration import model as schema
from schemas.configuration.triggers import check_trigger

MOST_LIST_ROWS = 5000  # of one list: variables or triggers


class VariableRow(forms.Form):
    """One variable."""

    name = forms.CharField(
        label=gettext_lazy("Variable"),
        max_length=200,
        validators=[validators.validate_variable],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class TriggerRow(forms.ModelForm):
    """One trigger. It is checked with its service, whose variables it may use."""

    class Meta:
        model = models.Trigger
        fields: ClassVar = ["type", "moment", "os", "again", "url", "application", "parameters"]
        widgets: ClassVar = {
            "url": forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
            "application": forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
            "parameters": forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
        }

    def value(self) -> schema.Trigger:
        """What was entered, as the shared model."""
        data = self.cleaned_data
        runs = data["type"] == "application"
        return schema.Trigger(
            type=data["type"],
            on=data["moment"],
            os=data["os"],
            application=data.get("application", "") if runs else "",
            parameters=data.get("parameters", "") if runs else "",
            url="" if runs else data.get("url", ""),
            again=data["again"] and data["moment"] == "ring",
        )


class _Rows(forms.BaseFormSet):
    """A list whose removed and empty rows do not count."""

    def kept(self) -> list[Any]:
        """The rows that stay, in order. Only of a valid list."""
        found = ((row, getattr(row, "cleaned_data", {})) for row in self.forms)
        return [row for row, data in found if data and not data.get("DELETE")]


def _rows(form: type[forms.BaseForm]) -> type[_Rows]:
    return forms.formset_factory(
        form, formset=_Rows, extra=0, can_delete=True, max_num=MOST_LIST_ROWS, absolute_max=MOST_LIST_ROWS
    )


VariableRows, TriggerRows = _rows(VariableRow), _rows(TriggerRow)


class ServiceForm(CheckedForm):
    """A service with all that belongs to it."""

    class Meta:
        model = models.Service
        fields: ClassVar = ["name", "type", "context", "is_queue", "queue_name", "may_leave", "enabled"]

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        instance: models.Service | None = None,
        like: models.Service | None = None,
    ) -> None:
        shared = None if like is None else forms.models.model_to_dict(like, self._meta.fields)
        super().__init__(data, files, instance=instance, initial=shared)
        variables, triggers = _initial(like or instance)
        self.variables = VariableRows(data, prefix="variables", initial=variables)
        self.triggers = TriggerRows(data, prefix="triggers", initial=triggers)
        bound = like or (instance if instance is not None and instance.pk else None)
        if data is not None:
            self.operators = picker.picked_operators(data)
        else:
            self.operators = picker.Picked(_bound_rows(bound) if bound is not None else [], {})

    @classmethod
    def like(cls, entry: models.Service) -> ServiceForm:
        """A form for a new service with all that belongs to another one."""
        return cls(like=entry)

    @property
    def lists(self) -> tuple[_Rows, ...]:
        """The lists of variables and triggers."""
        return self.variables, self.triggers

    def is_valid(self) -> bool:
        """Everything is valid in itself, then together."""
        lists = [rows.is_valid() for rows in self.lists]
        own = super().is_valid()
        if not own or not all(lists) or not self.operators.valid:
            return False
        self._check_together()
        return not self.errors and not any(row.errors for rows in self.lists for row in rows)

    def clean(self) -> dict[str, Any]:
        """Say at the field what a queue needs."""
        data = super().clean() or {}
        if data.get("is_queue") and data.get("type") == "outbound":
            self.add_error("is_queue", _("An outbound service has no queue."))
        elif data.get("is_queue") and not data.get("queue_name") and "queue_name" not in self.errors:
            self.add_error("queue_name", _("Name the queue."))
        if data.get("type") == "outbound":
            data["queue_name"] = ""
        if not data.get("is_queue"):
            data["may_leave"] = False
        return data

    def value(self) -> schema.Service:
        """What was entered, as the shared model."""
        data = self.cleaned_data
        return schema.Service(
            name=data["name"],
            context=data["context"],
            type=data["type"],
            is_queue=data["is_queue"],
            queue_name=data["queue_name"],
            enabled=data["enabled"],
            variables=tuple(row.cleaned_data["name"] for row in self.variables.kept()),
            triggers=tuple(row.value() for row in self.triggers.kept()),
            operators=tuple(
                schema.Binding(username, penalty if data["is_queue"] else 0)
                for username, penalty in self.operators.penalties.items()
            ),
            may_leave=data["may_leave"],
        )

    def _check_together(self) -> None:
        value = self.value()
        _refuse_twice(self.variables, _("This variable is in the list already."))
        for row in self.triggers.kept():
            for message in check_trigger(row.value(), value.variables):
                row.add_error(_field_of(row, message), capitalized(translated_for_form(message)))
        entry_checks.check_service(self.instance.pk, value, self)

    def save(self, commit: bool = True) -> models.Service:
        """Store the service, and write its lists anew where they differ."""
        service = super().save(commit)
        value = self.value()
        _store_variables(service, value)
        if value.triggers != tuple(_initial_triggers(service)):
            store_triggers(service, value.triggers)
        self.touched = _store_bindings(service, value)
        return service


def _refuse_twice(rows: _Rows, message: str) -> None:
    seen: set[str] = set()
    for row in rows.kept():
        key = row.cleaned_data["name"].upper()
        if key in seen:
            row.add_error("name", message)
        seen.add(key)


def _field_of(row: TriggerRow, message: str) -> str:
    if row.cleaned_data["type"] != "application":
        return "url"
    program = "program" in message or ".bat" in message or "application" in message
    return "application" if program else "parameters"


def _initial(service: models.Service | None) -> tuple[list[Any], list[Any]]:
    if service is None or not service.pk:
        return [], []
    return (
        [{"name": variable.name} for variable in service.variables.order_by("pk")],
        [
            {
                "type": trigger.type,
                "moment": trigger.moment,
                "os": trigger.os,
                "url": trigger.url,
                "application": trigger.application,
                "parameters": trigger.parameters,
                "again": trigger.again,
            }
            for trigger in service.triggers.all()
        ],
    )


def _bound_rows(service: models.Service) -> list[picker.PickedRow]:
    bindings = service.bindings.select_related("operator")
    return [picker.operator_row(binding.operator, binding.penalty) for binding in bindings]


def _initial_triggers(service: models.Service) -> list[schema.Trigger]:
    return [trigger_value(trigger) for trigger in service.triggers.all()]


def _store_variables(service: models.Service, value: schema.Service) -> None:
    """Write what differs: a variable has a form of its own, and one that stays keeps its row."""
    present = {variable.name: variable for variable in service.variables.all()}
    for name in set(present) - set(value.variables):
        present[name].delete()
    for name in value.variables:
        if name not in present:
            service.variables.create(name=name)


def _store_bindings(service: models.Service, value: schema.Service) -> list[models.Operator]:
    """Write what differs, in this order; returns the operators concerned, whose forms show it."""
    wanted = {binding.username: binding.penalty for binding in value.operators}
    present = {binding.operator.username: binding for binding in service.bindings.select_related("operator")}
    changed = {
        name
        for name in {*wanted, *present}
        if name not in present or wanted.get(name) != present[name].penalty
    }
    if not changed and list(wanted) == list(present):
        return []
    operators = models.Operator.objects.in_bulk([*wanted, *present], field_name="username")
    if list(wanted) == list(present):
        for name in changed:
            models.ServiceOperator.objects.filter(pk=present[name].pk).update(penalty=wanted[name])
    else:  # anew: the order of the rows is the order of the operators
        service.bindings.all().delete()
        models.ServiceOperator.objects.bulk_create(
            models.ServiceOperator(service=service, operator=operators[name], penalty=penalty)
            for name, penalty in wanted.items()
        )
    return [operators[name] for name in changed]
