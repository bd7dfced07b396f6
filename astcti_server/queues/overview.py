"""What is wanted in the queues and what Asterisk has, as values that may cross threads. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from astcti_server.queues.membership import Membership
from astcti_server.queues.seated_operator import SeatedOperator

MOST_DIFFERING: Final = 50
"""Members of one queue that are told one by one; of more, how many there are."""

MembershipDifference: TypeAlias = Literal[
    "", "unknown", "missing", "left-behind", "not-wanted", "penalty", "pause"
]
"""`unknown`: Asterisk's members were not read yet. `missing`: wanted, and no member. `left-behind`: by an
earlier run, and its time to come back is not over. `not-wanted`: a member of ours that nobody wants there any
more. `penalty`, `pause`: a member, but not as wanted."""


class DifferingMember(NamedTuple):
    """One interface in one queue that is not as it should be."""

    interface: str
    username: str
    """Whom it is wanted for; empty if for nobody."""
    differs: MembershipDifference
    reason: str
    """Why the last action failed."""
    under_way: bool
    """An action was sent, and what comes of it is not known yet."""


class QueueOverview(NamedTuple):
    """One queue: how many, and who is not as he should be."""

    key: str
    """Its `queue_key`."""
    queue: str
    wanted: int
    members: int
    """Of those that are known here: others in the queue are no concern of ours."""
    paused: int
    """Of the members, in Asterisk."""
    differing: tuple[DifferingMember, ...]
    """The first `MOST_DIFFERING`."""
    more: int
    """How many more differ."""


class OperatorOverview(NamedTuple):
    """An operator at a seat, and the pause that is wanted for him."""

    session_id: int
    paused: bool
    reason: str
    since: float | None
    """When that pause began, in seconds since 1970; None if there is none."""


class OperatorStanding(NamedTuple):
    """Whether an operator takes calls of his queues."""

    username: str
    paused: bool
    inside: bool
    """In one queue at least of those that he wants to be in, or there are none."""


class MembershipOverview(NamedTuple):
    """One interface in one queue, as it should be and as it is."""

    interface: str
    username: str
    """Whom it is wanted for; empty if for nobody."""
    wanted: bool
    member: bool
    """Asterisk has it."""
    membership: str
    """As Asterisk has it: `dynamic`, `static` or `realtime`; empty where it says nothing."""
    wanted_penalty: int | None
    penalty: int | None
    wanted_paused: bool
    paused: bool
    pause_reason: str
    """As Asterisk has it."""
    differs: MembershipDifference
    reason: str
    """Why the last action failed."""
    under_way: bool


class QueuesOverview(NamedTuple):
    """Everything that the reconciler keeps in order."""

    queues: tuple[QueueOverview, ...]
    operators: tuple[OperatorOverview, ...]


def queues_overview(
    memberships: Iterable[Membership],
    operators: Iterable[SeatedOperator],
    paused_since: Callable[[str], float | None],
) -> QueuesOverview:
    """Everything as it is now. AMI thread: of 3,000 memberships only those that differ become objects.

    `paused_since`: when the pause of an operator, by user name, began.
    """
    by_queue: dict[str, list[Membership]] = {}
    for membership in memberships:
        by_queue.setdefault(membership.key, []).append(membership)
    seated = [(operator.presence, operator.pause) for operator in operators]
    return QueuesOverview(
        tuple([_queue_overview(found) for found in by_queue.values()]),
        tuple(
            [
                OperatorOverview(
                    presence.session_id,
                    pause.paused,
                    pause.reason,
                    paused_since(presence.username) if pause.paused else None,
                )
                for presence, pause in seated
            ]
        ),
    )


def members_overview(memberships: Iterable[Membership], key: str) -> Iterator[MembershipOverview | None]:
    """Each of one queue; None for those of others. AMI thread."""
    for membership in memberships:
        yield _member_overview(membership) if membership.key == key else None


def _member_overview(membership: Membership) -> MembershipOverview:
    desired, actual = membership.desired, membership.actual
    return MembershipOverview(
        membership.interface,
        desired.username if desired is not None else "",
        desired is not None,
        actual is not None,
        (actual.membership or "") if actual is not None else "",
        desired.penalty if desired is not None else None,
        actual.penalty if actual is not None else None,
        desired is not None and desired.operator.pause.paused,
        actual is not None and actual.paused,
        actual.reason if actual is not None else "",
        _difference(membership),
        membership.refusal,
        membership.busy,
    )


def _queue_overview(memberships: list[Membership]) -> QueueOverview:
    wanted = members = paused = more = 0
    differing: list[DifferingMember] = []
    for membership in memberships:
        desired, actual = membership.desired, membership.actual
        wanted += desired is not None
        if actual is not None:
            members += 1
            paused += actual.paused
        difference = _difference(membership)
        if not difference:
            continue
        if len(differing) == MOST_DIFFERING:
            more += 1
            continue
        username = desired.username if desired is not None else ""
        differing.append(
            DifferingMember(membership.interface, username, difference, membership.refusal, membership.busy)
        )
    first = memberships[0]
    return QueueOverview(first.key, first.queue, wanted, members, paused, tuple(differing), more)


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
    # No action changes that of a member that queues.conf or realtime names: it is as it should be.
    if actual.membership == "dynamic" and actual.penalty not in (None, desired.penalty):
        return "penalty"
    return "pause" if actual.paused != desired.operator.pause.paused else ""
