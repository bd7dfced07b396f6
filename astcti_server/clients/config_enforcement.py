"""What a new configuration means for those who are logged in. Main thread, or a handler for its own session.

Only who is concerned notices: sessions whose operator, seat and services are as before hear nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from astcti_server.clients import addresses
from schemas import wire
from schemas.configuration.model import Configuration, Operator, Seat

if TYPE_CHECKING:
    from astcti_server.clients.registry import Registry
    from astcti_server.clients.session import Session

SERVICES_CHANGED = wire.reply(221, "SERVICES")


def apply(registry: Registry, old: Configuration, new: Configuration) -> None:
    """Go through all sessions after `new` has come into force."""
    for session in registry.sessions():
        review(session, old, new)


def review(session: Session, old: Configuration, new: Configuration) -> None:
    """End the session if its operator or seat changed; else tell it if its services did."""
    operator = new.operator_by_username.get(session.username)
    if operator is None or not operator.enabled:
        text = "this operator was " + ("removed" if operator is None else "disabled")
        session.close(text, wire.reply(910, "BYE", "DISABLED", text), for_good=True)
        return
    seat = new.seat_by_mac.get(session.seat.mac) if session.seat else None
    text = _operator_changed(session, operator) or _seat_changed(session, seat)
    if text:
        session.close(f"new configuration: {text}", wire.reply(910, "BYE", "CONFIG", text), for_good=True)
        return
    session.operator, session.seat = operator, seat
    if _services(old, session.username) != _services(new, session.username):
        session.announce(SERVICES_CHANGED)


def _operator_changed(session: Session, operator: Operator) -> str:
    before = session.operator
    if before is not None and before.password != operator.password:
        return "the password changed"
    if operator.seat and operator.seat != (session.seat.mac if session.seat else ""):
        return "the operator has another seat"
    return ""


def _seat_changed(session: Session, seat: Seat | None) -> str:
    before = session.seat
    if before is None:
        return ""
    if seat is None:
        return "the seat was removed"
    if before.extension != seat.extension:
        return "the seat has another extension"
    if (before.queue_interface, before.state_interface) != (seat.queue_interface, seat.state_interface):
        return "the seat has another queue interface"
    if seat.address and not addresses.same(seat.address, session.address):
        return "the seat has another address"
    return ""


def _services(configuration: Configuration, username: str) -> list[tuple[str, str, str, str]]:
    own = configuration.services_of(username)
    return [(service.type, service.context, service.name, service.queue) for service in own]
