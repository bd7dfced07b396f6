"""The forms of single entries: seats, operators, pause reasons, variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from configurator import models
from configurator.checks import entry_checks
from configurator.database.text_order import ordered_by
from configurator.forms import picker
from configurator.forms.seat_field import SeatField
from configurator.forms.service_field import ServiceField
from configurator.importing.service_words import store_bindings
from configurator.users import password_rules
from schemas import mac_address, passwords
from schemas.configuration.defaults import address_or_text

LONGEST_PASSWORD = 200


class EntryForm(forms.ModelForm):
    """A form that knows which revision of its entry it was opened on."""

    instance: Any
    own_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields whose values belong to one entry alone."""
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.advice = ""
        """What whoever saved shall know all the same; known once the form was checked."""
        self.touched: list[Model] = []
        """Rows of other tables whose forms show what was saved; known once it is."""
        self.label_suffix = ""
        if self.instance.pk:
            self.initial["revision"] = self.instance.revision
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")

    @classmethod
    def work_ahead(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments for a form of what was sent that take long to compute: before anything is locked."""
        return {}

    @classmethod
    def like(cls, entry: Any) -> Self:
        """A form for a new entry, filled in as another one but for what only one can have."""
        shared = [name for name in cls._meta.fields or () if name not in cls.own_fields]
        return cls(initial=forms.models.model_to_dict(entry, shared))

    @property
    def shown_fields(self) -> Iterator[forms.BoundField]:
        """The fields to show, in order."""
        return (field for field in self.visible_fields())


class CheckedForm(EntryForm):
    """A form whose duplicates the server's own checks find, in the server's words."""

    def validate_unique(self) -> None:
        """Nothing: Django would say it a second time, in its own words."""


class MacField(forms.CharField):
    """A MAC address in any usual form; cleans to the protocol's. What is none stays, for the checks."""

    def to_python(self, value: Any) -> str:
        """Write the address as the protocol does."""
        text = str(super().to_python(value))
        try:
            return mac_address.from_any_form(text)
        except ValueError:
            return text


class SeatForm(CheckedForm):
    """A seat."""

    own_fields = frozenset({"mac", "extension", "address", "queue_interface", "state_interface"})

    class Meta:
        model = models.Seat
        fields: ClassVar = [
            "mac",
            "extension",
            "description",
            "address",
            "queue_interface",
            "state_interface",
            "answer",
        ]
        field_classes: ClassVar = {"mac": MacField}

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.fields["answer"].required = False

    def clean_answer(self) -> str:
        """Nothing said is no."""
        return self.cleaned_data["answer"] or str(models.Seat.AnswerWay.NONE)

    def clean_address(self) -> str:
        """Write the address as the system does a peer's."""
        return address_or_text(self.cleaned_data["address"])

    def clean(self) -> dict[str, Any]:
        """Have the seat checked among the others, by the server's own checks."""
        super().clean()
        if not self.errors:
            self.instance = forms.models.construct_instance(self, self.instance)
            entry_checks.check_seat(self.instance, self)
        return self.cleaned_data


class OperatorForm(CheckedForm):
    """An operator, with a plain password that is only ever written, and the services it is bound to."""

    own_fields = frozenset({"username", "full_name"})

    new_password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    seat = SeatField(
        required=False,
        label=_("Seat"),
        help_text=_("Extension or MAC address of the only seat this operator may use; empty for any."),
    )

    class Meta:
        model = models.Operator
        fields: ClassVar = ["full_name", "username", "new_password", "seat", "begin_in_pause", "enabled"]

    field_order: ClassVar = ["full_name", "username", "new_password", "seat", "begin_in_pause", "enabled"]

    def __init__(
        self, *arguments: Any, stored_password: passwords.StoredForms | None = None, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self.stored_password = stored_password
        if self.instance.pk:
            self.fields["new_password"].help_text = _("Leave empty to keep the present one.")
        else:
            self.fields["new_password"].required = True
        if self.is_bound:
            self.services = picker.picked_services(self.data)
        else:
            self.services = picker.Picked(_bound_rows(self.instance) if self.instance.pk else [], {})

    @classmethod
    def work_ahead(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """Hash the password: that takes long on purpose."""
        plain = str(data.get("new_password", ""))
        usable = plain and len(plain) <= LONGEST_PASSWORD and not {"\r", "\n"} & {*plain}
        return {"stored_password": passwords.make_stored_forms(plain) if usable else None}

    @classmethod
    def like(cls, entry: models.Operator) -> Self:
        """A form for a new operator with the services of another one."""
        form = super().like(entry)
        form.services = picker.Picked(_bound_rows(entry), {})
        return form

    @property
    def shown_fields(self) -> Iterator[forms.BoundField]:
        """The operator's own fields."""
        return (self[name] for name in self.field_order)

    def is_valid(self) -> bool:
        """The fields, and the services."""
        return super().is_valid() and self.services.valid

    def clean_new_password(self) -> str:
        """Refuse what no client could send."""
        plain = self.cleaned_data["new_password"]
        if plain and ("\n" in plain or "\r" in plain):
            raise ValidationError(_("A password has no line break."))
        return plain

    def clean(self) -> dict[str, Any]:
        """Hash the password, and have the operator checked among the others, by the server's own checks."""
        super().clean()
        if not self.errors:
            plain = self.cleaned_data.get("new_password")
            self.instance = forms.models.construct_instance(self, self.instance)
            if plain and (weak := password_rules.weakness_of(plain, self.instance)):
                self.advice = _("The password is easily guessed: %(why)s") % {"why": weak}
            if plain and not self._is_present_password(plain):
                self.instance.store_password(self.stored_password or passwords.make_stored_forms(plain))
            entry_checks.check_operator(self.instance, self)
        return self.cleaned_data

    def _is_present_password(self, plain: str) -> bool:
        """Whether it is stored already, with its keys: typed again, it changes nothing."""
        stored, scram = self.instance.password, self.instance.scram
        return bool(stored and scram) and passwords.PasswordChecker().matches(stored, passwords.md5_of(plain))

    def save(self, commit: bool = True) -> models.Operator:
        """Store the operator and the difference in its services."""
        operator = super().save(commit)
        wanted = {int(key): penalty for key, penalty in self.services.penalties.items()}
        changed = store_bindings({operator: wanted})
        self.touched = list(models.Service.objects.filter(pk__in=changed))
        return operator


def _bound_rows(operator: models.Operator) -> list[picker.PickedRow]:
    bindings = operator.bindings.select_related("service").order_by(ordered_by("service__name"))
    return [picker.service_row(binding.service, binding.penalty) for binding in bindings]


class PauseReasonForm(EntryForm):
    """A pause reason."""

    own_fields = frozenset({"name"})

    class Meta:
        model = models.PauseReason
        fields: ClassVar = ["name"]


class VariableForm(EntryForm):
    """A variable of one service."""

    service = ServiceField()

    class Meta:
        model = models.Variable
        fields: ClassVar = ["name", "service"]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._before = self.instance.service if self.instance.pk else None

    def clean(self) -> dict[str, Any]:
        """Names differ within a service, whatever their case."""
        data = super().clean() or {}
        if not self.errors:
            same = data["service"].variables.filter(name__iexact=data["name"]).exclude(pk=self.instance.pk)
            if same.exists():
                self.add_error("name", _("This service has a variable of this name already."))
        return data

    def save(self, commit: bool = True) -> models.Variable:
        """Store the variable; the forms of both services show it."""
        variable = super().save(commit)
        self.touched = [service for service in {self._before, variable.service} if service is not None]
        return variable
