"""Conversations that are found after a time in which nothing was heard of Asterisk: which of them are news.

Pure; AMI thread only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from astcti_server.calls.model import Party
from astcti_server.calls.state.found import Found
from schemas.protocol import KEPT_FOR

SLACK: Final = 5.0
"""Seconds: `Seconds` is a whole number, a phone rings before it is answered, and a list takes its time."""


class Gap:
    """What is known of the time before the channels were read."""

    def __init__(
        self,
        ringing: Collection[Party],
        ages: Mapping[str, int],
        *,
        now: float,
        unheard: float | None,
        late_pop_up: float,
    ) -> None:
        """`ringing`: who rang when it began, connected with nobody. `ages`: seconds, by Uniqueid.

        `unheard`: its seconds; None if there is no clock, or nothing was heard ever before. `late_pop_up`: so
        many seconds old an answered call may be that still pops up at a client that does not resume.
        """
        self._ringing = ringing
        self._ages = ages
        self._now = now
        self._unheard = unheard
        self._late_pop_up = late_pop_up

    def found(self, party: Party, other: Party) -> Found:
        """Judge two that are found connected, and were not before.

        Both channels are at least as old as their conversation. Of unknown age is old.
        """
        rang = party in self._ringing or other in self._ringing
        ages = [self._ages[end.call.uniqueid] for end in (party, other) if end.call.uniqueid in self._ages]
        if self._unheard is None:
            return self._found_at_start(party, other, ages, rang=rang)
        news = rang or (bool(ages) and min(ages) < self._unheard + SLACK)
        at_most = min([self._unheard, *ages])
        repeat = not (news and 0 < self._late_pop_up >= at_most)
        return Found(repeat, news, at_start=False, began=self._now - at_most if news else None)

    def _found_at_start(self, party: Party, other: Party, ages: list[int], *, rang: bool) -> Found:
        """Up to 11 the id that an end has now need not be the one by which clients know it: a masquerade."""
        known_by_id = bool(party.linkedid and other.linkedid)
        recent = known_by_id and bool(ages) and min(ages) < KEPT_FOR
        began = self._now - min(ages) if ages else None
        return Found(not rang, rang or recent, at_start=recent and not rang, began=began)
