"""Decides what a seat's client is told of its leg, and when: the step between call state and notifications.

With `events="services"` the events of a leg wait, bounded, until its service is known, and then go out in
order; a leg whose service never becomes known is never told. AMI thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from astcti_server.ami.vocabulary import OriginateResponse
from astcti_server.calls.matching import OfferedServices
from astcti_server.calls.model import Leg, Pair, Party
from astcti_server.calls.notification import Notification
from astcti_server.calls.originations import Origination
from astcti_server.calls.rendering import call_of, due_triggers, in_state
from astcti_server.calls.state.found import Found
from astcti_server.calls.state.pop_up import PopUp
from astcti_server.calls.trail_notes import note_not_opened, note_opened, note_unmatched
from schemas.configuration.model import Configuration
from schemas.events import MOMENT_OF, Action, Call, CallEvent, Cause, EventId, Originate, PhoneEnd
from schemas.explanation.codes import TrailStep

OperatorsByPhone = Callable[[], Mapping[str, str]]
"""Which operator (user name) sits at which phone (extension), now; a frozen mapping."""

_NONE_OFFERED: Final = OfferedServices(())
_OF_A_PAIR: Final[frozenset[EventId]] = frozenset(("Link", "Unlink", "Hangup"))
"""Never held: what is no call of a service now does not become one because of what comes later."""

_NOBODY_THERE = TrailStep.NOBODY_THERE.value
_MATCHED = TrailStep.MATCHED.value
_HELD_EVENTS_LOST = TrailStep.HELD_EVENTS_LOST.value
_RESUMED = TrailStep.RESUMED.value


class Notifier:
    """Turns what happened to a leg into notifications, which `take` hands out in order."""

    def __init__(self, operators: OperatorsByPhone, clock: Callable[[], float]) -> None:
        self._operators = operators
        self._clock = clock
        self._configuration = Configuration()
        self._offered_to: dict[str, OfferedServices] = {}
        """By user name, of this configuration."""
        self._offered: dict[tuple[int, ...], OfferedServices] = {}
        """By the services' identities: most operators of a site have the same."""
        self._all_calls = False
        self._resuming: dict[str, str] = {}
        """Who said when he sat down that his client resumes: user names by extension."""
        self._began: float | None = None
        """When the server had read the channels for the first time."""
        self._notifications: list[Notification] = []

    def begin(self) -> None:
        """Who sat where until now, and was told of what, is not known: the server starts."""
        self._began = self._clock()

    def configure(self, configuration: Configuration, *, all_calls: bool) -> None:
        """Use another configuration from now on; legs that have a service keep it."""
        self._configuration = configuration
        self._offered_to, self._offered = {}, {}
        self._all_calls = all_calls

    def take(self) -> list[Notification]:
        """What is to be told since the last time."""
        if not self._notifications:
            return []
        notifications, self._notifications = self._notifications, []
        return notifications

    def notify(
        self,
        leg: Leg,
        event: EventId,
        *,
        other: Party | None = None,
        cause: Cause | None = None,
        repeat: bool = False,
        found: Found | None = None,
    ) -> None:
        """Tell the client at the leg's phone, at once or when the service is known, if anybody sits there.

        `found`: what is known of a conversation that was not seen to begin.
        """
        username = self._operators().get(leg.extension)
        if username is None:
            if event in MOMENT_OF:
                leg.trail.add(_NOBODY_THERE)
            return
        if other is None:
            other = leg.other
        matched = self._match(leg, other, username, fresh=event == "Link" and not repeat)
        if leg.service is None:
            if event == "Link" or (event == "Hangup" and not leg.linked):
                note_unmatched(leg, other, username)
            if not self._all_calls:
                if event not in _OF_A_PAIR and not leg.hold_back(event, leg.party.call.state):
                    leg.trail.add(_HELD_EVENTS_LOST)
                return
        call = call_of(leg, other, leg.service, leg.party.call.state)
        if leg.held_back:
            self._release(leg, call, username)
        self._send(leg, event, call, username, cause, repeat, matched, found)

    # -- who resumes ---------------------------------------------------------------------------------------

    def seated(self, extension: str, *, resumes: bool) -> None:
        """Somebody sat down there, whose client says what it has shown, or does not."""
        username = self._operators().get(extension)
        if resumes and username is not None:
            self._resuming[extension] = username
        else:
            self._resuming.pop(extension, None)

    def is_repeat(self, leg: Leg, pair: Pair) -> bool:
        """Whether the conversation, just told of or found, opens nothing at this phone."""
        return pair.repeat and not (pair.found is not None and pair.found.news and self._resumes(leg))

    def notify_seated(self, leg: Leg, other: Party, pair: Pair) -> None:
        """Tell who sat down of a conversation that goes on; in full if its pop-up may be missing there."""
        if self._resumes(leg):
            username, now = self._operators()[leg.extension], self._clock()
            pop_up = leg.pop_ups.get(other.uniqueid)
            if pop_up is None and (found := self._found_at_start(pair)) is not None and found.is_recent(now):
                self.notify(leg, "Link", other=other, found=found)
                return
            if pop_up is not None and pop_up.is_missing(username, now):
                self._send_again(leg, other, username, pop_up)
                return
        self.notify(leg, "Link", other=other, repeat=True)

    def _found_at_start(self, pair: Pair) -> Found | None:
        """What is known of a conversation that nobody was told of.

        That of one which began at an empty seat after the server did: its client may not have been back yet.
        """
        found, began = pair.found, self._began
        if began is None or (found is not None and (found.at_start or not found.news)):
            return found
        return Found(repeat=False, news=True, at_start=True, began=began)

    def _resumes(self, leg: Leg) -> bool:
        username = self._resuming.get(leg.extension)
        return username is not None and username == self._operators().get(leg.extension)

    def _send_again(self, leg: Leg, other: Party, username: str, pop_up: PopUp) -> None:
        """The same triggers once more: what the client did of them it knows by their keys."""
        self._match(leg, other, username, fresh=False)
        leg.trail.add(_RESUMED, username, "Link")
        call = call_of(leg, other, pop_up.service, leg.party.call.state)
        told = CallEvent("Link", call, pop_up.service.name, pop_up.triggers)
        self._notifications.append(Notification(leg.extension, told))

    # -- services ------------------------------------------------------------------------------------------

    def service_may_be_known(self, leg: Leg) -> None:
        """The caller went on in the dialplan: send what was held if that tells the service."""
        if not leg.held_back:
            return
        username = self._operators().get(leg.extension)
        if username is None:
            return
        self._match(leg, leg.other, username, fresh=False)
        if leg.service is not None:
            self._release(leg, call_of(leg, leg.other, leg.service, leg.party.call.state), username)

    def notify_origination(
        self, asked: Origination, leg: Leg | None, event: OriginateResponse, phone: PhoneEnd | Literal[""]
    ) -> None:
        """Tell the seat that asked for a call what became of it; `leg` is its phone's, if it came to be.

        `phone`: why that took no part.
        """
        service = asked.service
        if leg is not None:
            username = self._operators().get(leg.extension)
            if leg.service is None and service is not None and username is not None:
                leg.originate_for(service, username)
                leg.trail.add(_MATCHED, service.name, username)
                self._release(leg, call_of(leg, leg.other, service, leg.party.call.state), username)
            call = call_of(leg, leg.other, service, leg.party.call.state)
        else:
            called = asked.exten
            call = Call(event.uniqueid, event.channel, called, context=asked.context, direction="outbound")
        originate = Originate(asked.exten, event.response, event.reason, phone)
        name = service.name if service is not None else ""
        told = CallEvent("OriginateResponse", call, name, originate=originate)
        self._notifications.append(Notification(asked.extension, told))

    def _match(self, leg: Leg, other: Party | None, username: str, *, fresh: bool) -> bool:
        """Find the leg's service if it has none, or anew for a new party. True if this very call has one."""
        leg.operated_by(username)
        if leg.service is not None and not fresh:
            return True
        offered = self._services_offered_to(username)
        same_call = leg.service is not None and leg.matched is other
        if same_call and leg.offered is not offered.services:
            return True  # a call that rings keeps its service, whatever is configured meanwhile
        found = offered.service_of(leg, other)
        if found is not None and (found.queue or not same_call):
            # While it rang the queue may not have been known; a context that was entered later tells nothing.
            if found is not leg.service:
                leg.trail.add(_MATCHED, found.name, username)
            leg.belong_to(found, other, offered.services)
        return found is not None or same_call

    def _services_offered_to(self, username: str) -> OfferedServices:
        offered = self._offered_to.get(username)
        if offered is None:
            services = self._configuration.services_of(username)
            key = tuple([id(service) for service in services])
            offered = self._offered.get(key)
            if offered is None:
                offered = self._offered[key] = OfferedServices(services) if services else _NONE_OFFERED
            self._offered_to[username] = offered
        return offered

    def _release(self, leg: Leg, call: Call, username: str) -> None:
        """Send what was held back, with what is known of the call now; only its state was another."""
        for event, state in leg.take_held_back():
            self._send(leg, event, in_state(call, state), username, None, False, True)

    def _send(
        self,
        leg: Leg,
        event: EventId,
        call: Call,
        username: str,
        cause: Cause | None,
        repeat: bool,
        matched: bool,
        found: Found | None = None,
    ) -> None:
        service = leg.service
        triggers: tuple[Action, ...] = ()
        moment = MOMENT_OF.get(event) if service is not None else None
        if service is not None and moment is not None:
            if matched and not repeat and self._opens(leg, event):
                triggers = due_triggers(leg, call, service, username, moment, event, self._clock)
            if triggers:
                note_opened(leg, service, username, moment, triggers)
                if event == "Link" and call.connected is not None:
                    began = self._clock() if found is None or found.began is None else found.began
                    pop_up = PopUp(username, service, triggers, began)
                    leg.pop_up_sent(call.connected.uniqueid, pop_up)
            else:
                note_not_opened(leg, call, service, username, moment, matched=matched, repeat=repeat)
        if found is not None and found.at_start and not triggers:
            repeat = True
        name = service.name if service is not None else ""
        self._notifications.append(
            Notification(leg.extension, CallEvent(event, call, name, triggers, cause, None, repeat))
        )

    @staticmethod
    def _opens(leg: Leg, event: EventId) -> bool:
        """A ring that was told late opens nothing any more; a call that nobody took has no end to work on."""
        if event == "Callerid":
            return not leg.linked
        return leg.talked if event in ("Link", "Hangup") else True
