"""A queue member as Asterisk has it, read from its events and from its list. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from astcti_server.ami.dialect.text import number
from schemas.configuration.model import queue_key

if TYPE_CHECKING:
    from astcti_server.ami.vocabulary import QueueMember
    from astcti_server.ami.wire.messages import AmiEvent


class Member(NamedTuple):
    """A queue member as Asterisk has it."""

    membership: str
    """`dynamic` (added by an action or the dialplan), `static` (queues.conf) or `realtime`, in lower case."""
    penalty: int | None
    """None where no event told it yet."""
    paused: bool
    reason: str = ""
    """Why it is paused. Before 13 no list says it, in 1.4 no event either."""
    state_interface: str | None = None
    """The device whose state says whether it is free; None where no list told it (before 11 none does)."""


def member_after(member: Member | None, event: QueueMember) -> Member | None:
    """The member after an event: what the event does not tell stays. None if there is none.

    Only from 12 on has every event all fields. Before that QueueMemberPaused has neither membership nor
    penalty: about a member that is not known, it alone does not say that there is one that can be
    removed.
    """
    if event.kind == "removed" or (member is None and not event.membership):
        return None
    before = member or Member("", None, False)
    paused = before.paused if event.paused is None else event.paused
    return Member(
        membership=event.membership.lower() or before.membership,
        penalty=before.penalty if event.penalty is None else event.penalty,
        paused=paused,
        reason=(event.reason or before.reason) if paused else "",
        state_interface=None if event.kind == "added" else before.state_interface,
    )


def find_member(events: Iterable[AmiEvent], queue: str, interface: str) -> Member | None:
    """The member in the list that QueueStatus gave."""
    sought = (queue_key(queue), interface)
    for event in events:
        key, member = read_entry(event)
        if key == sought:
            return member
    return None


def read_entry(event: AmiEvent) -> tuple[tuple[str, str], Member | None]:
    """Queue (its key), interface and state of an entry of QueueStatus; ("", "") for one that is no member."""
    if event.name.lower() != "queuemember":
        return ("", ""), None
    member = Member(
        membership=event.get("Membership").lower(),
        penalty=number(event.get("Penalty")),
        paused=event.get("Paused").lower() in {"1", "yes", "true"},
        reason=event.get("PausedReason"),
        state_interface=event.get("StateInterface") or None,
    )
    # In the list it is `Location` in every version up to 22; events say `Interface` from 12 on.
    return (queue_key(event.get("Queue")), event.get("Location") or event.get("Interface")), member
