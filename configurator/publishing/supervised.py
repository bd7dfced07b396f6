"""What supervisors publish: the last publication with the seats and operators of the entries here.

What administrators have under way stays out: services, their variables and triggers, pause reasons. Which
operators a service has belongs to the operators, whose form shows it. A service is found again by context
and queue, else by its name if that is of one service only: its operators are published with what it says
already, not with what is under way.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from configurator.publishing.differences import service_key
from configurator.publishing.working_copy import WorkingCopy, digest_of
from schemas.configuration.checks import PartPlaces
from schemas.configuration.model import Binding, Configuration, Service

Named = TypeVar("Named")


class WaitingService(NamedTuple):
    """A service that is not published, or not under this name, with operators here: they wait with it."""

    name: str
    operators: int


class LosingService(NamedTuple):
    """A published service that administrators removed or renamed here; who is gone here goes from it."""

    name: str
    operators: tuple[str, ...]


class SupervisedEntries(NamedTuple):
    """What would be published, and what of the supervisors' changes depends on something under way."""

    copy: WorkingCopy
    """The configuration, and where its seats and operators come from; services have no row."""
    waiting: tuple[WaitingService, ...]
    losing: tuple[LosingService, ...]


_lock = threading.Lock()
_known: tuple[tuple[object, ...], SupervisedEntries | None] = ((), None)
"""Of which parts it was put together last, and how: a page asks for it several times."""


def supervised_entries(published: Configuration, copy: WorkingCopy) -> SupervisedEntries:
    """Put what is published and the seats and operators of `copy` together. Any thread."""
    global _known
    present = copy.configuration
    of = (published, present.services, present.seats, present.operators)
    with _lock:
        known, found = _known
    if found is not None and all(mine is its for mine, its in zip(of, known, strict=True)):
        return found
    found = _put_together(published, copy)
    with _lock:
        _known = (of, found)
    return found


def _put_together(published: Configuration, copy: WorkingCopy) -> SupervisedEntries:
    present = copy.configuration
    partners = _partners(published.services, present.services)
    known = present.operator_by_username
    services = [
        _with_operators(service, partners.get(at), known) for at, service in enumerate(published.services)
    ]
    losing = [
        LosingService(service.name, gone)
        for at, service in enumerate(published.services)
        if at not in partners and (gone := _gone(service.operators, known))
    ]
    taken = {id(service) for service in partners.values()}
    waiting = [
        WaitingService(service.name, len(service.operators))
        for service in present.services
        if id(service) not in taken and service.operators
    ]
    configuration = replace(
        published, services=tuple(services), seats=present.seats, operators=present.operators
    )
    return SupervisedEntries(_numbered(configuration, copy), tuple(waiting), tuple(losing))


def _partners(published: Collection[Service], present: Iterable[Service]) -> dict[int, Service]:
    """The services here that are the published ones, by the number of these."""
    by_key = {service_key(service): service for service in present}
    found = {
        at: by_key[key] for at, service in enumerate(published) if (key := service_key(service)) in by_key
    }
    taken = {id(service) for service in found.values()}
    old = _by_name((service.name, at) for at, service in enumerate(published) if at not in found)
    new = _by_name((service.name, service) for service in by_key.values() if id(service) not in taken)
    return found | {at: new[name] for name, at in old.items() if name in new}


def _by_name(named: Iterable[tuple[str, Named]]) -> dict[str, Named]:
    """Only what is called as nothing else of it is."""
    named = list(named)
    often = Counter(name for name, _ in named)
    return {name: part for name, part in named if often[name] == 1}


def _with_operators(service: Service, partner: Service | None, known: Collection[str]) -> Service:
    if partner is not None:
        bound = tuple(
            binding if service.queue else Binding(binding.username) for binding in partner.operators
        )
    else:
        bound = tuple(binding for binding in service.operators if binding.username in known)
    return service if bound == service.operators else replace(service, operators=bound)


def _gone(bindings: Iterable[Binding], known: Collection[str]) -> tuple[str, ...]:
    return tuple(binding.username for binding in bindings if binding.username not in known)


def _numbered(configuration: Configuration, copy: WorkingCopy) -> WorkingCopy:
    """Say where complaints come from: a service by its number among the published ones."""
    services = configuration.services
    rows = list(range(1, len(services) + 1))
    places = PartPlaces(
        unit="#",
        services=rows,
        variables=[[row] * len(its.variables) for row, its in zip(rows, services, strict=True)],
        triggers=[[row] * len(its.triggers) for row, its in zip(rows, services, strict=True)],
        bindings=[[row] * len(its.operators) for row, its in zip(rows, services, strict=True)],
        seats=copy.places.seats,
        operators=copy.places.operators,
        reasons=list(range(1, len(configuration.pause_reasons) + 1)),
    )
    of_services = {row: service.name for row, service in zip(rows, services, strict=True)}
    names = dict.fromkeys(("service", "variable", "trigger", "binding"), of_services)
    names |= {"seat": copy.names["seat"], "operator": copy.names["operator"]}
    names["reason"] = dict(enumerate(configuration.pause_reasons, 1))
    # Not of the entries here: what administrators do meanwhile changes nothing of it.
    return WorkingCopy(configuration, places, names, digest_of(repr(configuration)))
