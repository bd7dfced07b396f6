"""One colleague who is asked before a call is handed over. AMI thread only.

What became of it is read from the state of the calls after each event, not from the events' names: so
whatever somebody does at a phone meanwhile counts as much as what is asked for here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from astcti_server.ami import actions
from astcti_server.ami.actions import AmiAction
from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.requests import AmiRequests
from astcti_server.ami.vocabulary import Dial, OriginateResponse
from astcti_server.calls.model import Party
from astcti_server.calls.table import CallTable
from astcti_server.phones.outcomes import reason_of
from schemas.protocol import ConsultState, Refusal

Done = Callable[[str], None]
"""Told once what became of a command: empty for success, else why not."""

BEGUN_WITHIN = 15.0  # seconds; Asterisk waits five by default for further digits of a number

_BUSY = ("BUSY", "CONGESTION")


class ConsultedCall:
    """Whose call it is: the seat's end, the other end, and whom to ask."""

    __slots__ = ("context", "customer", "exten", "extension", "own", "uniqueid")

    def __init__(self, extension: str, own: Party, customer: Party, exten: str, context: str) -> None:
        self.extension = extension
        self.own = own
        self.uniqueid = own.uniqueid
        self.customer = customer
        self.exten = exten
        self.context = context


class Consultation(Protocol):
    """A way of doing it."""

    call: ConsultedCall

    def state(self) -> ConsultState:
        """How it stands now."""

    def complete(self, done: Done) -> None:
        """Connect the two others; the operator is out."""

    def cancel(self, done: Done) -> None:
        """Give the colleague up; the operator talks to the first caller again."""

    def answered(self, event: OriginateResponse) -> None:
        """What became of ringing the own phone, if that was done."""

    def rung(self, event: Dial) -> None:
        """Somebody is rung, perhaps the colleague."""


class _Asked:
    """What both ways remember of the colleague."""

    def __init__(self, call: ConsultedCall) -> None:
        self.call = call
        self._cancelled = False
        self._talked = False
        self._rung: dict[Party, None] = {}

    def _why_over(self) -> ConsultState:
        """The colleague is gone, and both first ends are there."""
        if self._cancelled:
            return ConsultState.TAKEN_BACK
        if self._talked:
            return ConsultState.COLLEAGUE_LEFT
        busy = any(party.ring_end in _BUSY for party in self._rung)
        return ConsultState.BUSY if busy else ConsultState.NOT_ANSWERED


class AttendedTransfer(_Asked):
    """By Asterisk's own attended transfer: the phone keeps its one call."""

    def __init__(self, call: ConsultedCall, requests: AmiRequests, table: CallTable) -> None:
        super().__init__(call)
        self._requests = requests
        self._table = table
        self._begun = False
        self._since = requests.now()

    def begin(self, done: Callable[[ActionOutcome], None]) -> None:
        """Ask Asterisk for it."""
        call = self.call
        action = actions.attended_transfer(call.own.call.channel, call.context, call.exten)
        self._requests.submit(action, done)

    def state(self) -> ConsultState:
        """How it stands now. An end that hung up may have handed over: with whom it talked goes on."""
        call = self.call
        if not call.own.live:
            return ConsultState.HANDED_OVER if self._begun and call.customer.live else ConsultState.ENDED
        if not call.customer.live:
            return ConsultState.CALLER_LEFT
        if call.customer in call.own.heard():
            if self._begun:
                return self._why_over()
            late = self._requests.now() - self._since > BEGUN_WITHIN
            return ConsultState.FAILED if late else ConsultState.CALLING
        self._begun = True
        self._see_whom_it_rings()
        if self._is_answered():
            self._talked = True
        return ConsultState.TALKING if self._talked else ConsultState.CALLING

    def complete(self, done: Done) -> None:
        """Hang up the phone: that hands over, as it does at any phone."""
        _ask(self._requests, actions.hangup(self.call.own.call.channel), done)

    def cancel(self, done: Done) -> None:
        """Hang up what leads to the colleague: Asterisk then brings the two first ends together again.

        Only once that is seen: before, who is connected is the first caller.
        """
        ways = [far for far in self.call.own.call.links if far is not self.call.customer.call]
        if not self._begun or self.call.customer in self.call.own.heard() or not ways:
            done(Refusal.CONSULT_BEGINS.text())
            return
        self._cancelled = True
        _ask(self._requests, actions.hangup(ways[0].channel), done)

    def answered(self, event: OriginateResponse) -> None:
        """Nothing was originated."""

    def rung(self, event: Dial) -> None:
        """Who refuses at once has gone before the own end is seen to leave the caller, and with it the Local
        channel that rang: Asterisk moves the own end there only then.
        """
        call = self.call
        if not event.source_channel.startswith(f"Local/{call.exten}@{call.context}-"):
            return
        if event.linkedid not in ("", call.own.linkedid, call.customer.linkedid):
            return  # another's
        found = self._table.find(event.destination)
        if found is not None:
            self._rung[found.party] = None

    def _see_whom_it_rings(self) -> None:
        for half in self.call.own.call.links:
            other = self._table.other_half(half) if half.is_local else None
            if other is not None:
                self._rung.update(other.party.dials)

    def _is_answered(self) -> bool:
        # Without a phone (a menu, a mailbox) nobody is heard, but the Local channel to it is up.
        halves = [half for half in self.call.own.call.links if half.is_local]
        return bool(self.call.own.heard()) or any(half.state == "Up" for half in halves)


