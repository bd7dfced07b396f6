"""What is wanted in the queues and what Asterisk has, as values that may cross threads. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from astcti_server.queues.membership import Membership

MembershipDifference: TypeAlias = Literal[
    "", "unknown", "missing", "left-behind", "not-wanted", "penalty", "pause"
]
"""`unknown`: Asterisk's members were not read yet. `missing`: wanted, and no member. `left-behind`: by an
earlier run, and its time to come back is not over. `not-wanted`: a member of ours that nobody wants there any
more. `penalty`, `pause`: a member, but not as wanted."""


class MemberOverview(NamedTuple):
    """One interface in one queue."""

    key: str
    """The queue, as its `queue_key`."""
    queue: str
    interface: str
    username: str
    """Whom it is wanted for; empty if for nobody."""
    member: bool
    paused: bool
    """In Asterisk."""
    differs: MembershipDifference
    reason: str
    """Why the last action failed."""
    under_way: bool
    """An action was sent, and what comes of it is not known yet."""


class OperatorOverview(NamedTuple):
    """An operator at a seat, and the pause that is wanted for him."""

    session_id: int
    paused: bool
    reason: str


class QueueOverview(NamedTuple):
    """Everything that the reconciler keeps in order."""

    members: tuple[MemberOverview, ...]
    operators: tuple[OperatorOverview, ...]


def member_overview(membership: Membership) -> MemberOverview:
    """A membership as it is now. AMI thread."""
    desired, actual = membership.desired, membership.actual
    return MemberOverview(
        membership.key,
        membership.queue,
        membership.interface,
        desired.username if desired is not None else "",
        actual is not None,
        actual is not None and actual.paused,
        _difference(membership),
        membership.refusal,
        membership.busy,
    )


def _difference(membership: Membership) -> MembershipDifference:
    desired, actual = membership.desired, membership.actual
    if not membership.known:
        return "unknown"
    if desired is None:
        if actual is None or membership.owner is None:
            return ""
        return "left-behind" if membership.leftover else "not-wanted"
    if actual is None:
        return "missing"
    if actual.penalty is not None and actual.penalty != desired.penalty:
        return "penalty"
    return "pause" if actual.paused != desired.operator.pause.paused else ""
