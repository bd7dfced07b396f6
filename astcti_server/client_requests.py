"""What the clients' commands do: the bridge from handler threads to the AMI thread.

Each method returns at once; the work is posted to the AMI thread, where call state and queues live.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from astcti_server.ami import actions
from astcti_server.ami.actions import AmiAction
from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.requests import AmiRequests
from astcti_server.call_explanations import CallExplanations, NotExplained
from astcti_server.calls.model import Party
from astcti_server.calls.originations import Origination
from astcti_server.calls.tracker import Tracker
from astcti_server.clients.ports import NotCarriedOut, PauseCallback, Presence, ReplyCallback, ShownReport
from astcti_server.colleagues.announcer import ColleagueAnnouncer
from astcti_server.config.store import ConfigStore
from astcti_server.consultations.consultations import Consultations
from astcti_server.event_pipeline import EventPipeline
from astcti_server.explain.explanations import Explanation
from astcti_server.phones.answering import PhoneAnswering
from astcti_server.phones.outcomes import reason_of
from astcti_server.queues.reconciler import QueueReconciler
from astcti_server.transfer_target import CHECK_WITHIN, TransferTarget, TransferTargetCheck
from schemas.configuration.model import Configuration, Service
from schemas.protocol import Refusal
from schemas.server.settings import ServerSettings

ANSWER_WITHIN = 5.0  # seconds that a client waits for Asterisk's response to its command
TRANSFER_WITHIN = ANSWER_WITHIN - CHECK_WITHIN  # what the question about the target leaves of it
LOOK_AGAIN = 0.05  # seconds between two looks for the channel of a call that is cancelled at once
LOOKS = 60
ORIGINATE_RING_TIME = 30.0  # seconds that Asterisk lets the operator's own phone ring for ORIG


class ClientRequests:
    """The server's side of the commands (`astcti_server.clients.ports.ClientRequestsPort`). Any thread."""

    def __init__(
        self,
        store: ConfigStore,
        requests: AmiRequests,
        tracker: Tracker,
        reconciler: QueueReconciler,
        pipeline: EventPipeline,
        explanations: CallExplanations,
        colleagues: ColleagueAnnouncer,
        consultations: Consultations,
        answering: PhoneAnswering,
    ) -> None:
        self._answering = answering
        self._colleagues = colleagues
        self._explanations = explanations
        self._consultations = consultations
        self._store = store
        self._requests = requests
        self._tracker = tracker
        self._reconciler = reconciler
        self._pipeline = pipeline

    def configuration(self) -> Configuration:
        """The configuration in force."""
        return self._store.current.configuration

    def settings(self) -> ServerSettings:
        """The settings in force."""
        return self._store.current.settings

    def pbx_up(self) -> bool:
        """Whether Asterisk is connected and logged in."""
        return self._requests.up

    def arrived(self, presence: Presence) -> None:
        """Join the queues and tell running calls."""
        self._requests.post(partial(self._arrived, presence))

    def logged_out(self, session_id: int) -> None:
        """End the pause that a lost connection would not end."""
        self._requests.post(partial(self._reconciler.logged_out, session_id))

    def left(self, session_id: int, at_once: bool) -> None:
        """Leave the queues, at once or when the grace time is over."""
        self._requests.post(partial(self._left, session_id, at_once))

    def shown(self, presence: Presence, report: ShownReport, at: float) -> None:
        """What became of an event at the client."""
        self._requests.post(partial(self._pipeline.shown, presence, report, at))

    def pause(self, presence: Presence, wish: bool, reason: str, progress: PauseCallback) -> None:
        """Pause or come back, in every queue joined."""
        self._requests.post(partial(self._reconciler.pause, presence, wish, reason, progress))

    def pause_for_others(self, presence: Presence, wish: bool, reason: str, progress: PauseCallback) -> None:
        """As `pause`, but somebody else asks for it: the operator's client is told by 310."""
        self._requests.post(
            partial(self._reconciler.pause, presence, wish, reason, progress, by_client=False)
        )

    def ask_queue(self, presence: Presence, key: str, inside: bool, done: ReplyCallback) -> None:
        """Join or leave one queue."""
        self._requests.post(partial(self._reconciler.ask_queue, presence, key, inside, done))

    def colleagues(self, presence: Presence, done: Callable[[bytes], object]) -> None:
        """What colleagues do, now and when it changes."""
        self._requests.post(partial(self._ask_colleagues, presence, done))

    def colleagues_no_more(self, presence: Presence) -> None:
        """No changes any more."""
        self._requests.post(partial(self._colleagues.forget, presence.session_id))

    def originate(
        self, presence: Presence, exten: str, context: str, priority: int, done: ReplyCallback
    ) -> None:
        """Ring the operator's phone, then call."""
        self._requests.post(partial(self._originate, presence, exten, context, priority, done))

    def cancel_call(self, presence: Presence, done: ReplyCallback) -> None:
        """End the call that was asked for by ORIG."""
        self._requests.post(partial(self._cancel_call, presence, done, LOOKS))

    def hangup(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        """End one of the operator's own legs."""
        self._requests.post(partial(self._hangup, presence, uniqueid, done))

    def answer(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        """Have the operator's phone answer the call that rings there."""
        self._requests.post(partial(self._answer, presence, uniqueid, done))

    def transfer(
        self, presence: Presence, uniqueid: str, exten: str, context: str, done: ReplyCallback
    ) -> None:
        """Hand the other party of the operator's own call on, blind."""
        self._requests.post(partial(self._transfer, presence, uniqueid, exten, context, done))

    def introduce(self, presence: Presence, told: Callable[[bytes], object]) -> None:
        """What can be done with the operator's phone, and whom it asks."""
        self._requests.post(partial(self._consultations.introduce, presence, told))

    def consult(
        self, presence: Presence, uniqueid: str, exten: str, context: str, done: ReplyCallback
    ) -> None:
        """Ask a colleague before the operator's own call is handed over."""
        self._requests.post(partial(self._consult, presence, uniqueid, exten, context, done))

    def complete(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        """Hand the operator's own call over to the colleague."""
        self._requests.post(partial(self._consultations.complete, presence.extension, uniqueid, done))

    def cancel(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        """Give the colleague up."""
        self._requests.post(partial(self._consultations.cancel, presence.extension, uniqueid, done))

    def explain(self, presence: Presence, uniqueid: str) -> Explanation:
        """Why a call of the seat's popped up, or did not."""
        try:
            found = self._explanations.explain_leg(presence.extension, uniqueid)
        except NotExplained:
            raise NotCarriedOut(Refusal.SERVER_BUSY) from None
        if found is None:
            raise NotCarriedOut(Refusal.CALL_NOT_KNOWN)
        return found

    # -- on the AMI thread ---------------------------------------------------------------------------------

    def _arrived(self, presence: Presence) -> None:
        self._reconciler.arrived(presence)
        self._pipeline.seated(presence)

    def _ask_colleagues(self, presence: Presence, done: Callable[[bytes], object]) -> None:
        done(self._colleagues.ask(presence.session_id, presence.username))

    def _left(self, session_id: int, at_once: bool) -> None:
        self._colleagues.forget(session_id)
        self._reconciler.left(session_id, at_once)
        self._pipeline.left(session_id, at_once)

    def _originate(
        self, presence: Presence, exten: str, context: str, priority: int, done: ReplyCallback
    ) -> None:
        originations = self._tracker.originations
        if originations.waits_at(presence.extension):
            done(Refusal.DIALLING_ALREADY.text())
            return
        service = self._outbound_service(presence.username, context)
        asked = Origination(presence.extension, exten, context, service)
        action = actions.originate(presence.extension, context, exten, priority, timeout=ORIGINATE_RING_TIME)

        def answered(reason: str, *, unchecked: bool = False) -> None:
            if reason and reason != Refusal.PBX_SLOW.text(seconds=round(ANSWER_WITHIN)):
                originations.forget(action_id)  # no OriginateResponse follows
            done(reason, unchecked=unchecked)

        action_id = self._submit(action, answered)
        if action_id:
            self._pipeline.originated(action_id, asked)
            # Should no OriginateResponse come: the phone rings no longer, and can be used again.
            self._requests.later(ORIGINATE_RING_TIME + ANSWER_WITHIN, partial(originations.forget, action_id))

    def _cancel_call(self, presence: Presence, done: ReplyCallback, looks: int) -> None:
        originations, extension = self._tracker.originations, presence.extension
        if not originations.waits_at(extension):
            leg = self._tracker.leg_asked_for(extension)
            if leg is None:
                done(Refusal.NOT_YOUR_CALL.text())
            else:
                self._submit(actions.hangup(leg.party.call.channel), done)
            return
        phone = originations.cancel(extension)
        if phone is not None and phone.live:
            self._submit(actions.hangup(phone.call.channel), done)
        elif phone is not None:
            done("")  # gone already: what became of it is about to be told
        elif looks == 0:
            done(Refusal.NOT_YOUR_CALL.text())
        else:  # Asterisk took the action; its thread makes the channel a moment later
            self._requests.later(LOOK_AGAIN, partial(self._cancel_call, presence, done, looks - 1))

    def _hangup(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        leg = self._tracker.leg_of(presence.extension, uniqueid)
        if leg is None:
            done(Refusal.NOT_YOUR_CALL.text())
        elif self._consultations.of(presence.extension, uniqueid) is not None:
            # What it would mean depends on the way in which the colleague is asked: it may end both calls.
            done(Refusal.CONSULTING.text())
        else:
            self._submit(actions.hangup(leg.party.call.channel), done)

    def _answer(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        leg = self._tracker.leg_of(presence.extension, uniqueid)
        if leg is None:
            done(Refusal.NOT_YOUR_CALL.text())
        elif not self._requests.up:
            done(Refusal.PBX_DOWN.text())
        else:
            self._answering.answer(presence.extension, leg.party, done)

    def _transfer(
        self, presence: Presence, uniqueid: str, exten: str, context: str, done: ReplyCallback
    ) -> None:
        def go(target: TransferTarget, other: Party) -> None:
            action = actions.redirect(other.call.channel, context, exten, 1)
            unchecked = target is TransferTarget.UNKNOWN
            self._submit(action, done, within=TRANSFER_WITHIN, unchecked=unchecked)

        self._check_target(presence, uniqueid, exten, context, done, go)

    def _consult(
        self, presence: Presence, uniqueid: str, exten: str, context: str, done: ReplyCallback
    ) -> None:
        def go(_target: TransferTarget, customer: Party) -> None:
            leg = self._tracker.leg_of(presence.extension, uniqueid)
            if leg is not None:
                self._consultations.begin(presence.extension, leg.party, customer, exten, context, done)

        self._check_target(presence, uniqueid, exten, context, done, go)

    def _check_target(
        self,
        presence: Presence,
        uniqueid: str,
        exten: str,
        context: str,
        done: ReplyCallback,
        go: Callable[[TransferTarget, Party], None],
    ) -> None:
        """Look whether the call can be handed over at all, then whether its target is there, then `go`.

        A target that is not there is told before anybody has to wait, or is sent nowhere.
        """
        if self._other_party(presence, uniqueid, done) is None:
            return
        if not self._requests.up:
            done(Refusal.PBX_DOWN.text())
            return

        def looked(target: TransferTarget) -> None:
            if target is TransferTarget.MISSING:
                done(Refusal.NO_SUCH_EXTENSION.text(exten=exten, context=context))
                return
            other = self._other_party(presence, uniqueid, done)  # the call may be another one by now
            if other is not None:
                go(target, other)

        TransferTargetCheck(self._requests, context, exten, looked)

    def _other_party(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> Party | None:
        """Whom the operator talks to, and about whom nobody is asked; else None, and `done` was told why."""
        leg = self._tracker.leg_of(presence.extension, uniqueid)
        if leg is None:
            done(Refusal.NOT_YOUR_CALL.text())
        elif self._consultations.of(presence.extension, uniqueid) is not None:
            done(Refusal.CONSULTING.text())
        elif not leg.linked or leg.other is None or not leg.other.live:
            done(Refusal.NOBODY_CONNECTED.text())
        else:
            return leg.other
        return None

    def _submit(
        self,
        action: AmiAction,
        done: ReplyCallback,
        *,
        within: float = ANSWER_WITHIN,
        unchecked: bool = False,
    ) -> str:
        """Ask, and tell the client the answer; empty, and told so, if Asterisk is not connected.

        `unchecked`: Asterisk says Success also for what it then cannot do.
        """
        if not self._requests.up:
            done(Refusal.PBX_DOWN.text())
            return ""

        def answered(outcome: ActionOutcome) -> None:
            done(reason_of(outcome, within), unchecked=unchecked and outcome.ok)

        return self._requests.submit(action, answered, timeout=within)

    def _outbound_service(self, username: str, context: str) -> Service | None:
        for service in self.configuration().services_of(username):
            if service.type == "outbound" and service.context == context:
                return service
        return None
