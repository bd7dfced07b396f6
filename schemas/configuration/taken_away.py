"""How much a configuration takes away from another: too much is held until somebody says that it is meant.

Pure; standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Literal, NamedTuple

from schemas.configuration.model import Configuration, queue_key
from schemas.sentences import said

PartsKind = Literal["operators", "seats", "services"]

FEWEST = 5
"""Fewer than so many are taken away by hand every day, unless they are all that there are."""
PARTS = 5
"""More than one of so many is much."""


class Loss(NamedTuple):
    """How many parts of one kind that are of use in a configuration are not in another."""

    kind: PartsKind
    lost: int
    before: int

    @property
    def is_much(self) -> bool:
        """Whether it is all of them, or more than a fifth and at least five."""
        return 0 < self.lost == self.before or (self.lost >= FEWEST and self.lost * PARTS > self.before)


def much_taken_away(old: Configuration, new: Configuration) -> tuple[Loss, ...]:
    """Return the kinds of which `new` takes away much; nothing if it may take the place of `old` at once."""
    return tuple(loss for loss in losses(old, new) if loss.is_much)


def losses(old: Configuration, new: Configuration) -> tuple[Loss, ...]:
    """Return how many operators, seats and services are taken away.

    An operator or a service that is disabled is away. A seat stays while its PC or its phone does, a service
    while its name, or its context and queue do: these were changed.
    """
    gone_operators = _operators(old) - _operators(new)
    macs, extensions = new.seat_by_mac, new.seat_by_extension
    gone_seats = [seat for seat in old.seats if seat.mac not in macs and seat.extension not in extensions]
    names = {service.name for service in new.services if service.enabled}
    pairs = {(service.context, queue_key(service.queue)) for service in new.services if service.enabled}
    used = [service for service in old.services if service.enabled]
    gone_services = [
        service
        for service in used
        if service.name not in names and (service.context, queue_key(service.queue)) not in pairs
    ]
    return (
        Loss("operators", len(gone_operators), len(_operators(old))),
        Loss("seats", len(gone_seats), len(old.seats)),
        Loss("services", len(gone_services), len(used)),
    )


def losses_in_words(found: Iterable[Loss]) -> str:
    """Say what is taken away, as a sentence's end: `3 of 3 operators, 6 of 20 seats`. At least one."""
    shown = [_in_words(loss) for loss in found]
    return reduce(lambda first, second: said("{first}, {second}", first=first, second=second), shown)


def _operators(configuration: Configuration) -> set[str]:
    return {operator.username for operator in configuration.operators if operator.enabled}


def _in_words(loss: Loss) -> str:
    kind, lost, before = loss
    if kind == "operators":
        return said("{lost} of {before} operators", lost=lost, before=before)
    if kind == "seats":
        return said("{lost} of {before} seats", lost=lost, before=before)
    return said("{lost} of {before} services", lost=lost, before=before)
