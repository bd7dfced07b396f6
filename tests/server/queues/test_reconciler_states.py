"""Whatever happens in whichever order: in the end everybody is where he belongs, and knows it."""

from __future__ import annotations

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.vocabulary import QueueMember
from astcti_server.clients.ports import Presence
from astcti_server.queues.seated_operator import desired_queues
from tests.fake.app_queue import AppQueue, QueueEntry
from tests.fake.queue_world import World, configuration, service, settings

STRANGER = ("astcti", "PJSIP/299")
CONFIGURATIONS = (
    configuration(),
    configuration(service("astcti", ("mario", 1)), service("sales", ("mario", 3), ("luigi", 2))),
    configuration(service("astcti", ("mario", 5), ("luigi", 5)), service("sales", ("mario", 3))),
    configuration(service("astcti", ("mario", 1), ("luigi", 2)), service("missing", ("mario", 1))),
    configuration(disabled=("luigi",)),
)
operators = st.sampled_from(["mario", "luigi"])
seats = st.sampled_from(["PJSIP/201", "PJSIP/202"])
queues = st.sampled_from(["astcti", "sales"])


class Session:
    """A client: what it did, and what it believes."""

    def __init__(self, presence: Presence) -> None:
        self.presence = presence
        self.queues: set[str] = set()
        self.paused: bool | None = None
        self.pause_steps: list[list[str]] = []

    def hear(self, line: str) -> None:
        number, _, rest = line.partition(" ")
        match number:
            case "200":
                assert rest not in self.queues, "told twice"
                self.queues.add(rest)
            case "210":
                self.queues.remove(rest)
            case "310":
                self.paused = rest.startswith("IN")

    def ask(self, world: World, wish: bool, away: set[str]) -> None:
        steps: list[str] = []
        self.pause_steps.append(steps)

        def progress(step: str, _text: str) -> None:
            assert not {"done", "failed"} & set(steps), "the last word was said"
            steps.append(step)
            if step == "done":
                self.paused = wish
                if wish:
                    away.add(self.presence.username)

        world.reconciler.pause(self.presence, wish, "", progress)


