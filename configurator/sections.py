"""The modules that are lists with forms: what they show, search, sort, and who may change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Count, Model, Q, QuerySet
from django.utils.translation import gettext_lazy

from configurator import models, section_facts
from configurator.forms.entries import ManagerUserForm, OperatorForm, PauseReasonForm, SeatForm, VariableForm
from configurator.forms.services import ServiceForm
from configurator.publishing import differences, working_copy
from configurator.publishing.differences import Value
from configurator.users import roles


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
    rows: Callable[[], QuerySet[Any]] = field(default=models.Service.objects.all)
    forbids_removal: Callable[[Any], str] = field(default=lambda entry: "")

    @property
    def kind(self) -> str:
        """The word that the audit log uses."""
        return str(self.model._meta.model_name)


SERVICES = Module(
    key="services",
    model=models.Service,
    title=gettext_lazy("Services"),
    one=gettext_lazy("service"),
    icon="service",
    columns=(
        Column("name", gettext_lazy("Name"), "name", lambda row: row.name, "strong"),
        Column("context", gettext_lazy("Context"), "context", lambda row: row.context, "code"),
        Column("type", gettext_lazy("Type"), "type", lambda row: row.get_type_display(), "pill"),
        Column("queue", gettext_lazy("Queue"), "queue_name", lambda row: row.queue, "code"),
        Column(
            "variables", gettext_lazy("Variables"), "variable_count", lambda row: row.variable_count, "number"
        ),
        Column(
            "triggers", gettext_lazy("Triggers"), "trigger_count", lambda row: row.trigger_count, "number"
        ),
        Column(
            "operators", gettext_lazy("Operators"), "operator_count", lambda row: row.operator_count, "number"
        ),
        Column("enabled", gettext_lazy("Enabled"), "enabled", lambda row: row.enabled, "yes"),
    ),
    search=("name", "context", "queue_name"),
    form=ServiceForm,
    form_template="configurator/service_form.html",
    describe=lambda row: differences.describe_service(working_copy.service_value(row)),
    dependents=section_facts.service_dependents,
    hint=gettext_lazy(
        "A service is a context of the dialplan, and a queue where it has one, that the server watches."
    ),
    rows=lambda: models.Service.objects.annotate(
        variable_count=Count("variables", distinct=True),
        trigger_count=Count("triggers", distinct=True),
        operator_count=Count("bindings", distinct=True),
    ),
)
VARIABLES = Module(
    key="variables",
    model=models.Variable,
    title=gettext_lazy("Variables"),
    one=gettext_lazy("variable"),
    icon="variable",
    columns=(
        Column("name", gettext_lazy("Name"), "name", lambda row: row.name, "strong"),
        Column("service", gettext_lazy("Service"), "service__name", lambda row: row.service.name),
        Column(
            "context", gettext_lazy("Context"), "service__context", lambda row: row.service.context, "code"
        ),
        Column("placeholder", gettext_lazy("Placeholder"), "", lambda row: f"{{{row.name.upper()}}}", "code"),
    ),
    search=("name", "service__name"),
    form=VariableForm,
    describe=section_facts.describe_variable,
    dependents=section_facts.variable_dependents,
    hint=gettext_lazy("A variable of the dialplan whose value travels to the seat, for triggers to use."),
    rows=lambda: models.Variable.objects.select_related("service"),
)
SEATS = Module(
    key="seats",
    model=models.Seat,
    title=gettext_lazy("Seats"),
    one=gettext_lazy("seat"),
    icon="seat",
    columns=(
        Column("extension", gettext_lazy("Extension"), "extension", lambda row: row.extension, "strong"),
        Column("mac", gettext_lazy("MAC address"), "mac", lambda row: row.mac, "code"),
        Column("description", gettext_lazy("Description"), "description", lambda row: row.description),
        Column(
            "operators",
            gettext_lazy("Operators"),
            "",
            lambda row: ", ".join(operator.username for operator in row.operators.all()),
        ),
        Column(
            "queue_interface",
            gettext_lazy("Queue interface"),
            "queue_interface",
            lambda row: row.queue_interface,
            "code",
        ),
        Column("address", gettext_lazy("IP address"), "address", lambda row: row.address, "code"),
    ),
    search=("extension", "mac", "description", "address", "queue_interface", "operators__username"),
    form=SeatForm,
    editors=roles.SENIORS,
    describe=lambda row: differences.describe_seat(working_copy.seat_value(row)),
    dependents=section_facts.seat_dependents,
    hint=gettext_lazy("A seat is a PC, known by its MAC address, with the phone beside it."),
    rows=lambda: models.Seat.objects.prefetch_related("operators"),
)
OPERATORS = Module(
    key="operators",
    model=models.Operator,
    title=gettext_lazy("Operators"),
    one=gettext_lazy("operator"),
    icon="operator",
    columns=(
        Column("full_name", gettext_lazy("Full name"), "full_name", lambda row: row.full_name, "strong"),
        Column("username", gettext_lazy("User name"), "username", lambda row: row.username, "code"),
        Column(
            "seat",
            gettext_lazy("Seat"),
            "seat__extension",
            lambda row: row.seat.extension if row.seat else "",
            "code",
        ),
        Column(
            "services",
            gettext_lazy("Services"),
            "",
            lambda row: ", ".join(binding.service.name for binding in row.bindings.all()),
        ),
        Column(
            "begin_in_pause",
            gettext_lazy("Begins in pause"),
            "begin_in_pause",
            lambda row: row.begin_in_pause,
            "yes",
        ),
        Column("enabled", gettext_lazy("Enabled"), "enabled", lambda row: row.enabled, "yes"),
    ),
    search=("full_name", "username", "seat__extension", "bindings__service__name"),
    form=OperatorForm,
    form_template="configurator/operator_form.html",
    editors=roles.SENIORS,
    describe=section_facts.describe_operator,
    dependents=section_facts.operator_dependents,
    hint=gettext_lazy("An operator is a person who logs in at a seat and serves services."),
    rows=lambda: models.Operator.objects.select_related("seat").prefetch_related("bindings__service"),
)
REASONS = Module(
    key="reasons",
    model=models.PauseReason,
    title=gettext_lazy("Pause reasons"),
    one=gettext_lazy("pause reason"),
    icon="pause",
    columns=(Column("name", gettext_lazy("Name"), "name", lambda row: row.name, "strong"),),
    search=("name",),
    form=PauseReasonForm,
    describe=section_facts.describe_reason,
    dependents=section_facts.nothing,
    hint=gettext_lazy("What operators choose from when they go into pause."),
    rows=models.PauseReason.objects.all,
)
MANAGERS = Module(
    key="managers",
    model=models.ManagerUser,
    title=gettext_lazy("Manager users"),
    one=gettext_lazy("manager user"),
    icon="manager",
    columns=(
        Column("full_name", gettext_lazy("Full name"), "full_name", lambda row: row.full_name, "strong"),
        Column("userid", gettext_lazy("User id"), "userid", lambda row: row.userid, "code"),
        Column("role", gettext_lazy("Role"), "role", lambda row: row.get_role_display(), "pill"),
        Column("email", gettext_lazy("E-mail"), "email", lambda row: row.email),
        Column("created", gettext_lazy("Created"), "created", lambda row: row.created, "moment"),
        Column("last_login", gettext_lazy("Last login"), "last_login", lambda row: row.last_login, "moment"),
        Column("enabled", gettext_lazy("Enabled"), "enabled", lambda row: row.enabled, "yes"),
    ),
    search=("full_name", "userid", "email"),
    form=ManagerUserForm,
    form_template="configurator/manager_form.html",
    readers=roles.ADMINISTRATORS,
    describe=section_facts.describe_manager,
    dependents=section_facts.nothing,
    hint=gettext_lazy("Those who may log in here."),
    forbids_removal=section_facts.keep_administrator,
    rows=models.ManagerUser.objects.all,
)

MODULES = {one.key: one for one in (SERVICES, VARIABLES, SEATS, OPERATORS, REASONS, MANAGERS)}


def find(module: Module, text: str) -> QuerySet[Any]:
    """The rows that contain each word of a search, anywhere."""
    rows = module.rows()
    for word in text.split()[:8]:
        query = Q()
        for where in module.search:
            query |= Q(**{f"{where}__resembles": word})
        rows = rows.filter(pk__in=module.model._default_manager.filter(query).values("pk"))
    return rows
