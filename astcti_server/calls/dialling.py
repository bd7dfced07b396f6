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
            destination.originated = destination.calling = True
        return
    destination.dialled = True
    destination.source = source
    destination.caller = None
    destination.path = ()
    if source.queue_left and not source.served:
        source.queue = ""  # it came out of the queue unserved, and rings this phone on its own


def resolve(table: CallTable, party: Party) -> Party | None:
    """Find the phone or trunk behind the Dial that rings `party`; remembered once found."""
    if party.caller is not None or party.source is None:
        return party.caller
    path: list[Party] = []
    current: Party | None = party.source
    while current is not None and current.call.is_local and len(path) < LONGEST_CHAIN:
        path.append(current)
        twin = _twin_party(table, current.call)
        if twin is None:
            return None
        path.append(twin)
        current = twin.source
    if current is None or current is party or current.call.is_local:
        return None
    attach(party, current, tuple(path))
    return current


def attach(party: Party, caller: Party, path: tuple[Party, ...] = ()) -> None:
    """Remember `caller` as the one who rings `party`."""
    if party.caller is caller or caller is party:
        return
    if party.caller is not None:
        party.caller.callees.pop(party, None)
    party.caller = caller
    party.path = path
    caller.callees[party] = None
    leg = party.leg
    if leg is not None:
        leg.answers_before = caller.answers
        if not leg.linked:
            leg.other = caller


def answered(party: Party) -> None:
    """A phone that was rung answered; counted once at its caller."""
    if party.answered:
        return
    party.answered = True
    if party.caller is not None:
        party.caller.answers += 1
        if party.leg is not None:
            party.leg.answers_before += 1  # its own answer is not one elsewhere


def took_over(party: Party) -> None:
    """A phone that was up for its own sake answers a caller now."""
    party.answered = False
    answered(party)


def change_places(first: AsteriskCall, second: AsteriskCall) -> None:
    """A masquerade moved the party of `first` onto `second`'s id: the parties change places, edges stay."""
    moved, replaced = first.party, second.party
    first.party, second.party = replaced, moved
    moved.call, replaced.call = second, first
    moved.inherited = {**replaced.inherited, **replaced.variables, **moved.inherited}
    for callee in list(replaced.callees):
        attach(callee, moved, callee.path)
        if callee.source is replaced:
            callee.source = moved
    if replaced.dialled and replaced.caller is not None and replaced.caller is not moved:
        if moved.caller is None:  # picked up: it takes the ringing phone's place
            moved.dialled = True
            attach(moved, replaced.caller, replaced.path)
        answered(moved)


def _twin_party(table: CallTable, call: AsteriskCall) -> Party | None:
    twin = table.twin(call)
    return twin.party if twin is not None else None
