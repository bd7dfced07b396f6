"""Cut anywhere, killed at any moment: each trigger is carried out once, and each call is in the history."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astcti_client.net.conversation import ServerConversation
from astcti_client.net.messages import ConnectionMessage, ConnectionState, ServerEvent
from astcti_client.net.resume_memory import ResumeMemory
from astcti_client.password import Password
from astcti_client.triggers.event_triggers import EventTriggers
from astcti_client.triggers.runner import TriggerRunner
from astcti_client.triggers.trigger_memory import TriggerMemory
from astcti_client.ui.state.seat_changes import CallOver, EventHeard, RingBegan
from astcti_client.ui.state.seat_model import SeatModel
from schemas.events import Action, Call, CallEvent, Cause, ConnectedParty, EventId
from tests.client.resuming_server import ResumingServer

STORY: tuple[EventId, ...] = ("Callerid", "Link", "Hangup")


class Killed(BaseException):
    """The process of the client ends here."""


@dataclass
class Pc:
    """What outlives a process of the client: the disk, and the pages that were opened."""

    disk: bytes = b""
    opened: Counter[str] = field(default_factory=Counter)
    over: Counter[str] = field(default_factory=Counter)
    rung: Counter[str] = field(default_factory=Counter)
    told_late: set[str] = field(default_factory=set)
    interrupted: set[str] = field(default_factory=set)
    steps_to_live: int | None = None
    kills: int = 0
    """In the middle of something."""

    def step(self) -> None:
        """Something that a process does to the world; it may be its last."""
        if self.steps_to_live is not None:
            self.steps_to_live -= 1
            if self.steps_to_live < 0:
                raise Killed

    # --- the disk, see `LineStore` ---

    def read(self) -> bytes:
        return self.disk

    def append(self, lines: bytes) -> None:
        self.step()
        self.disk += lines
        self.step()

    def replace(self, lines: bytes) -> None:
        self.disk = lines

    def open(self, url: str, _service: str) -> None:
        self.step()
        self.opened[url] += 1
        self.step()


class ClientProcess:
    """The parts of the client that know no window and no socket, joined as the program joins them."""

    def __init__(self, pc: Pc, server: ResumingServer) -> None:
        self.pc, self.server = pc, server
        memory = TriggerMemory(pc)
        memory.enter("cti.example 5000 mario")
        self.resume = ResumeMemory(memory.position())
        self.inbox: list[ConnectionMessage] = []
        self.shown: list[tuple[str, str]] = []
        self.model = SeatModel(lambda: 1.0)
        runner = TriggerRunner(system="linux", show_page=pc.open, memory=memory)
        self.events = EventTriggers(runner, memory, lambda *line: self.shown.append(line), lambda: 1.0)
        self.conversation: ServerConversation | None = None

    def connect(self) -> None:
        self.cut()
        self.server.connect()
        self.conversation = ServerConversation(
            "mario",
            Password.from_text("test"),
            [],
            deliver=self.inbox.append,
            clock=lambda: 1.0,
            protection="verified",
            numbers=itertools.count(1),
            resume=self.resume,
        )
        self.inbox.append(ConnectionState("connecting", ""))

    def cut(self) -> None:
        self.conversation = None
        self.server.lose()

    def exchange(self, most: int = 1 << 30) -> None:
        """Let both talk; the client reads at most so many bytes."""
        while self.conversation is not None:
            self._say_shown(self.conversation)
            for line in self.conversation.outgoing.decode().splitlines():
                self.server.hear(line)
            self.conversation.outgoing.clear()
            data = bytes(self.server.outgoing[:most])
            if not data:
                return
            del self.server.outgoing[: len(data)]
            most -= len(data)
            self.conversation.feed(data)

    def _say_shown(self, conversation: ServerConversation) -> None:
        if conversation.epoch:
            for epoch, line in self.shown:
                if epoch == conversation.epoch:
                    conversation.shown(line)
            self.shown.clear()

    def take(self, most: int = 1 << 30) -> None:
        """The main thread handles messages and draws."""
        now = self.inbox[:most]
        del self.inbox[:most]
        for message in now:
            for change in self.model.hear(message):
                match change:
                    case EventHeard():
                        self._handle(change)
                    case CallOver(call=call):
                        self.pc.over[call.key] += 1
                    case RingBegan(call=call):
                        self.pc.rung[call.key] += 1
            if isinstance(message, ServerEvent):
                self.events.shows(self.model.first_event)
                self.events.drawn()

    def _handle(self, heard: EventHeard) -> None:
        event = heard.event
        if event.late:
            self.pc.told_late.add(_page(event))
        due = self.events.hear(event, trusted=True, epoch=heard.epoch, arrived=heard.arrived)
        for trigger in due:
            assert not (event.late and event.id != "Hangup") or trigger.interrupted
            self.events.do(trigger)
            if trigger.interrupted:
                self.pc.interrupted.add(trigger.action.url)


def _page(event: CallEvent) -> str:
    return f"https://crm.example/{event.id}/{event.call.uniqueid}"


def _event(kind: EventId, key: str) -> CallEvent:
    call = Call(key, f"PJSIP/201-{key}", "333", connected=ConnectedParty(f"o{key}", "PJSIP/9"))
    bare = CallEvent(kind, call, "Demo", (), Cause(16, "answered") if kind == "Hangup" else None)
    key16 = f"{STORY.index(kind):016x}"
    return bare._replace(triggers=(Action("internal-browser", url=_page(bare), key=key16),))


@dataclass
class Scene:
    """A PC, a server and calls between which anything may happen."""

    pc: Pc = field(default_factory=Pc)
    server: ResumingServer = field(default_factory=ResumingServer)
    told: dict[str, int] = field(default_factory=dict)
    """How far each call is."""
    begun: int = 0

    def __post_init__(self) -> None:
        self.client = ClientProcess(self.pc, self.server)
        self.client.connect()

    def do(self, what: str, number: int) -> None:
        try:
            self._do(what, number)
        except Killed:
            self.pc.kills += 1
            self._restart()

    def _do(self, what: str, number: int) -> None:
        match what:
            case "call":
                self._call_goes_on(number)
            case "read":
                self.client.exchange(number * 37)
            case "read-all":
                self.client.exchange()
            case "call-and-handle":
                self._call_goes_on(number)
                self.client.exchange()
                self.client.take()
            case "handle":
                self.client.take(number)
            case "cut":
                self.client.cut()
            case "connect":
                self.client.connect()
            case "kill":
                self._restart()
            case "kill-soon":
                self.pc.steps_to_live = number
            case "forget":
                self.client.cut()
                self.server.forget()

    def _call_goes_on(self, number: int) -> None:
        going = list(self.told)
        if number % 4 >= len(going):
            self.begun += 1
            going.append(f"1.{self.begun}")
            self.told[going[-1]] = 0
        key = going[number % 4 if number % 4 < len(going) else -1]
        self.server.happens(_event(STORY[self.told[key]], key))
        self.told[key] += 1
        if self.told[key] == len(STORY):
            del self.told[key]

    def _restart(self) -> None:
        self.pc.steps_to_live = None
        self.client.cut()
        self.client = ClientProcess(self.pc, self.server)
        self.client.connect()

    def end(self) -> None:
        """Everything that is on its way arrives."""
        self.pc.steps_to_live = None
        self.client.connect()
        self.client.exchange()
        self.client.take()
        self.client.exchange()

    def cards(self) -> set[str]:
        return {key for key, call in self.client.model.calls.items() if call.phase != "over"}


def _steps(*more: str) -> st.SearchStrategy[list[tuple[str, int]]]:
    kinds = [*["call"] * 3, *["call-and-handle"] * 5, "read", "read-all", *["handle"] * 3, "cut", "connect"]
    return st.lists(st.tuples(st.sampled_from([*kinds, *more]), st.integers(0, 12)), min_size=5, max_size=60)


@settings(max_examples=200, deadline=None)
@given(_steps("kill", "kill-soon"))
def test_each_trigger_is_carried_out_once_however_often_the_line_and_the_client_break(
    steps: list[tuple[str, int]],
) -> None:
    scene = Scene()
    scene.do("read-all", 0)  # the first log-in: from then on the server keeps what it tells
    for step in steps:
        scene.do(*step)
    scene.end()
    pc = scene.pc
    for event in scene.server.log:
        page = _page(event)
        assert pc.opened[page] <= 1
        if pc.opened[page] == 0 and page not in pc.interrupted:
            assert event.id != "Hangup"
            assert page in pc.told_late
        if event.id == "Hangup":
            assert pc.over[event.call.uniqueid] == 1 or (pc.kills and pc.over[event.call.uniqueid])
    assert scene.cards() == set(scene.told)
    assert all(count == 1 or pc.kills for count in pc.rung.values())


@settings(max_examples=150, deadline=None)
@given(_steps("kill", "kill-soon", "forget"))
def test_where_the_server_forgot_nothing_is_done_twice_and_the_cards_are_those_of_the_calls_there_are(
    steps: list[tuple[str, int]],
) -> None:
    scene = Scene()
    for step in steps:
        scene.do(*step)
    scene.end()
    assert all(count == 1 for count in scene.pc.opened.values())
    assert scene.cards() == set(scene.told)
    for key, event in scene.server.running.items():
        if event.id == "Link":  # the conversation goes on: its page is there, or is offered
            assert _page(event) in scene.pc.interrupted or scene.pc.opened[_page(event)], key


def test_a_new_process_shows_the_calls_that_go_on_without_telling_of_anything_again() -> None:
    scene = Scene()
    scene.do("read-all", 0)
    for number in (0, 0, 1, 1, 1, 2):  # one is in conversation, one was over, one rings
        scene.do("call-and-handle", number)
    before = (scene.pc.opened.copy(), scene.pc.over.copy(), scene.pc.rung.copy())
    assert [counter.total() for counter in before] == [6, 1, 3]
    for most in range(40):  # each process but the last is killed a little later
        scene.do("kill", 0)
        scene.client.exchange()
        scene.client.take(most)
    scene.do("kill", 0)
    scene.end()
    assert (scene.pc.opened, scene.pc.over, scene.pc.rung) == before
    assert scene.cards() == set(scene.told) == {"1.1", "1.3"}


@pytest.mark.parametrize(
    ("steps", "opened", "interrupted"),
    [(0, 1, 0), (1, 0, 1), (2, 0, 1), (3, 1, 1), (4, 1, 1), (5, 1, 0), (6, 1, 0), (7, 1, 0)],
)
def test_a_trigger_that_the_client_was_killed_in_is_told_as_interrupted(
    steps: int, opened: int, interrupted: int
) -> None:
    """Begun is written in steps 0 and 1, the page opens in 2 and 3, 4 and 5 write that it is done."""
    scene = Scene()
    scene.do("read-all", 0)
    scene.do("call", 0)
    scene.do("read-all", 0)
    scene.do("kill-soon", steps)
    scene.do("handle", 99)
    assert scene.pc.kills == 1
    scene.end()
    assert (scene.pc.opened.total(), len(scene.pc.interrupted)) == (opened, interrupted)
    (shown,) = [line for line in scene.server.heard if line.startswith("SHOWN ")]
    assert shown == ("SHOWN 1 KO 0000000000000000 interrupted" if interrupted else "SHOWN 1 0")
