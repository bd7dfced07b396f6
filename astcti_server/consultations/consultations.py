"""All colleagues who are being asked: who asks, how it stands, and who is told. AMI thread only."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping

from astcti_server.ami import actions
from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.requests import AmiRequests
from astcti_server.ami.vocabulary import Dial, OriginateResponse, TelephoneEvent
from astcti_server.calls.model import Party
from astcti_server.calls.originations import Origination
from astcti_server.calls.tracker import Tracker
from astcti_server.clients import replies
from astcti_server.clients.ports import Presence
from astcti_server.consultations.consultation import (
    BEGUN_WITHIN,
    AttendedTransfer,
    Consultation,
    ConsultedCall,
    Done,
    SecondCall,
)
from astcti_server.consultations.means import ConsultMeans
from astcti_server.phones.answering import PhoneAnswering
from astcti_server.phones.outcomes import reason_of
from schemas.configuration.model import Configuration
from schemas.protocol import CONSULT_GOES_ON, ConsultState, PhoneAbility, Refusal

logger = logging.getLogger(__name__)

RING_TIME = 30.0  # seconds that the own phone rings for a second call

Send = Callable[[int, bytes], object]
"""Announces lines to the session with an id; nothing happens if it is over."""


class Consultations:
    """At most one for each leg of a seat."""

    def __init__(
        self, requests: AmiRequests, tracker: Tracker, send: Send, answering: PhoneAnswering
    ) -> None:
        """`answering` is told what Asterisk allows; PHONE says also what it can do."""
        self._answering = answering
        self._requests = requests
        self._tracker = tracker
        self._send = send
        self._means = ConsultMeans(requests)
        self._running: dict[tuple[str, str], Consultation] = {}
        self._told: dict[tuple[str, str], ConsultState] = {}
        self._by_action: dict[str, Consultation] = {}
        self._listeners: dict[str, int] = {}
        """Who said PHONE, by extension: the id of the session."""

    # -- the connection ------------------------------------------------------------------------------------

    def pbx_ready(self) -> None:
        """Asterisk has loaded its modules: find out what it allows."""
        self._means.connected(self._actions_known)

    def pbx_lost(self) -> None:
        """Nothing can be asked for, and what was originated is answered by nobody."""
        self._by_action.clear()
        before = self._all_abilities()
        self._means.lost()
        self._answering.actions_known(self._means.listed)
        self._tell_abilities(before)

    def configure(self, configuration: Configuration) -> None:
        """The seats are these from now on: other phones may be told to answer."""
        before = self._all_abilities()
        self._answering.configure(configuration)
        self._tell_abilities(before)

    # -- who asks ------------------------------------------------------------------------------------------

    def introduce(self, presence: Presence, told: Callable[[bytes], object]) -> None:
        """A client says PHONE: `told` gets what its phone can do now, and whom it asks already.

        From then on the client hears what changes.
        """
        self._listeners[presence.extension] = presence.session_id
        lines = [self._abilities(presence.extension)]
        for (extension, _uniqueid), consultation in self._running.items():
            if extension == presence.extension:
                lines.append(_line(consultation.call, consultation.state()))
        told(b"".join(lines))

    def of(self, extension: str, uniqueid: str) -> Consultation | None:
        """Whom a seat asks about one of its calls."""
        return self._running.get((extension, uniqueid))

    def begin(
        self, extension: str, own: Party, customer: Party, exten: str, context: str, done: Done
    ) -> None:
        """Ask a colleague; `done` is told once Asterisk took it on."""
        call = ConsultedCall(extension, own, customer, exten, context)
        if not self._means.possible:
            done(Refusal.CONSULT_NOT_POSSIBLE.text())
            return

        def chosen(by_transfer: bool) -> None:
            if not own.live or customer not in own.heard():
                done(Refusal.NOBODY_CONNECTED.text())  # meanwhile
            elif self.of(extension, own.uniqueid) is not None:
                done(Refusal.CONSULTING.text())
            elif by_transfer:
                self._transfer(call, done)
            else:
                self._call(call, done)

        self._means.choose(own.call.channel, exten, chosen)

    def complete(self, extension: str, uniqueid: str, done: Done) -> None:
        """Hand the call over to the colleague, who has answered."""
        consultation = self.of(extension, uniqueid)
        if consultation is None:
            done(Refusal.NOT_CONSULTING.text())
        elif consultation.state() is not ConsultState.TALKING:
            done(Refusal.COLLEAGUE_NOT_THERE.text())
        else:
            consultation.complete(done)
            self.look()

    def cancel(self, extension: str, uniqueid: str, done: Done) -> None:
        """Give the colleague up."""
        consultation = self.of(extension, uniqueid)
        if consultation is None:
            done(Refusal.NOT_CONSULTING.text())
        else:
            consultation.cancel(done)

    # -- what happens --------------------------------------------------------------------------------------

    @property
    def any_running(self) -> bool:
        """Whether `heard` wants to know of events."""
        return bool(self._running)

    def heard(self, event: TelephoneEvent) -> None:
        """The tracker took this event in."""
        if type(event) is OriginateResponse:
            consultation = self._by_action.pop(event.action_id, None)
            if consultation is not None:
                consultation.answered(event)
        elif type(event) is Dial:
            for consultation in self._running.values():
                consultation.rung(event)
        self.look()

    def look(self) -> None:
        """Tell what changed."""
        if self._tracker.awaits_channels:
            return  # half of what is known may be of before
        for key, consultation in list(self._running.items()):
            state = consultation.state()
            if state is not self._told.get(key):
                self._told[key] = state
                if state not in CONSULT_GOES_ON:
                    self._forget(key, consultation)
                self._announce(consultation.call.extension, _line(consultation.call, state))

    # -- inside --------------------------------------------------------------------------------------------

    def _transfer(self, call: ConsultedCall, done: Done) -> None:
        consultation = AttendedTransfer(call, self._requests, self._tracker.table)

        def answered(outcome: ActionOutcome) -> None:
            if outcome.failure == "refused" and self._means.by_call:
                logger.debug("Asterisk transfers nothing (%s): the phone is rung instead", outcome.message)
                self._call(call, done)
                return
            done(reason_of(outcome))
            if outcome.ok:
                self._begun(consultation)
                self._requests.later(BEGUN_WITHIN + 1.0, self.look)

        consultation.begin(answered)

    def _call(self, call: ConsultedCall, done: Done) -> None:
        if not self._means.by_call:
            done(Refusal.CONSULT_NOT_POSSIBLE.text())
            return
        uniqueid = f"astcti-{secrets.token_hex(8)}.0"
        consultation = SecondCall(call, self._requests, self._tracker.table, uniqueid)
        action = actions.originate(
            call.extension, call.context, call.exten, timeout=RING_TIME, uniqueid=uniqueid
        )

        def answered(outcome: ActionOutcome) -> None:
            done(reason_of(outcome))
            if outcome.ok:
                self._begun(consultation)
            else:
                self._by_action.pop(action_id, None)

        action_id = self._requests.submit(action, answered)
        self._by_action[action_id] = consultation
        asked = Origination(call.extension, call.exten, call.context, None, told=False)
        self._tracker.originations.add(action_id, asked)

    def _begun(self, consultation: Consultation) -> None:
        self._running[consultation.call.extension, consultation.call.uniqueid] = consultation
        self.look()

    def _forget(self, key: tuple[str, str], consultation: Consultation) -> None:
        del self._running[key]
        self._told.pop(key, None)
        self._by_action = {
            action_id: other for action_id, other in self._by_action.items() if other is not consultation
        }

    def _announce(self, extension: str, line: bytes) -> None:
        listener = self._listeners.get(extension)
        if listener is not None and self._send(listener, line) is False:
            del self._listeners[extension]

    def _actions_known(self) -> None:
        self._answering.actions_known(self._means.listed)
        self._tell_abilities({})

    def _tell_abilities(self, before: Mapping[str, bytes]) -> None:
        """Tell each client whose phone can do other things than it could before."""
        for extension, line in self._all_abilities().items():
            if line != before.get(extension):
                self._announce(extension, line)

    def _all_abilities(self) -> dict[str, bytes]:
        return {extension: self._abilities(extension) for extension in self._listeners}

    def _abilities(self, extension: str) -> bytes:
        able = {
            PhoneAbility.CONSULT: self._means.possible,
            PhoneAbility.ANSWER: self._answering.possible(extension),
        }
        return replies.phone_abilities(ability for ability, has in able.items() if has)


def _line(call: ConsultedCall, state: ConsultState) -> bytes:
    return replies.consultation(call.uniqueid, state, call.exten, call.context)
