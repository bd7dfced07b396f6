"""The forms of single entries: seats, operators, pause reasons, variables, manager users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from configurator import models
from configurator.checks import entry_checks
from configurator.database.text_order import in_order
from configurator.users import authentication
from schemas import mac_address, passwords
from schemas.configuration.defaults import address_or_text


class EntryForm(forms.ModelForm):
    """A form that knows which revision of its entry it was opened on."""

    instance: Any
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.label_suffix = ""
        if self.instance.pk:
            self.initial["revision"] = self.instance.revision
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")

    @property
    def sections(self) -> Iterator[forms.BoundField]:
        """The fields to show, in order."""
        return (field for field in self.visible_fields())


class JudgedForm(EntryForm):
    """A form whose duplicates the server's own checks find."""

    def validate_unique(self) -> None:
        """Nothing to add to what was judged."""


class SeatForm(JudgedForm):
    """A seat."""

    class Meta:
        model = models.Seat
        fields: ClassVar = [
            "mac",
            "extension",
            "description",
            "address",
            "queue_interface",
            "state_interface",
        ]

    def clean_mac(self) -> str:
        """Write the address as the protocol does."""
        try:
            return mac_address.canonical(self.cleaned_data["mac"])
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def clean_address(self) -> str:
        """Write the address as the system does a peer's."""
        return address_or_text(self.cleaned_data["address"])

    def clean(self) -> dict[str, Any]:
        """Let the server's own checks judge the seat among the others."""
        super().clean()
        if not self.errors:
            self.instance = forms.models.construct_instance(self, self.instance)
            entry_checks.of_seat(self.instance, self)
        return self.cleaned_data


class OperatorForm(JudgedForm):
    """An operator, with a plain password that is only ever written, and the services it is bound to."""

    new_password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = models.Operator
        fields: ClassVar = ["full_name", "username", "new_password", "seat", "begin_in_pause", "enabled"]

    field_order: ClassVar = ["full_name", "username", "new_password", "seat", "begin_in_pause", "enabled"]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.fields["seat"].queryset = models.Seat.objects.order_by(in_order("extension"))
        self.fields["seat"].empty_label = _("Any seat")
        if self.instance.pk:
            self.fields["new_password"].help_text = _("Leave empty to keep the present one.")
        else:
            self.fields["new_password"].required = True
        bound = {}
        if self.instance.pk:
            bound = {binding.service_id: binding.penalty for binding in self.instance.bindings.all()}
        self.services = list(models.Service.objects.order_by(in_order("name")))
        for service in self.services:
            self.fields[f"service_{service.pk}"] = forms.BooleanField(
                label=service.name, required=False, initial=service.pk in bound
            )
            self.fields[f"penalty_{service.pk}"] = forms.IntegerField(
                label=_("Penalty"),
                required=False,
                min_value=0,
                max_value=2147483647,
                initial=bound.get(service.pk, 0),
                disabled=not service.queue,
            )

    @property
    def sections(self) -> Iterator[forms.BoundField]:
        """The operator's own fields."""
        return (self[name] for name in self.field_order)

    @property
    def service_rows(self) -> Iterator[tuple[models.Service, forms.BoundField, forms.BoundField]]:
        """Each service with its tick and its penalty."""
        return (
            (service, self[f"service_{service.pk}"], self[f"penalty_{service.pk}"])
            for service in self.services
        )

    def clean_new_password(self) -> str:
        """Refuse what no client could send."""
        plain = self.cleaned_data["new_password"]
        if plain and ("\n" in plain or "\r" in plain):
            raise ValidationError(_("A password has no line break."))
        return plain

    def clean(self) -> dict[str, Any]:
        """Hash the password, and let the server's own checks judge the operator among the others."""
        super().clean()
        if not self.errors:
            plain = self.cleaned_data.get("new_password")
            self.instance = forms.models.construct_instance(self, self.instance)
            if plain:
                self.instance.password = passwords.make(plain)
            entry_checks.of_operator(self.instance, self)
        return self.cleaned_data

    def wanted_bindings(self) -> dict[int, int]:
        """Service and penalty, as ticked."""
        data = self.cleaned_data
        return {
            service.pk: (data.get(f"penalty_{service.pk}") or 0) if service.queue else 0
            for service in self.services
            if data.get(f"service_{service.pk}")
        }

    def save(self, commit: bool = True) -> models.Operator:
        """Store the operator and the difference in its services."""
        operator = super().save(commit)
        wanted = self.wanted_bindings()
        present = {binding.service_id: binding for binding in operator.bindings.all()}
        changed = {
            key
            for key in {*wanted, *present}
            if key not in present or wanted.get(key) != present[key].penalty
        }
        for key in changed:
            if key not in wanted:
                present[key].delete()
            else:
                models.ServiceOperator.objects.update_or_create(
                    service_id=key, operator=operator, defaults={"penalty": wanted[key]}
                )
        self.touched = list(models.Service.objects.filter(pk__in=changed))
        return operator


class PauseReasonForm(EntryForm):
    """A pause reason."""

    class Meta:
        model = models.PauseReason
        fields: ClassVar = ["name"]


class VariableForm(EntryForm):
    """A variable of one service."""

    class Meta:
        model = models.Variable
        fields: ClassVar = ["name", "service"]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.fields["service"].queryset = models.Service.objects.order_by(in_order("name"))
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


class ManagerUserForm(EntryForm):
    """A manager user, as an administrator sees one."""

    new_password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters."),
    )

    class Meta:
        model = models.ManagerUser
        fields: ClassVar = ["full_name", "userid", "email", "role", "language", "enabled"]

    field_order: ClassVar = ["full_name", "userid", "email", "new_password", "role", "language", "enabled"]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if self.instance.pk:
            self.fields["new_password"].help_text = _("Leave empty to keep the present one.")
        else:
            self.fields["new_password"].required = True

    def clean(self) -> dict[str, Any]:
        """Somebody always has to be able to administrate."""
        data = super().clean() or {}
        plain = data.get("new_password")
        if plain:
            try:
                password_validation.validate_password(plain, self.instance)
            except ValidationError as error:
                self.add_error("new_password", error)
        stays = data.get("role") == "administrator" and data.get("enabled")
        if self.instance.pk and not stays and is_last_administrator(self.instance):
            self.add_error("role", _("The last enabled administrator has to stay one."))
        return data

    def save(self, commit: bool = True) -> models.ManagerUser:
        """Store the user; another password ends this user's sessions."""
        plain = self.cleaned_data.get("new_password")
        if plain:
            self.instance.set_password(plain)
            authentication.forget_failures(self.instance.userid)
        if not self.instance.enabled:
            authentication.end_sessions(self.instance)
        return super().save(commit)


def is_last_administrator(user: models.ManagerUser) -> bool:
    """Tell whether nobody else could administrate."""
    others = models.ManagerUser.objects.filter(role="administrator", enabled=True).exclude(pk=user.pk)
    return not others.exists()


class AccountForm(forms.ModelForm):
    """What everybody may change of themselves."""

    class Meta:
        model = models.ManagerUser
        fields: ClassVar = ["full_name", "email", "language", "theme"]

    label_suffix = ""
