"""Who rings whom: from a phone back to its caller, through Local channels, Dial and queues.

AMI thread only.
"""

from __future__ import annotations

from astcti_server.calls.graph import reach
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


def dial(table: CallTable, source: Party | None, destination: Party, linkedid: str) -> None:
    """Note that `source`'s channel rings `destination`'s.

    Without a source nobody's channel dialled it: AMI Originate, a call file, or an ARI application. If
    `linkedid` (Asterisk 12 and later) is that of another channel the application rings it for that one
    (ARI: `originator`); else it is to call by itself.
    """
    if source is None:
        root = table.find(linkedid) if linkedid and linkedid != destination.uniqueid else None
        if root is not None and not destination.dialled:
            destination.dialled_by(root.party, from_queue=False)
        elif not destination.dialled:
            destination.originate()
        return
    other_half = table.other_half(source.call) if source.call.is_local else None
    if other_half is not None and source.source is None and source.call.channel.endswith("1"):
        # Half 1 dials though nobody dialled it: it was originated. 12 and later say that by themselves.
        source.originate()
        for phone in rung_through(table, source):
            find_caller(table, phone)
    waits = bool(source.queue) and not source.queue_left
    source.announce_connected(destination)
    destination.dialled_by(
        source, from_queue=waits or (other_half is not None and other_half.party.from_queue)
    )
    pass_queue_on(table, destination)
    source.go_on()


def pass_queue_on(table: CallTable, party: Party) -> None:
    """Whom a queue rings through a Local channel it rings, too, though that was told before."""
    waiting, seen = [party], {party}
    while waiting and len(seen) < LONGEST_CHAIN:
        rung = waiting.pop()
        other_half = table.other_half(rung.call) if rung.from_queue and rung.call.is_local else None
        for callee in other_half.party.dials if other_half is not None else ():
            callee.be_rung_from_queue()
            if callee not in seen:
                seen.add(callee)
                waiting.append(callee)


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
        source = other_half.party.source
        if source is None or (source.call.is_local and not source.live):  # optimised away meanwhile
            source = _across(table, party, path[-2], other_half.party)
        current = source
    party.be_rung_through(tuple(path))
    if current is None or current is party or current.call.is_local:
        return None
    party.rung_by(current, tuple(path))
    return current


def is_to_be_told(table: CallTable, party: Party) -> bool:
    """Whether the DialBegin that says who rings a phone, or through which halves, is still on its way.

    Asterisk 12 and later say Ringing in one thread and DialBegin in others. Before 12 not all dials are told.
    """
    if not party.linkedid or party.caller is not None:
        return False
    if not party.dialled:
        return True
    current = party.source
    for _ in range(LONGEST_CHAIN):
        if current is None or not current.call.is_local:
            return False
        other_half = table.other_half(current.call)
        if other_half is None:
            return current.live
        if other_half.party.source is None:
            # Nobody dials a half that was originated, or put into a bridge (a transfer by feature codes).
            return not other_half.party.originated and not other_half.links
        current = other_half.party.source
    return False


def rung_through(table: CallTable, half: Party) -> list[Party]:
    """The phones without a caller that ring through this half of a Local channel and the other one."""
    other_half = table.other_half(half.call) if half.call.is_local else None
    if other_half is None:
        return []
    return [phone for phone in _phones_behind(table, other_half.party) if phone.caller is None]


def _across(table: CallTable, party: Party, inner: Party, outer: Party) -> Party | None:
    """Who is at the other end of a Local channel that nobody dialled; `inner` rings `party`.

    AMI Originate of a Local channel (diallers, call-backs, click-to-call) joins two ends: half 2 runs the
    dialplan of the channel's own name, half 1, once that answered, what the action asks for. Both dial.
    Whoever a queue rings is the called end; else who is rung first, by half 2, is the one who is to call.
    A transfer into a queue by feature codes makes one, too: then whoever hears the other half waits there.
    """
    if inner.queue:
        behind = _phones_behind(table, outer) or list(reach(table, outer.call))
    elif outer.queue or party.originated:
        return None
    else:
        behind = _phones_behind(table, outer)
        if not behind and outer.source is not None:
            behind = list(reach(table, outer.call))  # what dialled it was optimised away
        if not behind and outer.originated and inner.call.channel.endswith("2"):
            party.originate()
    behind = [phone for phone in behind if phone is not party and phone.live]
    return behind[0] if len(behind) == 1 else None


def _phones_behind(table: CallTable, half: Party) -> list[Party]:
    """The phones and trunks that a Local half dialled, through other Local channels if need be."""
    found: list[Party] = []
    waiting, seen = [half], {half}
    while waiting and len(seen) < LONGEST_CHAIN:
        for callee in waiting.pop().dials:
            if not callee.call.is_local:
                found.append(callee)
            elif (other_half := table.other_half(callee.call)) is not None and other_half.party not in seen:
                seen.add(other_half.party)
                waiting.append(other_half.party)
    answered = [phone for phone in found if phone.answered]
    return answered or found


def masquerade(table: CallTable, clone: AsteriskCall, original: AsteriskCall) -> None:
    """Asterisk 1.4 to 11 moved the party of `clone` onto `original`'s id; edges stay on the ids.

    Told as three Renames: X -> X<MASQ>, O -> X, X<MASQ> -> O<ZOMBIE> (ast_do_masquerade, channel.c). These
    versions transfer, pick up and optimise Local channels in this way.
    """
    moved, replaced = clone.party, original.party
    clone.exchange_parties(original)
    moved.inherit(replaced)
    for callee in list(replaced.callees):
        if original.is_local:  # a phone that was reached through it handed over: the caller is behind it
            callee.follow_source(replaced, moved)
            callee.be_rung_anew()
            find_caller(table, callee)
            continue
        callee.rung_by(moved, callee.path)
        callee.follow_source(replaced, moved)
    if replaced.dialled and replaced.caller is not None and replaced.caller is not moved:
        if moved.caller is None:  # a pickup: it takes the ringing phone's place
            moved.pick_up(replaced.caller, replaced.path)
        moved.answer()
