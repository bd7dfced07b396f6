"""What a list can be narrowed to beside a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy

from configurator import models
from configurator.publishing.unpublished import unpublished_rows


@dataclass(frozen=True)
class ListFilter:
    """One condition; several together narrow the list further."""

    key: str
    """What it is called in addresses."""
    label: Any
    narrow: Callable[[QuerySet[Any]], QuerySet[Any]]


def _where(condition: Any) -> Callable[[QuerySet[Any]], QuerySet[Any]]:
    return lambda rows: rows.filter(condition)


def _changed(kind: str) -> ListFilter:
    return ListFilter(
        "changed",
        gettext_lazy("Changed since the last publication"),
        lambda rows: rows.filter(pk__in=unpublished_rows(kind)),
    )


_ENABLED = ListFilter("enabled", gettext_lazy("Enabled only"), _where(Q(enabled=True)))
_DISABLED = ListFilter("disabled", gettext_lazy("Disabled"), _where(Q(enabled=False)))
_OF_SERVICE = {"service": OuterRef("pk")}

OF_SERVICES = (
    _ENABLED,
    _DISABLED,
    ListFilter("inbound", gettext_lazy("Inbound"), _where(Q(type=models.Service.Type.INBOUND))),
    ListFilter("no-queue", gettext_lazy("Without a queue"), _where(Q(is_queue=False) | Q(queue_name=""))),
    ListFilter(
        "no-operator",
        gettext_lazy("Without an operator"),
        _where(~Exists(models.ServiceOperator.objects.filter(**_OF_SERVICE))),
    ),
    ListFilter(
        "no-trigger",
        gettext_lazy("Without a trigger"),
        _where(~Exists(models.Trigger.objects.filter(**_OF_SERVICE))),
    ),
    _changed("service"),
)
OF_SEATS = (
    ListFilter(
        "no-operator",
        gettext_lazy("Without an operator"),
        _where(~Exists(models.Operator.objects.filter(seat=OuterRef("pk")))),
    ),
    _changed("seat"),
)
OF_OPERATORS = (
    _ENABLED,
    _DISABLED,
    ListFilter("no-seat", gettext_lazy("Without a seat"), _where(Q(seat=None))),
    ListFilter(
        "no-service",
        gettext_lazy("Without a service"),
        _where(~Exists(models.ServiceOperator.objects.filter(operator=OuterRef("pk")))),
    ),
    ListFilter("paused", gettext_lazy("Begins in pause"), _where(Q(begin_in_pause=True))),
    _changed("operator"),
)
OF_REASONS = (_changed("reason"),)
