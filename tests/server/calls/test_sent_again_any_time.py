"""Somebody sits down at any moment of a recorded call: the pop-up is sent again if it may be missing.

A model that knows only what was told and what clients said decides what has to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.vocabulary import Link, Newchannel, TelephoneEvent
from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiBanner, AmiParser
from astcti_server.calls.notification import Notification
from astcti_server.calls.tracker import Tracker
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.events import CallEvent
from schemas.protocol import KEPT_FOR

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "ami"
NAMES = (
    "22-queue-ringall",
    "22-queue-local",
    "22-attended-transfer",
    "22-direct-call",
    "22-pickup",
    "16-blind-transfer",
    "16-queue-local-n",
    "16-blonde-transfer",
    "old/1.4-queue",
)
PHONES = tuple(f"{technology}/{number}" for technology in ("SIP", "PJSIP") for number in (201, 202, 203))
MACS = tuple(f"02:00:00:00:03:{index:02x}" for index in range(len(PHONES)))
PEOPLE = ("mario", "luisa")
SERVICES = tuple(
    Service(
        name=context,
        context=context,
        type="inbound",
        triggers=(Trigger("browser", url="https://crm.example/{CALLERID}"),),
        operators=tuple(Binding(name) for name in PEOPLE),
    )
    for context in ("astctidemo", "direct", "incoming", "from-trunk")
)
CONFIGURATION = Configuration(
    SERVICES,
    tuple(Seat(mac, phone) for mac, phone in zip(MACS, PHONES, strict=True)),
    tuple(Operator(name, name, "md5:" + "0" * 32) for name in PEOPLE),
)

Pair = tuple[str, str, str]
"""Extension, own leg, other party."""
Act = tuple[object, ...]


@cache
def events_of(name: str) -> tuple[TelephoneEvent, ...]:
    parser, dialect = AmiParser(EventFilter.for_configuration(CONFIGURATION)), Dialect()
    found: list[TelephoneEvent] = []
    for message in parser.feed((RECORDINGS / f"{name}.ami").read_bytes()):
        if isinstance(message, AmiBanner):
            dialect.greeting(message)
        elif isinstance(message, AmiEvent) and not message.action_id:
            found += dialect.translate(message)
    return tuple(found)


@dataclass
class Told:
    """The pop-up of a pair, as far as what was told and said goes."""

    operator: str
    at: float
    had: bool = False
    since_login: bool = True
    """It was told since the last login there."""


@dataclass
class Model:
    """A tracker, and what is to be expected of it."""

    now: float = 0.0
    operators: dict[str, str] = field(default_factory=lambda: dict.fromkeys(PHONES, "mario"))
    pop_ups: dict[Pair, Told] = field(default_factory=dict)
    full: list[tuple[str, CallEvent]] = field(default_factory=list)
    again: int = 0

    def __post_init__(self) -> None:
        self.tracker = Tracker(lambda: self.operators, lambda: self.now)
        self.tracker.configure(CONFIGURATION, all_calls=False)

    def happens(self, event: TelephoneEvent) -> None:
        """Full Links of what is seen to happen are the first of their pair, for whoever sits there."""
        for told in self.tracker.handle(event):
            pair = self._note(told)
            if pair is not None and told.event.triggers:
                assert pair not in self.pop_ups
                self.pop_ups[pair] = Told(self.operators[told.extension], self.now)

    def sits_down(self, phone: str, operator: str, *, resumes: bool) -> None:
        self.operators = {**self.operators, phone: operator}
        for told_before in self._of(phone):
            told_before.since_login = False
        for told in self.tracker.seated(phone, resumes=resumes):
            pair = self._note(told)
            if pair is None or told.event.id != "Link":
                continue
            pop_up = self.pop_ups.get(pair)
            due = pop_up is not None and pop_up.operator == operator and not pop_up.had
            if resumes and due and pop_up is not None and self.now - pop_up.at < KEPT_FOR:
                assert told.event.triggers
                assert not told.event.repeat
                assert not pop_up.since_login
                pop_up.since_login = True
                self.again += 1
            else:
                assert told.event.repeat
                assert not told.event.triggers

    def says(self, index: int, *, kind: str) -> None:
        """A client says something of a Link that was told in full."""
        if not self.full:
            return
        phone, event = self.full[index % len(self.full)]
        if kind == "shown":
            self.tracker.shown(phone, event, 100.0)
        elif kind == "failed":
            self.tracker.trigger_failed(phone, event, event.triggers[0].key, "not-found")
        else:
            self.tracker.written(Notification(phone, event))
        pop_up = self.pop_ups.get(self.pair_of(phone, event))
        if pop_up is not None:
            pop_up.had = True

    def _of(self, phone: str) -> list[Told]:
        return [pop_up for pair, pop_up in self.pop_ups.items() if pair[0] == phone]

    def _note(self, told: Notification) -> Pair | None:
        if told.event.call.connected is None:
            return None
        if told.event.id == "Link" and told.event.triggers:
            self.full.append(told)
        return self.pair_of(*told)

    @staticmethod
    def pair_of(phone: str, event: CallEvent) -> Pair:
        assert event.call.connected is not None
        return phone, event.call.uniqueid, event.call.connected.uniqueid


ACTS = st.one_of(
    st.tuples(st.just("sits"), st.sampled_from(PHONES), st.sampled_from(PEOPLE), st.booleans()),
    st.tuples(st.just("says"), st.sampled_from(("shown", "failed", "written")), st.integers(0, 9)),
    st.tuples(st.just("later"), st.sampled_from((1.0, 60.0, KEPT_FOR - 1, KEPT_FOR))),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), st.lists(st.tuples(st.floats(0, 1), ACTS), max_size=25))
def test_pop_up_comes_again_if_and_only_if_it_may_be_missing(
    name: str, acts: Sequence[tuple[float, Act]]
) -> None:
    play(name, acts)


def play(name: str, acts: Sequence[tuple[float, Act]]) -> Model:
    model, events = Model(), events_of(name)
    due = sorted(acts, key=lambda act: act[0])
    for position, event in enumerate(events):
        while due and due[0][0] * len(events) <= position:
            act(model, due.pop(0)[1])
        model.happens(event)
    return model


def act(model: Model, what: Act) -> None:
    match what:
        case ("sits", str(phone), str(operator), bool(resumes)):
            model.sits_down(phone, operator, resumes=resumes)
        case ("says", str(kind), int(index)):
            model.says(index, kind=kind)
        case ("later", float(seconds)):
            model.now += seconds


def test_each_of_these_recordings_has_a_pop_up_that_comes_again() -> None:
    """Else the test above would show nothing."""
    for name in NAMES:
        everywhere = [(place / 50, ("sits", phone, "mario", True)) for place in range(50) for phone in PHONES]
        assert play(name, everywhere).again > 0, name


# -- the server begins anew ----------------------------------------------------------------------------------


def channels_of(tracker: Tracker, ages: int) -> list[TelephoneEvent]:
    """What Asterisk 12 and later would list of these calls, each channel so old."""
    calls = list(tracker.table.all())
    listed: list[TelephoneEvent] = []
    for call in calls:
        party = call.party
        listed.append(
            Newchannel(
                call.uniqueid,
                call.channel,
                call.state,
                party.number,
                party.name,
                party.context,
                party.exten,
                party.linkedid,
                ages,
            )
        )
    listed += [
        Link(call.uniqueid, call.channel, other.uniqueid, other.channel)
        for call in calls
        for other in call.links
        if call.uniqueid < other.uniqueid
    ]
    return listed


MODERN = tuple(name for name in NAMES if name.startswith(("22-", "16-")))
VISITS = st.tuples(st.sampled_from(PEOPLE), st.booleans(), st.booleans(), st.sampled_from((1.0, 60.0)))
"""Who sits down, whether with a client that resumes, whether it says SHOWN, and after so many seconds."""


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(MODERN),
    st.floats(0, 1),
    st.sampled_from((3, 100, 179, 180)),
    st.lists(VISITS, max_size=8),
)
def test_after_a_start_at_any_moment_one_operator_gets_what_is_young_until_it_is_shown(
    name: str, place: float, age: int, visits: list[tuple[str, bool, bool, float]]
) -> None:
    before, events = Model(), events_of(name)
    for event in events[: int(place * len(events))]:
        before.tracker.handle(event)
    after = Model(operators={})
    after.tracker.read_again(channels_of(before.tracker, age))
    gets: dict[Pair, str] = {}
    shown: set[Pair] = set()
    for operator, resumes, says, seconds in visits:
        after.now += seconds
        for phone in PHONES:
            after.operators = {phone: operator}
            for told in after.tracker.seated(phone, resumes=resumes):
                if told.event.id != "Link":
                    continue
                pair = after.pair_of(*told)
                if not told.event.triggers:
                    assert told.event.repeat
                    mine = gets.get(pair, operator) == operator and pair in gets
                    assert not (resumes and mine and pair not in shown and age + after.now < KEPT_FOR)
                    continue
                assert resumes
                assert not told.event.repeat
                assert age + after.now < KEPT_FOR
                assert gets.setdefault(pair, operator) == operator
                assert pair not in shown
                if says:
                    after.tracker.shown(phone, told.event, None)
                    shown.add(pair)
    if visits and visits[0][1] and age + visits[0][3] < KEPT_FOR:
        assert set(gets) == _opened_by(before)


def _opened_by(before: Model) -> set[Pair]:
    """The pairs that talk and that the service of this operator would have opened something for."""
    again = Model()
    found = again.tracker.read_again(channels_of(before.tracker, 0))
    assert all(told.event.repeat for told in found if told.event.id == "Link")
    for phone in PHONES:
        found += again.tracker.seated(phone, resumes=True)
    return {again.pair_of(*told) for told in found if told.event.triggers}


def test_each_of_these_recordings_has_a_moment_at_which_that_is_so() -> None:
    for name in MODERN:
        before, opened = Model(), 0
        for event in events_of(name):
            before.tracker.handle(event)
            if isinstance(event, Link):
                opened += len(_opened_by(before))
        assert opened > 0, name
