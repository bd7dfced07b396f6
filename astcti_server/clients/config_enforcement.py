"""What a new configuration means for those who are logged in. Main thread, or a handler for its own session.

Only who is concerned notices: sessions whose operator, seat and services are as before hear nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from astcti_server.clients import addresses, replies
from astcti_server.clients.transfer_contexts import transfer_contexts
from schemas.configuration.model import Configuration, Operator, Seat
from schemas.protocol import ByeReason, Refusal

if TYPE_CHECKING:
    from astcti_server.clients.registry import Registry
    from astcti_server.clients.session import Session


def apply(
    registry: Registry, old: Configuration, new: Configuration, *, transfer_changed: bool = False
) -> None:
    """Go through all sessions after `new` has come into force.

    `transfer_changed`: the settings list other contexts for transfers than before, which concerns everybody.
    """
    for session in registry.sessions():
        review(session, old, new, transfer_changed=transfer_changed)


def review(
    session: Session, old: Configuration, new: Configuration, *, transfer_changed: bool = False
) -> None:
    """End the session if its operator or seat changed; else tell it if what it is offered did."""
    operator = new.operator_by_username.get(session.username)
    if operator is None or not operator.enabled:
        text = (Refusal.OPERATOR_REMOVED if operator is None else Refusal.OPERATOR_DISABLED).text()
        session.close(text, replies.bye(ByeReason.DISABLED, text), for_good=True)
        return
    seat = new.seat_by_mac.get(session.seat.mac) if session.seat else None
    text = _changed(session.operator, operator, session.seat, seat, session.address)
    if text:
        session.close(f"new configuration: {text}", replies.bye(ByeReason.CONFIG, text), for_good=True)
        return
    session.reconfigured(operator, seat)
    if transfer_changed or _offered(old, session.username) != _offered(new, session.username):
        session.announce(replies.SERVICES_CHANGED)


def seat_remains(
    before: Operator, seat_before: Seat, address: str, new: Configuration
) -> tuple[Operator, Seat] | None:
    """Operator and seat as they are now, of a session that would go on; None if it would be ended."""
    operator, seat = new.operator_by_username.get(before.username), new.seat_by_mac.get(seat_before.mac)
    if operator is None or seat is None or not operator.enabled:
        return None
    return None if _changed(before, operator, seat_before, seat, address) else (operator, seat)


def _changed(
    before: Operator | None, operator: Operator, seat_before: Seat | None, seat: Seat | None, address: str
) -> str:
    """Why a session at this address cannot go on; empty if it can."""
    return _operator_changed(before, operator, seat_before) or _seat_changed(seat_before, seat, address)


def _operator_changed(before: Operator | None, operator: Operator, seat: Seat | None) -> str:
    if before is not None and before.password != operator.password:
        return Refusal.PASSWORD_CHANGED.text()
    if operator.seat and operator.seat != (seat.mac if seat else ""):
        return Refusal.OPERATOR_HAS_ANOTHER_SEAT.text()
    return ""


def _seat_changed(before: Seat | None, seat: Seat | None, address: str) -> str:
    if before is None:
        return ""
    if seat is None:
        return Refusal.SEAT_REMOVED.text()
    if before.extension != seat.extension:
        return Refusal.EXTENSION_CHANGED.text()
    if (before.queue_interface, before.state_interface) != (seat.queue_interface, seat.state_interface):
        return Refusal.QUEUE_INTERFACE_CHANGED.text()
    if seat.address and not addresses.same(seat.address, address):
        return Refusal.ADDRESS_CHANGED.text()
    return ""


def _offered(configuration: Configuration, username: str) -> tuple[object, object]:
    """What SERVICES, QUEUES and TARGETS tell; another operator's outbound service may forbid a context."""
    own = configuration.services_of(username)
    services = [
        (service.type, service.context, service.name, service.queue, service.may_leave) for service in own
    ]
    return services, transfer_contexts(configuration, (), username)
