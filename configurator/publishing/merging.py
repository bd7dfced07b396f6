"""Merges a configuration into the entries: what it says counts, what it does not mention stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from schemas.configuration.checks import check_configuration
from schemas.configuration.model import Configuration, Service
from schemas.problems import ConfigurationError, Problem

Part = TypeVar("Part")


def merged(present: Configuration, added: Configuration) -> Configuration:
    """Return both as one, in the order of the entries here; what is new stands behind.

    Seats are the same by MAC, operators by user name, services by context and queue. Of a service that both
    have, the variables and operators of both are kept; its triggers are those of `added` if it has any.
    ConfigurationError if both together are wrong where neither is alone, such as two seats with one phone.
    """
    result = Configuration(
        services=_joined(present.services, added.services, _service_key, _service),
        seats=_joined(present.seats, added.seats, lambda seat: seat.mac),
        operators=_joined(present.operators, added.operators, lambda operator: operator.username),
        pause_reasons=_joined(present.pause_reasons, added.pause_reasons, str),
    )
    known = {(complaint.kind, str(complaint.message)) for complaint in check_configuration(present)}
    complaints = [
        complaint
        for complaint in check_configuration(result)
        if (complaint.kind, str(complaint.message)) not in known
    ]
    if complaints:
        raise ConfigurationError(Problem(complaint.kind, 0, complaint.message) for complaint in complaints)
    return result


def _service_key(service: Service) -> tuple[str, str]:
    return service.context, service.queue.lower()


def _joined(
    present: Iterable[Part],
    added: Iterable[Part],
    key: Callable[[Part], Any],
    join: Callable[[Part, Part], Part] = lambda _, new: new,
) -> tuple[Part, ...]:
    found = {key(entry): entry for entry in present}
    for entry in added:
        at = key(entry)
        found[at] = join(found[at], entry) if at in found else entry
    return tuple(found.values())


def _service(present: Service, added: Service) -> Service:
    return replace(
        added,
        variables=_joined(present.variables, added.variables, str.upper),
        triggers=added.triggers or present.triggers,
        operators=_joined(present.operators, added.operators, lambda binding: binding.username),
    )
