"""At a quiet moment the members of the queues are those who are logged in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.endurance.checks.findings import Finding, Wrong
from tests.endurance.checks.seat_times import SeatTimes
from tests.endurance.office import Office

Members = Mapping[str, Mapping[str, tuple[int, bool]]]
"""By queue and phone: penalty, and whether in pause."""


def check_members(
    found: Members, seats: Mapping[str, SeatTimes], office: Office, at: float
) -> Iterator[Finding]:
    """What the PBX has, against what the seats know of themselves."""
    wanted = {
        (queue, phone): (penalty, seats[phone].paused)
        for phone in office.phones
        if phone in seats and seats[phone].up
        for queue, penalty in office.queues_of(phone).items()
    }
    there = {(queue, phone): tuple(how) for queue, members in found.items() for phone, how in members.items()}
    for place in sorted(there.keys() - wanted.keys()):
        yield Finding(Wrong.STUCK_MEMBER, at, "{} has {}, who is not logged in".format(*place))
    for place in sorted(wanted.keys() - there.keys()):
        yield Finding(Wrong.MISSING_MEMBER, at, "{} lacks {}, who is logged in".format(*place))
    for place in sorted(wanted.keys() & there.keys()):
        if there[place] != wanted[place]:
            text = "{} has {} with {}, not {} (penalty, pause)".format(*place, there[place], wanted[place])
            yield Finding(Wrong.WRONG_MEMBER, at, text)
    for phone, times in sorted(seats.items()):
        if times.up and times.queues != office.queues_of(phone).keys():
            told = ", ".join(sorted(times.queues)) or "none"
            yield Finding(Wrong.WRONG_MEMBER, at, f"{phone} was told that it is in the queues {told}")
