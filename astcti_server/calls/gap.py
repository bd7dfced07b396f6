"""Conversations that are found after a time in which nothing was heard of Asterisk: which of them are news.

Pure; AMI thread only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from astcti_server.calls.model import Party

SLACK: Final = 5.0
"""Seconds: `Seconds` is a whole number, a phone rings before it is answered, and a list takes its time."""


class Gap:
    """What is known of the time before the channels were read."""

    def __init__(
        self,
        ringing: Collection[Party],
        ages: Mapping[str, int],
        *,
        unheard: float | None,
        late_pop_up: float,
    ) -> None:
        """`ringing`: who rang when it began, connected with nobody. `ages`: seconds, by Uniqueid.

        `unheard`: its seconds; None if there is no clock, or nothing was heard ever before. `late_pop_up`: so
        many seconds old an answered call may be that still pops up.
        """
        self._ringing = ringing
        self._ages = ages
        self._unheard = unheard
        self._late_pop_up = late_pop_up

    def pops_up(self, party: Party, other: Party) -> bool:
        """Whether two that are found connected, and were not before, are told as if it happened now.

        Both channels are at least as old as their conversation. Of unknown age is old.
        """
        rang = party in self._ringing or other in self._ringing
        if self._unheard is None:
            return rang
        ages = [self._ages[end.call.uniqueid] for end in (party, other) if end.call.uniqueid in self._ages]
        if not rang and not (ages and min(ages) < self._unheard + SLACK):
            return False
        at_most = min([self._unheard, *ages])
        return self._late_pop_up > 0 and at_most <= self._late_pop_up
