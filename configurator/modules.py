"""The modules of the menu bar that are lists with forms: what they show, search, sort, and who may change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Count, Model, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from configurator import differences, models, roles, working_copy
from configurator.differences import Value
from configurator.forms import (
    ManagerUserForm,
    OperatorForm,
    PauseReasonForm,
    SeatForm,
    VariableForm,
    is_last_administrator,
)
from configurator.service_forms import ServiceForm
from schemas import placeholders


@dataclass(frozen=True)
class Column:
    """One column of a list."""

    key: str
    label: Any
    sort: str
    """The field of the table to sort by; empty where that makes no sense."""
    value: Callable[[Any], Any]
    shape: str = "text"
    """How a cell looks: text, strong, code, yes, pill, number, moment."""


@dataclass(frozen=True)
class Module:
    """A list, its form, and its rules."""

    key: str
    model: type[Model]
    title: Any
    one: Any
    icon: str
    columns: tuple[Column, ...]
    search: tuple[str, ...]
    form: type[forms.ModelForm]
    describe: Callable[[Any], Mapping[str, Value]]
    """What the audit log compares."""
    dependents: Callable[[Any], list[str]]
    """What a removal takes along, in sentences."""
    hint: Any
    """What an empty list says."""
    form_template: str = "configurator/entry_form.html"
    readers: frozenset[str] = roles.EVERYBODY
    editors: frozenset[str] = roles.ADMINISTRATORS
    rows: Callable[[], QuerySet[Any]] = field(default=lambda: models.Service.objects.all())
    forbids_removal: Callable[[Any], str] = field(default=lambda entry: "")

    @property
    def kind(self) -> str:
        """The word that the audit log uses."""
        return str(self.model._meta.model_name)


def _nothing(_: Any) -> list[str]:
    return []


def _service_dependents(service: models.Service) -> list[str]:
    counted = (
        (service.variables.count(), ngettext("its variable", "its %(count)d variables", service.variables.count())),
        (service.triggers.count(), ngettext("its trigger", "its %(count)d triggers", service.triggers.count())),
        (
            service.bindings.count(),
            ngettext(
                "the assignment of one operator", "the assignments of %(count)d operators", service.bindings.count()
            ),
        ),
    )
    return [words % {"count": count} for count, words in counted if count]


def _variable_dependents(variable: models.Variable) -> list[str]:
    name = variable.name.upper()
    used = [
        one
        for one in variable.service.triggers.all()
        if name in placeholders.names_in(one.url) + placeholders.names_in(one.parameters)
    ]
    if not used:
        return []
    return [
        _("%(count)d trigger(s) of %(service)s use {%(name)s}: publishing is refused until they are changed")
        % {"count": len(used), "service": variable.service.name, "name": name}
    ]


def _seat_dependents(seat: models.Seat) -> list[str]:
    names = list(seat.operators.values_list("username", flat=True)[:20])
    if not names:
        return []
    return [_("these operators lose their fixed seat: %(names)s") % {"names": ", ".join(names)}]


def _operator_dependents(operator: models.Operator) -> list[str]:
    names = [one.service.name for one in operator.bindings.select_related("service")]
    return [_("its assignment to: %(names)s") % {"names": ", ".join(names)}] if names else []


def _describe_reason(reason: models.PauseReason) -> dict[str, Value]:
    return {"Name": reason.name}


def _describe_variable(variable: models.Variable) -> dict[str, Value]:
    return {"Name": variable.name, "Service": variable.service.name}


def describe_manager(user: models.ManagerUser) -> dict[str, Value]:
    """A manager user as fields with words."""
    return {
        "User id": user.userid,
        "Full name": user.full_name,
        "E-mail": user.email,
        "Role": user.role,
        "Language": user.language,
        "Enabled": "yes" if user.enabled else "no",
        differences.SECRET: user.password,
    }


def _describe_operator(operator: models.Operator) -> dict[str, Value]:
    services = tuple(
        f"{one.service.name} ({one.penalty})" for one in operator.bindings.select_related("service")
    )
    return {**differences.describe_operator(working_copy.operator_value(operator)), "Service": services}


def _keep_administrator(user: models.ManagerUser) -> str:
    return _("This is the last enabled administrator.") if is_last_administrator(user) else ""


SERVICES = Module(
    key="services", model=models.Service, title=gettext_lazy("Services"), one=gettext_lazy("service"), icon="service",
    columns=(
        Column("name", gettext_lazy("Name"), "name", lambda row: row.name, "strong"),
        Column("context", gettext_lazy("Context"), "context", lambda row: row.context, "code"),
        Column("type", gettext_lazy("Type"), "type", lambda row: row.get_type_display(), "pill"),
        Column("queue", gettext_lazy("Queue"), "queue_name", lambda row: row.queue, "code"),
        Column("variables", gettext_lazy("Variables"), "variable_count", lambda row: row.variable_count, "number"),
        Column("triggers", gettext_lazy("Triggers"), "trigger_count", lambda row: row.trigger_count, "number"),
        Column("operators", gettext_lazy("Operators"), "operator_count", lambda row: row.operator_count, "number"),
        Column("enabled", gettext_lazy("Enabled"), "enabled", lambda row: row.enabled, "yes"),
    ),
    search=("name", "context", "queue_name"), form=ServiceForm,
    form_template="configurator/service_form.html",
    describe=lambda row: differences.describe_service(working_copy.service_value(row)),
    dependents=_service_dependents,
    hint=gettext_lazy("A service is a context of the dialplan, and a queue where it has one, that the server watches."),
    rows=lambda: models.Service.objects.annotate(
        variable_count=Count("variables", distinct=True),
        trigger_count=Count("triggers", distinct=True),
        operator_count=Count("bindings", distinct=True),
    ),
)  # fmt: skip
VARIABLES = Module(
    key="variables", model=models.Variable, title=gettext_lazy("Variables"), one=gettext_lazy("variable"), icon="variable",
    columns=(
        Column("name", gettext_lazy("Name"), "name", lambda row: row.name, "strong"),
        Column("service", gettext_lazy("Service"), "service__name", lambda row: row.service.name),
        Column("context", gettext_lazy("Context"), "service__context", lambda row: row.service.context, "code"),
        Column("placeholder", gettext_lazy("Placeholder"), "", lambda row: f"{{{row.name.upper()}}}", "code"),
    ),
    search=("name", "service__name"), form=VariableForm, describe=_describe_variable,
    dependents=_variable_dependents,
    hint=gettext_lazy("A variable of the dialplan whose value travels to the seat, for triggers to use."),
    rows=lambda: models.Variable.objects.select_related("service"),
)  # fmt: skip
SEATS = Module(
    key="seats", model=models.Seat, title=gettext_lazy("Seats"), one=gettext_lazy("seat"), icon="seat",
    columns=(
        Column("extension", gettext_lazy("Extension"), "extension", lambda row: row.extension, "strong"),
        Column("mac", gettext_lazy("MAC address"), "mac", lambda row: row.mac, "code"),
        Column("description", gettext_lazy("Description"), "description", lambda row: row.description),
        Column("operators", gettext_lazy("Operators"), "", lambda row: ", ".join(one.username for one in row.operators.all())),
        Column("queue_interface", gettext_lazy("Queue interface"), "queue_interface", lambda row: row.queue_interface, "code"),
        Column("address", gettext_lazy("IP address"), "address", lambda row: row.address, "code"),
    ),
    search=("extension", "mac", "description", "address", "queue_interface", "operators__username"),
    form=SeatForm, editors=roles.SENIORS,
    describe=lambda row: differences.describe_seat(working_copy.seat_value(row)),
    dependents=_seat_dependents,
    hint=gettext_lazy("A seat is a PC, known by its MAC address, with the phone beside it."),
    rows=lambda: models.Seat.objects.prefetch_related("operators"),
)  # fmt: skip
OPERATORS = Module(
    key="operators", model=models.Operator, title=gettext_lazy("Operators"), one=gettext_lazy("operator"), icon="operator",
    columns=(
        Column("full_name", gettext_lazy("Full name"), "full_name", lambda row: row.full_name, "strong"),
        Column("username", gettext_lazy("User name"), "username", lambda row: row.username, "code"),
        Column("seat", gettext_lazy("Seat"), "seat__extension", lambda row: row.seat.extension if row.seat else "", "code"),
        Column(
            "services", gettext_lazy("Services"), "", lambda row: ", ".join(one.service.name for one in row.bindings.all())
        ),
        Column("begin_in_pause", gettext_lazy("Begins in pause"), "begin_in_pause", lambda row: row.begin_in_pause, "yes"),
        Column("enabled", gettext_lazy("Enabled"), "enabled", lambda row: row.enabled, "yes"),
    ),
    search=("full_name", "username", "seat__extension", "bindings__service__name"),
    form=OperatorForm, form_template="configurator/operator_form.html", editors=roles.SENIORS,
    describe=_describe_operator, dependents=_operator_dependents,
    hint=gettext_lazy("An operator is a person who logs in at a seat and serves services."),
    rows=lambda: models.Operator.objects.select_related("seat").prefetch_related("bindings__service"),
)  # fmt: skip
REASONS = Module(
    key="reasons", model=models.PauseReason, title=gettext_lazy("Pause reasons"), one=gettext_lazy("pause reason"), icon="pause",
    columns=(Column("name", gettext_lazy("Name"), "name", lambda row: row.name, "strong"),),
    search=("name",), form=PauseReasonForm, describe=_describe_reason, dependents=_nothing,
    hint=gettext_lazy("What operators choose from when they go into pause."),
    rows=lambda: models.PauseReason.objects.all(),
)  # fmt: skip
MANAGERS = Module(
    key="managers", model=models.ManagerUser, title=gettext_lazy("Manager users"), one=gettext_lazy("manager user"), icon="manager",
    columns=(
        Column("full_name", gettext_lazy("Full name"), "full_name", lambda row: row.full_name, "strong"),
        Column("userid", gettext_lazy("User id"), "userid", lambda row: row.userid, "code"),
        Column("role", gettext_lazy("Role"), "role", lambda row: row.get_role_display(), "pill"),
        Column("email", gettext_lazy("E-mail"), "email", lambda row: row.email),
        Column("created", gettext_lazy("Created"), "created", lambda row: row.created, "moment"),
        Column("last_login", gettext_lazy("Last login"), "last_login", lambda row: row.last_login, "moment"),
        Column("enabled", gettext_lazy("Enabled"), "enabled", lambda row: row.enabled, "yes"),
    ),
    search=("full_name", "userid", "email"), form=ManagerUserForm, form_template="configurator/manager_form.html",
    readers=roles.ADMINISTRATORS, describe=describe_manager, dependents=_nothing,
    hint=gettext_lazy("Those who may log in here."), forbids_removal=_keep_administrator,
    rows=lambda: models.ManagerUser.objects.all(),
)  # fmt: skip

MODULES = {one.key: one for one in (SERVICES, VARIABLES, SEATS, OPERATORS, REASONS, MANAGERS)}


def find(module: Module, text: str) -> QuerySet[Any]:
    """The rows that contain each word of a search, anywhere."""
    rows = module.rows()
    for word in text.split()[:8]:
        query = Q()
        for where in module.search:
            query |= Q(**{f"{where}__icontains": word})
        rows = rows.filter(pk__in=module.model._default_manager.filter(query).values("pk"))
    return rows