class Queues(RuleBasedStateMachine):
    """People, Asterisk, the network and the configuration do what they like."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.pbx = AppQueue("astcti", "sales")
        self.pbx.add(*STRANGER, QueueEntry(7, True))
        self.by_hand = {STRANGER}
        self.in_force = CONFIGURATIONS[0]
        self.sessions: dict[int, Session] = {}
        """Those that are logged in."""
        self.numbers = 0
        self.orphans: set[tuple[str, str]] = set()
        """Left by a kill in queues that no service named any more: they stay, and that is logged."""
        self.away: set[str] = set()
        """Who was granted a pause, and did not end it; nor did anybody by hand."""

    # -- people -------------------------------------------------------------------------------------------

    @rule(username=operators, seat=seats, in_pause=st.booleans())
    def sit_down(self, username: str, seat: str, in_pause: bool) -> None:
        self.numbers += 1
        presence = self.world.presence(self.numbers, username, seat, in_pause)
        for number, session in list(self.sessions.items()):
            if username == session.presence.username or seat == session.presence.queue_interface:
                del self.sessions[number]
        self.sessions[self.numbers] = Session(presence)
        self.world.reconciler.arrived(presence)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), at_once=st.booleans())
    def leave(self, data: st.DataObject, at_once: bool) -> None:
        number = data.draw(st.sampled_from(sorted(self.sessions)))
        del self.sessions[number]
        self.world.reconciler.left(number, at_once)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def log_out(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.sessions)))
        self.away.discard(self.sessions.pop(number).presence.username)
        self.world.reconciler.logged_out(number)
        self.world.reconciler.left(number, at_once=True)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), wish=st.booleans())
    def ask_for_pause(self, data: st.DataObject, wish: bool) -> None:
        number = data.draw(st.sampled_from(sorted(self.sessions)))
        session = self.sessions[number]
        if not wish:
            self.away.discard(session.presence.username)
        session.ask(self.world, wish, self.away)

    @rule(seat=seats, paused=st.booleans(), heard=st.booleans())
    def pause_by_hand(self, seat: str, paused: bool, heard: bool) -> None:
        self.away.clear()
        self.hear(self.pbx.pause(seat, paused, ""), heard)

    @rule(queue=queues, seat=seats, heard=st.booleans())
    def remove_by_hand(self, queue: str, seat: str, heard: bool) -> None:
        if (queue, seat) in self.pbx.members:
            self.away.clear()
            self.hear(self.pbx.remove(queue, seat), heard)

    @rule(queue=queues, seat=seats, paused=st.booleans(), heard=st.booleans())
    def add_by_hand(self, queue: str, seat: str, paused: bool, heard: bool) -> None:
        if (queue, seat) not in self.pbx.members:
            self.by_hand.add((queue, seat))
            self.away.clear()
            self.hear(self.pbx.add(queue, seat, QueueEntry(9, paused)), heard)

    @rule(number=st.integers(0, len(CONFIGURATIONS) - 1))
    def configure(self, number: int) -> None:
        self.in_force = CONFIGURATIONS[number]
        self.world.reconciler.configure(self.in_force, settings())

    # -- Asterisk and the network -------------------------------------------------------------------------

    @precondition(lambda self: self.world.link.open)
    @rule(heard=st.booleans())
    def answer(self, heard: bool = True) -> None:
        """`heard`: somebody's event filter does not hide the events."""
        self.world.wheel.advance()  # an answer comes in a later turn of the loop than its action
        sent = self.world.link.open.pop(0)
        outcome, events = self.pbx.perform(sent)
        sent.done(outcome)
        self.hear(events, heard)

    @precondition(lambda self: self.world.link.open)
    @rule(performed=st.booleans())
    def answer_too_late(self, performed: bool) -> None:
        self.world.wheel.advance()
        sent = self.world.link.open.pop(0)
        if performed:
            self.pbx.perform(sent)
        sent.done(ActionOutcome(False, "", failure="timeout"))

    @precondition(lambda self: self.world.link.up)
    @rule(restarted=st.booleans())
    def lose_link(self, restarted: bool) -> None:
        self.world.wheel.advance()  # a turn of the loop: what was to be written is written
        self.world.go_down()
        if restarted:
            kept = self.pbx.members[STRANGER]
            self.pbx.members.clear()
            self.pbx.members[STRANGER] = kept

    @precondition(lambda self: not self.world.link.up)
    @rule()
    def find_link(self) -> None:
        self.world.link.up = True
        self.world.reconciler.link_up()

    @rule(performed=st.booleans())
    def kill_server(self, performed: bool) -> None:
        for sent in self.world.link.open if performed else []:
            self.pbx.perform(sent)
        self.sessions.clear()
        self.orphans |= {key for key in self.world.members_kept if key[0] not in self.in_force.queues}
        self.world.kill_server(self.in_force)

    @rule(seconds=st.sampled_from([0.0, 0.0, 2.0, 5.0, 10.0, 60.0, 300.0]))
    def wait(self, seconds: float) -> None:
        self.world.wheel.advance(seconds)

    def hear(self, events: list[QueueMember], heard: bool) -> None:
        for event in events if heard and self.world.link.up else []:
            self.world.reconciler.member_event(event)

    # -- what always holds --------------------------------------------------------------------------------

    @invariant()
    def nothing_is_asked_twice_at_the_same_time(self) -> None:
        """But for a pause of all queues: of two wishes the last one counts."""
        asked = [sent.headers for sent in self.world.link.open if sent.headers.get("Interface")]
        keys = [(headers["Queue"], headers["Interface"]) for headers in asked if "Queue" in headers]
        assert len(keys) == len(set(keys))

    @invariant()
    def only_what_the_state_file_lists_is_added_or_removed(self) -> None:
        for sent in self.world.link.open:
            if sent.name in {"QueueAdd", "QueueRemove"}:
                assert (sent.headers["Queue"], sent.headers["Interface"]) in self.world.members_kept

    @invariant()
    def who_is_in_pause_is_never_added_without_it(self) -> None:
        for sent in self.world.link.open:
            if sent.name == "QueueAdd" and sent.headers["MemberName"].lower() in self.away:
                assert sent.headers["Paused"] == "true"

    @invariant()
    def clients_hear_nothing_twice(self) -> None:
        lines, self.world.lines = self.world.lines, []
        for number, line in lines:
            if number in self.sessions:
                self.sessions[number].hear(line)

    def teardown(self) -> None:
        """Everything works for a while: then everybody is where he belongs."""
        if not self.world.link.up:
            self.find_link()
        for _ in range(4):
            for seconds in (0.0, 5.0, 300.0, 2.0):
                self.world.wheel.advance(seconds)
                while self.world.link.open:
                    self.answer(heard=True)
                    self.world.wheel.advance()
        self.clients_hear_nothing_twice()
        owned = {}
        for session in self.sessions.values():
            seat, username = session.presence.queue_interface, session.presence.username
            desired = desired_queues(self.in_force, username)
            expected = {queue: desired[queue].penalty for queue in desired if queue in self.pbx.queues}
            owned.update({(queue, seat): username for queue in expected})
            found = {queue: self.pbx.members[queue, seat] for queue in expected}
            assert {queue: entry.penalty for queue, entry in found.items()} == expected
            assert session.queues == set(expected)
            if found:
                assert session.paused == any(entry.paused for entry in found.values())
            assert all(steps[-1] in {"done", "failed"} for steps in session.pause_steps)
        kept = self.world.members_kept
        assert {key: kept[key] for key in kept.keys() - (self.orphans - owned.keys())} == owned
        strangers = self.by_hand | self.orphans
        assert set(self.pbx.members) - set(owned) <= strangers, "a leftover rings an empty seat"
        assert self.pbx.members[STRANGER] == QueueEntry(7, True), "not ours"


TestQueues = Queues.TestCase
TestQueues.settings = hypothesis_settings(max_examples=60, stateful_step_count=25, deadline=None)
