"""Tells the tracker what happens on a PBX, in a few words a step, and remembers who was told what.

`Story` speaks as Asterisk 12 and later do; `old=True` as 1.8 to 11 (no Linkedid, no Dial from queues).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from astcti_server.ami import vocabulary as ami
from astcti_server.calls.notification import Notification
from astcti_server.calls.originations import Origination
from astcti_server.calls.tracker import Tracker
from astcti_server.explain.call_trails import CallTrails
from astcti_server.explain.explanations import CallsOfAMoment, Explanation
from astcti_server.explain.heard_names import HeardNames
from astcti_server.explain.kept_trails import KeptTrails
from astcti_server.explain.server_marks import ServerMarks
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.events import CallEvent

BEGAN = 1_795_000_000.0  # when a story begins, in seconds since 1970
URL = "https://crm.example/ticket?id={CALLDATA}&from={CALLERID}"

DEMO = Service(
    name="Demo",
    context="astctidemo",
    type="inbound",
    is_queue=True,
    queue_name="astcti",
    variables=("calldata", "ticket"),
    triggers=(
        Trigger("browser", url=URL),
        Trigger("application", on="ring", application="ring.exe", parameters='--who "{CALLERIDNAME}"'),
        Trigger("browser", on="hangup", url="https://crm.example/done?id={LINKEDID}"),
    ),
    operators=(Binding("mario"), Binding("luisa"), Binding("anna")),
)
DIRECT = Service(
    name="Direct",
    context="direct",
    type="inbound",
    variables=("calldata",),
    triggers=(Trigger("browser", url="https://crm.example/direct?from={CALLERID}"),),
    operators=(Binding("mario"), Binding("luisa")),
)
OUTSIDE = Service(
    name="Outside line",
    context="outbound",
    type="outbound",
    triggers=(Trigger("browser", url="https://crm.example/called?number={CALLERID}"),),
    operators=(Binding("mario"),),
)


def configuration(*services: Service) -> Configuration:
    """Three seats: mario at PJSIP/201, luisa at PJSIP/202, anna at PJSIP/203."""
    people = ("mario", "luisa", "anna")
    macs = [f"00:00:00:00:02:0{number}" for number in (1, 2, 3)]
    return Configuration(
        services=services or (DEMO, DIRECT, OUTSIDE),
        seats=tuple(Seat(mac, f"PJSIP/20{index + 1}") for index, mac in enumerate(macs)),
        operators=tuple(
            Operator(name, name.title(), "md5:" + "0" * 32, seat=macs[index])
            for index, name in enumerate(people)
        ),
    )


class Story:
    """A tracker with everybody logged in, and short names for channels (`caller`, `201`)."""

    def __init__(
        self,
        *services: Service,
        all_calls: bool = False,
        old: bool = False,
        operators: dict[str, str] | None = None,
        had: Callable[[str, str, str], None] | None = None,
    ) -> None:
        self.operators = (
            {"PJSIP/201": "mario", "PJSIP/202": "luisa", "PJSIP/203": "anna"}
            if operators is None
            else operators
        )
        self.old = old
        self.now = 0.0
        self._moments = itertools.count(1)
        self.marks = ServerMarks(self.moment)
        self.marks.configured(configuration(*services))
        self.trails = CallTrails(self.moment, KeptTrails())
        self.tracker = Tracker(lambda: self.operators, clock=lambda: self.now, trails=self.trails, had=had)
        self.tracker.configure(configuration(*services), all_calls=all_calls)
        self.told: list[Notification] = []
        self.names: dict[str, str] = {}

    def moment(self) -> float:
        """The time of day, a little later each time."""
        return BEGAN + self.now + next(self._moments) * 1e-6

    def explained(self, what: str, heard: HeardNames | None = None) -> Explanation:
        """The first answer that is given for what is named."""
        kept, running = self.trails.kept.all(), self.tracker.running_trails()
        return CallsOfAMoment(kept, running, self.marks.view(), lambda _ids: heard).explain(what)[0]

    def event(self, event: ami.TelephoneEvent) -> Story:
        self.told.extend(self.tracker.handle(event))
        return self

    def new(
        self,
        uid: str,
        channel: str,
        state: str,
        number: str = "",
        name: str = "",
        context: str = "",
        exten: str = "",
        root: str = "",
    ) -> Story:
        self.names[uid] = channel
        linked = "" if self.old else root or uid
        return self.event(ami.Newchannel(uid, channel, state, number, name, context, exten, linked))

    def caller(self, uid: str = "c", number: str = "3331234567", name: str = "Demo Caller") -> Story:
        """A trunk's channel comes in and enters the queue's context."""
        self.new(uid, f"PJSIP/trunk-{uid}", "Ring", number, name, "incoming", "101")
        return self.exten(uid, "astctidemo", "101", "Answer").state(uid, "Up")

    def queued(self, uid: str = "c", queue: str = "astcti") -> Story:
        return self.event(ami.QueueCaller(uid, self.names[uid], queue, True))

    def unqueued(self, uid: str = "c", queue: str = "astcti") -> Story:
        return self.event(ami.QueueCaller(uid, self.names[uid], queue, False))

    def state(self, uid: str, state: str, connected: str = "", own: str = "") -> Story:
        channel = self.names[uid]
        return self.event(ami.Newstate(uid, channel, state, own, "", connected, "", "", "", "", False))

    def exten(self, uid: str, context: str, exten: str, application: str = "NoOp", data: str = "") -> Story:
        return self.event(ami.Newexten(uid, self.names[uid], context, exten, application, data))

    def variable(self, uid: str, name: str, value: str) -> Story:
        return self.event(ami.VariableSet(uid, self.names[uid], name, value))

    def dial(self, source: str, destination: str) -> Story:
        channel = self.names[source] if source else ""
        return self.event(ami.Dial(source, channel, destination, self.names[destination], "", "", ""))

    def dial_end(self, source: str, destination: str, status: str) -> Story:
        channel = self.names[source] if source else ""
        return self.event(ami.DialEnd(source, channel, destination, self.names[destination], status))

    def pickup(self, picker: str, target: str) -> Story:
        return self.event(ami.Pickup(picker, self.names[picker], target, self.names[target]))

    def ring(self, source: str, uid: str, phone: str) -> Story:
        """`source` rings a phone: its channel appears, is dialled and rings."""
        self.new(uid, f"PJSIP/{phone}-{uid}", "Down", phone, root=source)
        if not (self.old and source in self.names):
            self.dial(source, uid)
        return self.state(uid, "Ringing", connected=self._number(source))

    def _number(self, uid: str) -> str:
        call = self.tracker.table.find(uid)
        return call.party.number if call is not None else ""

    def link(self, one: str, two: str) -> Story:
        return self.event(ami.Link(one, self.names[one], two, self.names[two]))

    def unlink(self, one: str, two: str) -> Story:
        return self.event(ami.Unlink(one, two))

    def ask(self, uid: str, service: Service, exten: str = "0551234", phone: str = "PJSIP/201") -> Story:
        """The client at a phone sends ORIG, and the phone rings for it."""
        self.tracker.originations.add("7", Origination(phone, exten, service.context, service))
        self.new(uid, f"{phone}-{uid}", "Down", phone.partition("/")[2], "", "phones", "s")
        self.dial("", uid)
        for state in ("Ringing", "Up"):
            self.event(ami.Newstate(uid, self.names[uid], state, "", "", "", "", "phones", "s", "", False))
        return self

    def originated(self, uid: str, response: str = "Success") -> Story:
        """Asterisk says what became of what `ask` asked for."""
        return self.event(ami.OriginateResponse("7", response, 4, uid, self.names[uid], "", ""))

    def rename(self, uid: str, new: str) -> Story:
        old, self.names[uid] = self.names[uid], new
        return self.event(ami.Rename(uid, old, new))

    def masquerade(self, clone: str, original: str) -> Story:
        """Asterisk 1.4 to 11: the party of `clone` moves onto `original`'s id."""
        name, replaced = self.names[clone], self.names[original]
        self.rename(clone, f"{name}<MASQ>").rename(original, name)
        return self.rename(clone, f"{replaced}<ZOMBIE>")

    def later(self, seconds: float) -> Story:
        """So much time goes by."""
        self.now += seconds
        return self

    def leaves(self, uid: str) -> Story:
        return self.event(ami.HangupRequest(uid))

    def hangup(self, uid: str, cause: int = 16) -> Story:
        return self.event(ami.Hangup(uid, self.names[uid], cause, "Normal Clearing"))

    # -- what was told -------------------------------------------------------------------------------------

    def events(self, phone: str, *ids: str) -> list[CallEvent]:
        """What the seat of a phone was told, of these ids or of all."""
        extension = f"PJSIP/{phone}"
        return [
            notification.event
            for notification in self.told
            if notification.extension == extension and (not ids or notification.event.id in ids)
        ]

    def ids(self, phone: str) -> list[str]:
        return [event.id for event in self.events(phone)]

    def links(self, phone: str) -> list[tuple[str, str]]:
        """(other party's channel, number shown) of each Link that is not a repeat."""
        return [
            (event.call.connected.channel, event.call.calleridnum)
            for event in self.events(phone, "Link")
            if event.call.connected is not None and not event.repeat
        ]

    def end(self, phone: str) -> str:
        """How the phone's last leg ended, as its seat was told."""
        cause = self.events(phone, "Hangup")[-1].cause
        assert cause is not None
        return cause.end
