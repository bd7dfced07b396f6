"""Who got connected to whom: turns edges of the graph into Link and Unlink for the seats concerned.

The first time that a pair of parties is connected is the moment a phone answered a caller. Asterisk links
the same pair again and again (native bridges, features, optimised Local channels); none of that is told.
A pair ends when either end hangs up or is paired elsewhere. AMI thread only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from astcti_server.calls.gap import Gap
from astcti_server.calls.graph import Reach, reach, touched
from astcti_server.calls.model import AsteriskCall, Leg, Pair, Party
from astcti_server.calls.notifier import Notifier
from astcti_server.calls.seat_view import calling_end, direction_of
from astcti_server.calls.state.found import Found
from astcti_server.calls.table import CallTable
from astcti_server.calls.trail_notes import note_pair
from schemas.explanation.codes import TrailStep

_CONNECTED = TrailStep.CONNECTED.value
_FOUND_CONNECTED = TrailStep.FOUND_CONNECTED.value
_TOLD_AGAIN = TrailStep.TOLD_AGAIN.value
_PARTED = TrailStep.PARTED.value


class Pairing:
    """Keeps every party's pairs in step with the graph."""

    def __init__(self, table: CallTable, notifier: Notifier) -> None:
        self._table = table
        self._notifier = notifier
        self._gap: Gap | None = None
        self._awaits_channels = False
        self._seen: set[Party] = set()
        """Who was connected meanwhile, with whoever of these is found to be the other."""

    @property
    def reading(self) -> bool:
        """Whether the state is read anew."""
        return self._gap is not None

    @property
    def awaits_channels(self) -> bool:
        """Whether nobody is told of a conversation that begins, until the channels are read."""
        return self._awaits_channels

    def await_channels(self) -> None:
        """Logged in again: of calls that are there something may be missing, such as their variables.

        So what begins is told when the channels are read, at most, and then as any other that was seen to
        begin. `reading_state` ends that, or `channels_unread`.
        """
        self._awaits_channels = True

    def channels_unread(self, calls: Iterable[AsteriskCall]) -> None:
        """Tell what began with what is known: the list does not come."""
        self._stop_waiting()
        self.review(call for call in calls if not call.is_local)

    def _stop_waiting(self) -> None:
        self._awaits_channels = False
        self._seen.clear()

    @contextmanager
    def reading_state(self, gap: Gap) -> Iterator[None]:
        """While the state is read anew: `reading` is true, and the gap says which pairs get a pop-up."""
        self._gap = gap
        try:
            yield
        finally:
            self._gap = None
            self._stop_waiting()

    def touched(self, *calls: AsteriskCall) -> Iterable[AsteriskCall]:
        """The phones whose pairs a change at `calls` may alter; ask before an edge is removed."""
        return touched(self._table, calls)

    def review(self, calls: Iterable[AsteriskCall]) -> None:
        """Compare pairs with the graph after a change.

        First what ended, then what began: for who hears Unlink last, nobody is left to talk to.
        """
        heard: dict[Party, Reach] = {}
        for call in calls:
            if not call.is_local and call.party.live:  # it may have become one: a masquerade
                heard[call.party] = reach(self._table, call)
        for now in tuple(heard.values()):
            for other in now:
                if other not in heard:
                    heard[other] = reach(self._table, other.call)
        for party, now in heard.items():
            if party.pairs:
                self._part(party, now)
        if self._awaits_channels and self._gap is None:
            self._seen.update(party for party, now in heard.items() if now)
            return
        for party, now in heard.items():
            for other, path in now.items():
                self._meet(party, other, path)

    def hang_up(self, party: Party) -> None:
        """End all pairs of a party that leaves."""
        for other, pair in party.pairs.items():
            self._end(party, other, pair)
        party.forget_pairs()

    def _meet(self, party: Party, other: Party, path: tuple[Party, ...]) -> None:
        pair = party.pairs.get(other)
        if pair is None:
            pair = party.meet(other, self._found(party, other))
            if party.parked is not other.parked:  # Asterisk 12 and later may say only afterwards who fetched
                parked, fetcher = (party, other) if party.parked else (other, party)
                fetcher.fetch(parked)
            note_pair(party, other, _FOUND_CONNECTED if pair.repeat else _CONNECTED)
            _remember_caller(party, other, path)
            self._hand_over_what_halves_learned(party, other, path)
            self._tell_link(party, other, path, pair)
            return
        if pair.ended:
            pair.resume()
            note_pair(party, other, _TOLD_AGAIN)
            self._tell_link(party, other, path, pair, again=True)

    def _found(self, party: Party, other: Party) -> Found | None:
        if self._gap is None or (party in self._seen and other in self._seen):
            return None
        return self._gap.found(party, other)

    def _hand_over_what_halves_learned(self, party: Party, other: Party, path: tuple[Party, ...]) -> None:
        """Where the caller's way led through Local channels, or began with one, they know more of the call.

        Those, too, through which he rang the phone and which Asterisk optimised away before the two met.
        Not those that only lead to a queue's member, nor those that the dialplan dials straight to a phone.
        And not for a member who asks a colleague.
        """
        if not (path or party.path or other.path):
            return
        caller = calling_end(party, other)
        called = other if caller is party else party
        if called.caller is caller:
            path = tuple(dict.fromkeys((*path, *called.path)))
        for half in path:
            half.be_connected()
        if caller.from_queue or not any(half.queue or half.originated for half in path):
            return
        for half in path:
            other_half = self._table.other_half(half.call)
            if not half.from_queue and not (other_half is not None and other_half.party.from_queue):
                caller.adopt(half)

    def _tell_link(
        self, party: Party, other: Party, path: tuple[Party, ...], pair: Pair, *, again: bool = False
    ) -> None:
        for end, peer in ((party, other), (other, party)):
            end.be_connected()
            if end.leg is not None:
                repeat = again or self._notifier.is_repeat(end.leg, pair)
                if end.leg.awaits_caller and not repeat:
                    self._tell_ring(end.leg, peer)
                end.leg.connect(peer)
                end.hear_through(path if end is party else path[::-1])  # the nearest half first
                self._notifier.notify(end.leg, "Link", other=peer, repeat=repeat, found=pair.found)

    def _tell_ring(self, leg: Leg, caller: Party) -> None:
        """The Link is told before what would have said who rings: then the Link says it."""
        if direction_of(leg, caller) == "inbound":
            leg.show(caller)
            leg.tell_caller()
            self._notifier.notify(leg, "Callerid", other=caller)

    def _part(self, party: Party, now: Reach) -> None:
        """End the pairs of which either end is connected elsewhere.

        Not those whose ends both hear nobody: Asterisk unlinks and links a pair time and again: for features,
        native bridges, at each key (Unlink and Link in 1.4, Bridge up to 11, BridgeLeave and BridgeEnter).
        """
        for other, pair in party.pairs.items():
            if pair.ended:
                continue
            pair.hear(other in now)
            if not pair.connected and (now or other.heard()):
                self._end(party, other, pair)

    def _end(self, party: Party, other: Party, pair: Pair) -> None:
        if pair.ended:
            return
        pair.end()
        note_pair(party, other, _PARTED)
        for end, peer in ((party, other), (other, party)):
            if end.leg is not None:
                self._notifier.notify(end.leg, "Unlink", other=peer)
                end.leg.part()


def _remember_caller(party: Party, other: Party, path: tuple[Party, ...]) -> None:
    """Where no Dial told it: who sits at a Local channel's first half, or began its call, is the caller."""
    if other is party.caller or party is other.caller:
        return
    for called, calling, near in ((party, other, path[-1:]), (other, party, path[:1])):
        if called.caller is not None or called.calling or calling.caller is called:
            continue
        if calling.calling and calling_end(called, calling) is not calling:
            continue
        if calling.calling or (near and near[0].call.channel.endswith("1")):
            called.called_by(calling)
            return
