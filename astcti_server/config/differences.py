"""What differs between two configurations, for people: who comes, who goes, and what changes for whom. Pure.

Order does not count, and a password is never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TypeAlias

from schemas.configuration.model import Configuration, Operator, Seat, Service, queue_key

MOST_NAMED = 20
"""Names of one line; of more, how many there are."""

_SECRET = ("password", "scram")
_Part: TypeAlias = Operator | Seat | Service


def differences(old: Configuration, new: Configuration) -> list[str]:
    """Return a line for each kind of change with the names concerned; nothing if all is the same."""
    return [
        *_parts("operators", _operators(old), _operators(new)),
        *_parts("seats", _seats(old), _seats(new)),
        *_parts("services", _services(old), _services(new)),
        *_members(old, new),
        *_named("pause reasons added", [name for name in new.pause_reasons if name not in old.pause_reasons]),
        *_named(
            "pause reasons removed", [name for name in old.pause_reasons if name not in new.pause_reasons]
        ),
        *_named("sent away if logged in", _sent_away(old, new)),
        *_named("have to log in again if logged in", _log_in_again(old, new)),
    ]


def _named(what: str, names: list[str]) -> Iterator[str]:
    if names:
        more = len(names) - MOST_NAMED
        shown = ", ".join(names[:MOST_NAMED])
        yield f"{what} ({len(names)}): {shown}" + (f" and {more} more" if more > 0 else "")


def _parts(
    kind: str, old: Mapping[str, tuple[str, _Part]], new: Mapping[str, tuple[str, _Part]]
) -> Iterator[str]:
    """Compare parts by what identifies them; the mappings have a name for people beside each."""
    yield from _named(f"{kind} added", [name for key, (name, _) in new.items() if key not in old])
    yield from _named(f"{kind} removed", [name for key, (name, _) in old.items() if key not in new])
    changed = []
    for key, (name, part) in new.items():
        if key in old and (what := _changed_fields(old[key][1], part)):
            changed.append(f"{name} [{', '.join(what)}]")
    yield from _named(f"{kind} changed", changed)


def _changed_fields(old: _Part, new: _Part) -> list[str]:
    found = []
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after or field.name == "operators":  # the members have lines of their own
            continue
        label = field.name.replace("_", "-")
        if field.name in _SECRET or isinstance(before, tuple):
            found.append(label)
        elif isinstance(before, bool):
            found.append(f"{label}: {'yes' if after else 'no'}")
        else:
            found.append(f"{label}: {before or '-'} -> {after or '-'}")
    return found


def _operators(configuration: Configuration) -> dict[str, tuple[str, _Part]]:
    return {operator.username: (operator.username, operator) for operator in configuration.operators}


def _seats(configuration: Configuration) -> dict[str, tuple[str, _Part]]:
    return {seat.mac: (f"{seat.extension} ({seat.mac})", seat) for seat in configuration.seats}


def _services(configuration: Configuration) -> dict[str, tuple[str, _Part]]:
    return {_service_key(service): (_service_name(service), service) for service in configuration.services}


def _service_key(service: Service) -> str:
    return f"{service.context}\n{queue_key(service.queue)}"


def _service_name(service: Service) -> str:
    where = f"{service.context}, queue {service.queue}" if service.queue else service.context
    return f"{service.name} ({where})"


def _members(old: Configuration, new: Configuration) -> Iterator[str]:
    """Who is bound to a service that is in both, and with what penalty."""
    before = {_service_key(service): service for service in old.services}
    for service in new.services:
        known = before.get(_service_key(service))
        if known is None:
            continue
        was = {binding.username: binding.penalty for binding in known.operators}
        now = {binding.username: binding.penalty for binding in service.operators}
        of = f"members of {service.name}"
        yield from _named(f"{of} added", [name for name in now if name not in was])
        yield from _named(f"{of} removed", [name for name in was if name not in now])
        moved = [name for name in now if was.get(name, now[name]) != now[name]]
        yield from _named(
            f"{of} changed", [f"{name} [penalty: {was[name]} -> {now[name]}]" for name in moved]
        )


def _sent_away(old: Configuration, new: Configuration) -> list[str]:
    stay = {operator.username for operator in new.operators if operator.enabled}
    return [name.username for name in old.operators if name.enabled and name.username not in stay]


def _log_in_again(old: Configuration, new: Configuration) -> list[str]:
    """Those whose password, or the seat that they are bound to, is another one."""
    found = []
    for operator in old.operators:
        now = new.operator_by_username.get(operator.username)
        if now is None or not (operator.enabled and now.enabled):
            continue
        seat, seat_now = old.seat_by_mac.get(operator.seat), new.seat_by_mac.get(now.seat)
        if operator.password != now.password or (seat is not None and _place(seat) != _place(seat_now)):
            found.append(operator.username)
    return found


def _place(seat: Seat | None) -> tuple[str, ...]:
    return (seat.mac, seat.extension, seat.queue_interface, seat.state_interface) if seat else ()
