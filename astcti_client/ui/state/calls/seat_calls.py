"""The calls of the seat: which there are, what became of each, which are no longer sure. No Tk, no I/O."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from astcti_client.net.messages import IssuedCommand, Resumed
from astcti_client.ui.state import seat_call
from astcti_client.ui.state.calls.dialling import DialledCall, Dialling
from astcti_client.ui.state.calls.resumed_calls import ResumedCalls
from astcti_client.ui.state.consulting.seat_consult import SeatConsults
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.state.seat_changes import CallOver, DialOutcome, DialOver, RingBegan, SeatChange
from schemas.events import Action, CallEvent, End
from schemas.protocol import ResumeMode, TriggerFailure
from schemas.wire import Reply

CONFIRM_TIME = 5.0  # seconds after a new log-in in which the server tells of the calls that are still there
OVER_TIME = 6.0  # seconds that the card of a finished call stays
INTERRUPTED_TIME = 60.0  # seconds, if it offers to open what an earlier run of the client could not finish
MOST_RINGS_REMEMBERED = 500  # legs whose ring was shown; far more than ring at one time


class SeatCalls:
    """One operator's calls: whoever logs in next has others.

    After a lost connection they are unconfirmed until the server has told of them again.
    """

    def __init__(self, clock: Callable[[], float], dialling: Dialling) -> None:
        """`clock` gives seconds that never go back. `dialling` hears what becomes of the call asked for."""
        self._clock, self._dialling = clock, dialling
        self.consults = SeatConsults()
        """The colleagues who are asked about them."""
        self._shown: dict[str, SeatCall] = {}
        self._waiting: dict[str, SeatCall] = {}
        """Legs that nothing worth a card is known of yet."""
        self._resumed = ResumedCalls()
        self._under_way: dict[IssuedCommand, str] = {}
        """The calls whose cards asked for these."""
        self._rung: OrderedDict[str, None] = OrderedDict()
        self._unsure_since: float | None = None
        """When a server that says nothing more began to tell of the calls that are still there."""
        self._resumes = False
        """Whether the server says itself when it told of all calls."""

    @property
    def shown(self) -> Mapping[str, SeatCall]:
        """Those that have a card, by their legs' uniqueids."""
        return self._shown

    @property
    def first_event(self) -> int:
        """The number of the first event of the calls that go on; 0 if there is none."""
        going = [call for call in self._shown.values() if call.phase != "over"]
        going += [*self._waiting.values(), *self._resumed.late.values()]
        return min((call.first_seq for call in going if call.first_seq), default=0)

    # --- what became of a call's triggers ---

    def interrupted(self, key: str, action: Action) -> None:
        """An earlier run of the client was ended while it carried this out."""
        self._change(key, lambda call: {"interrupted": tuple(dict.fromkeys((*call.interrupted, action)))})

    def opened_again(self, key: str) -> None:
        """The user had what was interrupted done."""
        self._change(key, lambda _call: {"interrupted": (), "failure": None})

    def trigger_failed(self, key: str, failure: TriggerFailure) -> None:
        """A trigger was not carried out."""
        self._change(key, lambda _call: {"failure": failure})

    def _change(self, key: str, change: Callable[[SeatCall], dict[str, Any]]) -> None:
        for calls in (self._resumed.late, self._shown, self._waiting):
            if call := calls.get(key):
                calls[key] = replace(call, **change(call))

    # --- what was asked of the server ---

    def command_sent(self, command: IssuedCommand, key: str) -> None:
        """The card of this call asked for it: it asks for nothing more until the reply."""
        self._under_way[command] = key
        self.command_begins(key, command.line.partition(" ")[0].upper())

    def command_answered(self, command: IssuedCommand) -> None:
        """The last reply to it is here, or never will be."""
        self.command_over(self._under_way.pop(command, ""))

    def command_begins(self, key: str, word: str) -> None:
        """Something was asked for from this call's card; `command_over` follows."""
        self._change(key, lambda _call: {"under_way": word})

    def command_over(self, key: str) -> None:
        """The reply is here, or it never will be."""
        self._change(key, lambda _call: {"under_way": ""})

    # --- the connection ---

    def logging_in(self) -> None:
        """A new session begins."""
        self._resumes = False

    def resume_accepted(self) -> None:
        """The server will say when it has told of all calls."""
        self._resumes = True

    def logged_in(self, *, at_a_seat: bool) -> None:
        """The server tells of the calls that go on."""
        if not (self._resumes and at_a_seat):  # else it says when it told of all
            self._unsure_since = self._clock()

    def connection_lost(self) -> None:
        """Nobody knows what becomes of them."""
        self._unsure_since = None
        self._under_way.clear()
        unsure = [
            replace(call, unconfirmed=True, under_way="")
            for call in self._shown.values()
            if call.phase != "over" and not call.unconfirmed
        ]
        self._shown.update((call.key, call) for call in unsure)
        self._waiting = {key: replace(call, unconfirmed=True) for key, call in self._waiting.items()}

    def resume_begins(self, resumed: Resumed) -> None:
        """The server begins to tell what was missed, or all calls."""
        self._resumed.begin(resumed, [key for key, _call in self._calls_and_waiting()])
        if resumed.mode == ResumeMode.STATE:  # numbers of the epoch before mean nothing now
            for calls in (self._shown, self._waiting):
                calls.update([(key, replace(call, first_seq=0)) for key, call in calls.items()])

    def resume_over(self) -> list[SeatChange]:
        """The calls that are left go on, and those that the server did not name are over."""
        changes = self._gone(self._resumed.end())
        sure = [
            replace(call, unconfirmed=False) for _key, call in self._calls_and_waiting() if call.unconfirmed
        ]
        for call in sure:
            (self._shown if call.key in self._shown else self._waiting)[call.key] = call
        return changes

    # --- what happens ---

    def tick(self) -> list[SeatChange]:
        """Let go of what is over, or was not told of again. Call it every second or so."""
        now, changes = self._clock(), list[SeatChange]()
        dialled = self._dialling.call
        self._dialling.tick()
        if dialled is not None and dialled.phase == "calling":
            leg = self._shown.get(dialled.key)
            if leg is not None and leg.phase == "over":  # told before Asterisk said that it was taken
                self._dialling.leg_gone()
        changes += self._dial_over(dialled, answered=False)
        self.consults.forget_old(now)
        if self._unsure_since is not None and now - self._unsure_since >= CONFIRM_TIME:
            self._unsure_since = None
            changes += self._gone({key for key, call in self._calls_and_waiting() if call.unconfirmed})
        for call in [each for each in self._shown.values() if each.over_since is not None]:
            if now - (call.over_since or 0.0) >= (INTERRUPTED_TIME if call.interrupted else OVER_TIME):
                del self._shown[call.key]
        return changes

    def consult_told(self, reply: Reply) -> list[SeatChange]:
        """How asking a colleague stands."""
        words = reply.text.split()
        if len(words) < 3:  # id, state, number
            return []
        key, state, exten = words[:3]
        call = self._shown.get(key)
        known = call is not None and call.phase == "talking"
        changes = list[SeatChange]()
        for event in self.consults.told(key, state, exten, known=known, now=self._clock()):
            changes += self.event(event, told_before=False)
        return changes

    def event(self, event: CallEvent, *, told_before: bool) -> list[SeatChange]:
        """What became of its call. Triggers come after that: pages and notices find the call as it is now.

        `told_before`: an earlier run of the client showed it. That has no notice, and is in the history.
        """
        if event.id == "OriginateResponse":
            dialled = self._dialling.call
            if self._dialling.responded(event):
                return self._dial_over(dialled, answered=False)
            return [DialOutcome(event.originate)] if event.originate and not told_before else []
        if not seat_call.is_of_a_call(event):
            return []
        now, key = self._clock(), event.call.uniqueid
        self._resumed.named(key)
        if told_before:
            self._remember_ring(key)
        late = self._resumed.late
        known = late.get(key) or self._shown.get(key) or self._waiting.get(key)
        if known is None and event.id in ("Hangup", "Unlink"):
            return []
        if known is not None and known.phase == "over":
            return []
        if self.consults.keeps(event):
            return []
        call = seat_call.follow(known or seat_call.begin(event, now), event, now)
        if told_before and call.phase == "over":
            for calls in (late, self._shown, self._waiting):
                calls.pop(key, None)
            return []
        if key not in self._shown and key not in late and not seat_call.makes_visible(event):
            if call.phase == "over":
                self._waiting.pop(key, None)
            else:
                self._waiting[key] = call
            return []
        self._waiting.pop(key, None)
        if event.late and call.phase != "over":
            late[key] = call
            return []
        late.pop(key, None)
        self._shown[key] = call
        dialled = self._dialling.call
        answered = self._dialling.follow(call, event.cause)
        return [*self._what_became(call), *self._dial_over(dialled, answered=answered)]

    def _calls_and_waiting(self) -> list[tuple[str, SeatCall]]:
        going = [(key, call) for key, call in self._shown.items() if call.phase != "over"]
        return [*going, *self._waiting.items()]

    def _gone(self, keys: set[str]) -> list[SeatChange]:
        """These are over, and nobody told how."""
        now, changes = self._clock(), list[SeatChange]()
        for call in [call for key, call in self._calls_and_waiting() if key in keys and key in self._shown]:
            end: End = "answered" if call.was_answered else "cancelled"
            changes += self._end(replace(call, phase="over", over_since=now, end=end))
        self._waiting = {key: call for key, call in self._waiting.items() if key not in keys}
        dialled = self._dialling.call
        if dialled is not None and dialled.key in keys:
            self._dialling.leg_gone()
        return [*changes, *self._dial_over(dialled, answered=False)]

    def _dial_over(self, before: DialledCall | None, *, answered: bool) -> list[SeatChange]:
        """Whether the call that was asked for is made no longer; `before`: as it was."""
        if before is None or before.phase == "failed" or self._dialling.busy:
            return []
        return [DialOver(before.number, answered)]

    def _what_became(self, call: SeatCall) -> list[SeatChange]:
        if call.phase == "over":
            return self._end(call)
        if call.phase == "ringing" and call.key not in self._rung:
            self._remember_ring(call.key)
            return [RingBegan(call)]
        return []

    def _remember_ring(self, key: str) -> None:
        self._rung[key] = None
        if len(self._rung) > MOST_RINGS_REMEMBERED:
            self._rung.popitem(last=False)

    def _end(self, call: SeatCall) -> list[SeatChange]:
        self.consults.call_over(call.key)
        self._shown[call.key] = call
        return [CallOver(call)]
