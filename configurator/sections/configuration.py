"""The sections of the CTI configuration: services, variables, seats, operators, pause reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from configurator import models
from configurator.forms.entries import OperatorForm, PauseReasonForm, SeatForm, VariableForm
from configurator.forms.services import ServiceForm
from configurator.publishing import differences, entry_parts
from configurator.publishing.differences import FieldValue
from configurator.sections import filters
from configurator.sections.section import Column, Section
from configurator.users import roles
from schemas import placeholders

MOST_NAMED = 20
"""Operators that a question names; a seat for everybody may have hundreds."""


def _counted_sentences(*counted: tuple[int, Callable[[int], str]]) -> list[str]:
    """A sentence for each number that is not 0."""
    return [words(count) % {"count": count} for count, words in counted if count]


def _assignments(count: int) -> str:
    return ngettext(
        "the assignment of an operator to a service", "%(count)d assignments of operators to services", count
    )


class ServiceSection(Section):
    """Services, each with its variables, triggers and operators."""

    key = "services"
    model = models.Service
    title = gettext_lazy("Services")
    entry_name = gettext_lazy("service")
    icon = "service"
    columns = (
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
    )
    filters = filters.OF_SERVICES
    search = ("name", "context", "queue_name")
    form = ServiceForm
    form_template = "configurator/service_form.html"
    hint = gettext_lazy(
        "A service is a context of the dialplan, and a queue where it has one, that the server watches."
    )

    def rows(self) -> QuerySet[Any]:
        """Every service, with how much belongs to it."""
        return models.Service.objects.annotate(
            variable_count=_count_of(models.Variable),
            trigger_count=_count_of(models.Trigger),
            operator_count=_count_of(models.ServiceOperator),
        )

    def describe(self, entry: models.Service) -> dict[str, FieldValue]:
        """The service with all that belongs to it."""
        return differences.describe_service(entry_parts.service_value(entry))

    def dependents(self, entry: models.Service) -> list[str]:
        """How much goes with it."""
        variables, triggers = entry.variables.count(), entry.triggers.count()
        bindings = entry.bindings.count()
        counted = (
            (variables, ngettext("its variable", "its %(count)d variables", variables)),
            (triggers, ngettext("its trigger", "its %(count)d triggers", triggers)),
            (
                bindings,
                ngettext(
                    "the assignment of one operator", "the assignments of %(count)d operators", bindings
                ),
            ),
        )
        return [words % {"count": count} for count, words in counted if count]

    def many_dependents(self, rows: Sequence[int]) -> list[str]:
        """How much goes with them."""
        of_services = {"service__in": rows}
        return _counted_sentences(
            (
                models.Variable.objects.filter(**of_services).count(),
                lambda n: ngettext("%(count)d variable", "%(count)d variables", n),
            ),
            (
                models.Trigger.objects.filter(**of_services).count(),
                lambda n: ngettext("%(count)d trigger", "%(count)d triggers", n),
            ),
            (models.ServiceOperator.objects.filter(**of_services).count(), _assignments),
        )

    def describe_many(self, entries: Iterable[models.Service]) -> list[Mapping[str, FieldValue]]:
        """The same with what belongs to them read at once."""
        parts = entry_parts.parts_of_all()
        return [
            differences.describe_service(entry_parts.service_value(entry, parts[entry.pk]))
            for entry in entries
        ]

    def shown_by_many(self, entries: Iterable[models.Service]) -> list[Model]:
        """Their operators."""
        services = [entry.pk for entry in entries]
        bound = models.ServiceOperator.objects.filter(service__in=services)
        return list(models.Operator.objects.filter(pk__in=bound.values("operator")))

    def shown_by(self, entry: models.Service) -> Iterable[Model]:
        """Its operators: their forms have a tick for it."""
        return [binding.operator for binding in entry.bindings.select_related("operator")]


def _count_of(table: type[Model]) -> Coalesce:
    """How many rows belong to a service. Joins of three tables would multiply them before counting."""
    counted = (
        table._default_manager.filter(service=OuterRef("pk"))
        .order_by()
        .values("service")
        .annotate(count=Count("pk"))
        .values("count")
    )
    return Coalesce(Subquery(counted), 0)


class VariableSection(Section):
    """The variables of all services in one list."""

    key = "variables"
    model = models.Variable
    title = gettext_lazy("Variables")
    entry_name = gettext_lazy("variable")
    icon = "variable"
    columns = (
        Column("name", gettext_lazy("Name"), "name", lambda row: row.name, "strong"),
        Column("service", gettext_lazy("Service"), "service__name", lambda row: row.service.name),
        Column(
            "context", gettext_lazy("Context"), "service__context", lambda row: row.service.context, "code"
        ),
        Column("placeholder", gettext_lazy("Placeholder"), "", lambda row: f"{{{row.name.upper()}}}", "code"),
    )
    search = ("name", "service__name")
    form = VariableForm
    hint = gettext_lazy("A variable of the dialplan whose value travels to the seat, for triggers to use.")

    def rows(self) -> QuerySet[Any]:
        """Every variable, with its service."""
        return models.Variable.objects.select_related("service")

    def describe(self, entry: models.Variable) -> dict[str, FieldValue]:
        """Its name, and whose it is."""
        return {"Name": entry.name, "Service": entry.service.name}

    def dependents(self, entry: models.Variable) -> list[str]:
        """The triggers whose placeholder would stand for nothing."""
        name = entry.name.upper()
        used = _triggers_with(entry)
        if not used:
            return []
        sentence = _(
            "%(count)d trigger(s) of %(service)s use {%(name)s}: publishing is refused until they are changed"
        )
        return [sentence % {"count": len(used), "service": entry.service.name, "name": name}]

    def many_dependents(self, rows: Sequence[int]) -> list[str]:
        """How many triggers use them."""
        chosen = models.Variable.objects.filter(pk__in=rows).prefetch_related("service__triggers")
        using = {trigger.pk for variable in chosen for trigger in _triggers_with(variable)}
        sentence = ngettext(
            "%(count)d trigger uses them: publishing is refused until it is changed",
            "%(count)d triggers use them: publishing is refused until they are changed",
            len(using),
        )
        return [sentence % {"count": len(using)}] if using else []

    def shown_by(self, entry: models.Variable) -> Iterable[Model]:
        """Its service: the form lists it."""
        return [entry.service]


def _triggers_with(variable: models.Variable) -> list[models.Trigger]:
    name = variable.name.upper()
    return [
        trigger
        for trigger in variable.service.triggers.all()
        if name in placeholders.names_in(trigger.url) + placeholders.names_in(trigger.parameters)
    ]


class SeatSection(Section):
    """Seats: PCs with the phone beside them."""

    key = "seats"
    model = models.Seat
    title = gettext_lazy("Seats")
    entry_name = gettext_lazy("seat")
    icon = "seat"
    columns = (
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
    )
    filters = filters.OF_SEATS
    search = ("extension", "mac", "description", "address", "queue_interface", "operators__username")
    form = SeatForm
    editors = roles.SENIORS
    hint = gettext_lazy("A seat is a PC, known by its MAC address, with the phone beside it.")

    def rows(self) -> QuerySet[Any]:
        """Every seat, with the operators who may use no other."""
        return models.Seat.objects.prefetch_related("operators")

    def describe(self, entry: models.Seat) -> dict[str, FieldValue]:
        """The seat as it would be published."""
        return differences.describe_seat(entry_parts.seat_value(entry))

    def dependents(self, entry: models.Seat) -> list[str]:
        """Who could sit anywhere then."""
        names = list(entry.operators.values_list("username", flat=True)[:MOST_NAMED])
        if not names:
            return []
        return [_("these operators lose their fixed seat: %(names)s") % {"names": ", ".join(names)}]

    def many_dependents(self, rows: Sequence[int]) -> list[str]:
        """How many could sit anywhere then."""
        return _counted_sentences(
            (
                models.Operator.objects.filter(seat__in=rows).count(),
                lambda n: ngettext(
                    "%(count)d operator loses the fixed seat", "%(count)d operators lose their fixed seat", n
                ),
            )
        )

    def shown_by(self, entry: models.Seat) -> Iterable[Model]:
        """The operators whose only seat it is."""
        return list(entry.operators.all())


class OperatorSection(Section):
    """Operators, with the services they are bound to."""

    key = "operators"
    model = models.Operator
    title = gettext_lazy("Operators")
    entry_name = gettext_lazy("operator")
    icon = "operator"
    columns = (
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
    )
    filters = filters.OF_OPERATORS
    search = ("full_name", "username", "seat__extension", "bindings__service__name")
    form = OperatorForm
    form_template = "configurator/operator_form.html"
    editors = roles.SENIORS
    hint = gettext_lazy("An operator is a person who logs in at a seat and serves services.")

    def rows(self) -> QuerySet[Any]:
        """Every operator, with seat and services."""
        return models.Operator.objects.select_related("seat").prefetch_related("bindings__service")

    def describe(self, entry: models.Operator) -> dict[str, FieldValue]:
        """The operator as published, and the services, which a configuration keeps with these."""
        services = tuple(f"{binding.service.name} ({binding.penalty})" for binding in entry.bindings.all())
        operator = entry_parts.operator_value(entry)
        return {**differences.describe_operator(operator), "Service": services}

    def dependents(self, entry: models.Operator) -> list[str]:
        """Which services lose somebody."""
        names = [binding.service.name for binding in entry.bindings.all()]
        return [_("its assignment to: %(names)s") % {"names": ", ".join(names)}] if names else []

    def many_dependents(self, rows: Sequence[int]) -> list[str]:
        """How many assignments go with them."""
        bound = models.ServiceOperator.objects.filter(operator__in=rows)
        services = bound.values("service").distinct().count()
        return _counted_sentences((bound.count(), _assignments)) + _counted_sentences(
            (
                services,
                lambda n: ngettext(
                    "%(count)d service loses operators", "%(count)d services lose operators", n
                ),
            )
        )

    def shown_by(self, entry: models.Operator) -> Iterable[Model]:
        """The services that list this operator."""
        return [binding.service for binding in entry.bindings.all()]


class PauseReasonSection(Section):
    """Pause reasons."""

    key = "reasons"
    model = models.PauseReason
    title = gettext_lazy("Pause reasons")
    entry_name = gettext_lazy("pause reason")
    icon = "pause"
    columns = (Column("name", gettext_lazy("Name"), "name", lambda row: row.name, "strong"),)
    filters = filters.OF_REASONS
    search = ("name",)
    form = PauseReasonForm
    hint = gettext_lazy("What operators choose from when they go into pause.")

    def describe(self, entry: models.PauseReason) -> dict[str, FieldValue]:
        """Its name."""
        return {"Name": entry.name}