class SecondCall(_Asked):
    """By a second call of the operator's phone, which puts the first one on hold by itself."""

    def __init__(self, call: ConsultedCall, requests: AmiRequests, table: CallTable, uniqueid: str) -> None:
        """`uniqueid` is what the second call was asked to be known by; Asterisk may not know that."""
        super().__init__(call)
        self._requests = requests
        self._table = table
        self._uniqueid = uniqueid
        self._second: Party | None = None
        self._picked_up = False
        self._refused = False
        self._handing_over = False

    def state(self) -> ConsultState:
        """How it stands now."""
        call, second = self.call, self._second_party()
        if not call.own.live:
            if self._handing_over and call.customer.live:
                return ConsultState.HANDED_OVER
            # Which of the first two is told first to have gone is chance; with the colleague it goes on.
            goes_on = second is not None and second.live and not self._handing_over
            return ConsultState.CALLER_LEFT if goes_on else ConsultState.ENDED
        if self._handing_over:
            return ConsultState.TALKING
        if not call.customer.live:
            return ConsultState.CALLER_LEFT
        if self._refused or (second is not None and not second.live):
            if not self._picked_up and not self._cancelled:
                return ConsultState.OWN_PHONE_REFUSED
            return self._why_over()
        if second is None or not self._picked_up:
            return ConsultState.OWN_PHONE
        self._rung.update(second.callees)
        self._talked = self._talked or bool(second.heard())
        return ConsultState.TALKING if second.heard() else ConsultState.CALLING

    def complete(self, done: Done) -> None:
        """Connect the two others, then end both calls of the phone."""
        second = self._second_party()
        colleague = next(iter(second.heard()), None) if second is not None else None
        if colleague is None:
            done(Refusal.COLLEAGUE_NOT_THERE.text())
            return
        self._handing_over = True
        action = actions.bridge(self.call.customer.call.channel, colleague.call.channel)
        _ask(self._requests, action, partial(self._bridged, done))

    def cancel(self, done: Done) -> None:
        """Hang the second call up, at once or as soon as it is known."""
        self._cancelled = True
        second = self._second_party()
        if second is None or not second.live:
            done("")
        else:
            _ask(self._requests, actions.hangup(second.call.channel), done)

    def answered(self, event: OriginateResponse) -> None:
        """The operator took up the phone for the second call, or did not."""
        if event.response != "Success":
            self._refused = True
            return
        self._uniqueid = event.uniqueid
        self._picked_up = True
        second = self._second_party()
        if self._cancelled and second is not None and second.live:
            self._requests.submit(actions.hangup(second.call.channel), _forget)

    def rung(self, event: Dial) -> None:
        """The second call shows whom it rings."""

    def _bridged(self, done: Done, problem: str) -> None:
        if problem:
            self._handing_over = False
        else:
            for party in (self.call.own, self._second):
                if party is not None and party.live:
                    self._requests.submit(actions.hangup(party.call.channel), _forget)
        done(problem)

    def _second_party(self) -> Party | None:
        if self._second is None and (found := self._table.find(self._uniqueid)) is not None:
            self._second = found.party
        return self._second


def _ask(requests: AmiRequests, action: AmiAction, done: Done) -> None:
    requests.submit(action, lambda outcome: done(reason_of(outcome)))


def _forget(_outcome: ActionOutcome) -> None:
    """It may be gone already."""
