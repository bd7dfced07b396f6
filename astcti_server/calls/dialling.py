"""Who rings whom: from a phone back to its caller, through Local channels, Dial and queues.

AMI thread only.
"""

from __future__ import annotations

from astcti_server.calls.model import AsteriskCall, Party
from astcti_server.calls.table import CallTable

LONGEST_CHAIN = 16  # Local channels that call Local channels; a longer chain is a loop


class QueueCallers:
    """The parties that wait in queues now, by the number they show."""

    def __init__(self) -> None:
        self._by_number: dict[str, dict[Party, None]] = {}
        self._number_of: dict[Party, str] = {}

    def add(self, party: Party) -> None:
        """A caller entered a queue."""
        self.discard(party)
        self._number_of[party] = party.number
        self._by_number.setdefault(party.number, {})[party] = None

    def discard(self, party: Party) -> None:
        """A caller left, was served or hung up."""
        number = self._number_of.pop(party, None)
        if number is None:
            return
        parties = self._by_number[number]
        parties.pop(party, None)
        if not parties:
            del self._by_number[number]

    def all(self) -> list[Party]:
        """Everybody who waits."""
        return list(self._number_of)

    def only_one_with(self, number: str) -> Party | None:
        """The queue caller that shows this number, if there is exactly one."""
        parties = self._by_number.get(number) if number else None
        return next(iter(parties)) if parties is not None and len(parties) == 1 else None


def dial(source: Party | None, destination: Party) -> None:
    """Note that `source`'s channel rings `destination`'s; None for a call originated for that phone."""
    if source is None:
        if not destination.dialled:
            destination.originate()
        return
    destination.dialled_by(source)
    source.go_on()


def find_caller(table: CallTable, party: Party) -> Party | None:
    """Find the phone or trunk behind the Dial that rings `party`; remembered once found."""
    if party.caller is not None or party.source is None:
        return party.caller
    path: list[Party] = []
    current: Party | None = party.source
    while current is not None and current.call.is_local and len(path) < LONGEST_CHAIN:
        path.append(current)
        other_half = table.other_half(current.call)
        if other_half is None:
            return None  # its other half was not told yet: the next event of the ring asks again
        path.append(other_half.party)
        current = other_half.party.source
    if current is None or current is party or current.call.is_local:
        return None
    party.rung_by(current, tuple(path))
    return current


def masquerade(clone: AsteriskCall, original: AsteriskCall) -> None:
    """Asterisk 1.4 to 11 moved the party of `clone` onto `original`'s id; edges stay on the ids.

    Told as three Renames: X -> X<MASQ>, O -> X, X<MASQ> -> O<ZOMBIE> (ast_do_masquerade, channel.c). These
    versions transfer, pick up and optimise Local channels in this way.
    """
    moved, replaced = clone.party, original.party
    clone.exchange_parties(original)
    moved.inherit(replaced)
    for callee in list(replaced.callees):
        callee.rung_by(moved, callee.path)
        callee.follow_source(replaced, moved)
    if replaced.dialled and replaced.caller is not None and replaced.caller is not moved:
        if moved.caller is None:  # a pickup: it takes the ringing phone's place
            moved.pick_up(replaced.caller, replaced.path)
        moved.answer()
