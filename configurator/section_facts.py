"""What the modules say of their entries: what depends on one, and what the audit log compares."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from configurator import models
from configurator.forms.entries import is_last_administrator
from configurator.publishing import differences, working_copy
from configurator.publishing.differences import Value
from schemas import placeholders


def nothing(_: Any) -> list[str]:
    return []


def service_dependents(service: models.Service) -> list[str]:
    counted = (
        (
            service.variables.count(),
            ngettext("its variable", "its %(count)d variables", service.variables.count()),
        ),
        (
            service.triggers.count(),
            ngettext("its trigger", "its %(count)d triggers", service.triggers.count()),
        ),
        (
            service.bindings.count(),
            ngettext(
                "the assignment of one operator",
                "the assignments of %(count)d operators",
                service.bindings.count(),
            ),
        ),
    )
    return [words % {"count": count} for count, words in counted if count]


def variable_dependents(variable: models.Variable) -> list[str]:
    name = variable.name.upper()
    used = [
        trigger
        for trigger in variable.service.triggers.all()
        if name in placeholders.names_in(trigger.url) + placeholders.names_in(trigger.parameters)
    ]
    if not used:
        return []
    return [
        _("%(count)d trigger(s) of %(service)s use {%(name)s}: publishing is refused until they are changed")
        % {"count": len(used), "service": variable.service.name, "name": name}
    ]


def seat_dependents(seat: models.Seat) -> list[str]:
    names = list(seat.operators.values_list("username", flat=True)[:20])
    if not names:
        return []
    return [_("these operators lose their fixed seat: %(names)s") % {"names": ", ".join(names)}]


def operator_dependents(operator: models.Operator) -> list[str]:
    names = [binding.service.name for binding in operator.bindings.select_related("service")]
    return [_("its assignment to: %(names)s") % {"names": ", ".join(names)}] if names else []


def describe_reason(reason: models.PauseReason) -> dict[str, Value]:
    return {"Name": reason.name}


def describe_variable(variable: models.Variable) -> dict[str, Value]:
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


def describe_operator(operator: models.Operator) -> dict[str, Value]:
    services = tuple(
        f"{binding.service.name} ({binding.penalty})"
        for binding in operator.bindings.select_related("service")
    )
    return {**differences.describe_operator(working_copy.operator_value(operator)), "Service": services}


def keep_administrator(user: models.ManagerUser) -> str:
    return _("This is the last enabled administrator.") if is_last_administrator(user) else ""
