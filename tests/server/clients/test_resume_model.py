"""Every cut and every interleaving of a session that is resumed, without sockets, threads or time.

The world below has the real registry, sessions, router, logs and seating. The steps of handlers and of the
AMI thread come in any order that is possible; a client has read any part of the bytes when it is cut off.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable
from functools import partial

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from astcti_server.calls.notification import Notification
from astcti_server.clients import config_enforcement
from astcti_server.clients.ports import Presence, ResumePoint, ShownReport
from astcti_server.clients.registry import Registry
from astcti_server.clients.resume.seating import Seating
from astcti_server.clients.router import Router
from astcti_server.clients.session import Session
from schemas import wire
from schemas.configuration.model import Configuration, Operator, Seat
from schemas.events import Action, Call, CallEvent
from schemas.protocol import KEPT_FOR
from tests.fake.clock import TimerWheel
from tests.fake.fake_requests import FakeCalls, seat_logs
from tests.fake.line_client import TakingTransport

PHONE, OTHER_PHONE = "PJSIP/201", "PJSIP/202"
MACS = {PHONE: "00:00:00:00:02:01", OTHER_PHONE: "00:00:00:00:02:02"}
NAMES = ("mario", "luisa")
STATE = "state"
OUTBOX = 6000
EXAMPLES = int(os.environ.get("ASTCTI_RESUME_EXAMPLES", "60"))
"""For a search at night there may be more."""
PAGE = (Action("browser", url="http://crm/", key="0123456789abcdef"),)


def site(password: str) -> Configuration:
    return Configuration(
        seats=tuple(Seat(mac, phone) for phone, mac in MACS.items()),
        operators=tuple(Operator(name, name, password) for name in NAMES),
    )


class Pipe(TakingTransport):
    """Takes everything, or nothing while its client does not read; remembers what it took."""

    def __init__(self) -> None:
        super().__init__()
        self.deaf = False

    def send(self, data: bytes) -> int:
        return 0 if self.deaf else super().send(data)

    def close(self) -> None:
        self.deaf = True


@dataclasses.dataclass
class Heard:
    """What a client knows of one epoch."""

    epoch: str = ""
    base: int = 0
    """Where in the truth that epoch begins."""
    events: list[CallEvent] = dataclasses.field(default_factory=list)
    of_state: int = 0
    """How many of them say the state that it began with."""


class Connection:
    """A session, and the client at its other end, which reads as far as it is told to."""

    def __init__(self, session: Session, pipe: Pipe, presence: Presence, heard: Heard) -> None:
        self.session = session
        self.pipe = pipe
        self.presence = presence
        self.heard = heard
        """Shared by the connections of one client."""
        self.arrived = self.cut = self.noticed = False
        self.hears_state = False
        """Whether it was told the state, and not what it had missed."""
        self.read_up_to = 0
        self.complete = False
        """Whether 105 was read."""
        self.began: ResumePoint | None = None


class World(RuleBasedStateMachine):
    """Two operators, two phones, one PBX."""

    def __init__(self) -> None:
        super().__init__()
        self.wheel = TimerWheel()
        self.registry = Registry()
        self.calls = FakeCalls()
        self.logs = seat_logs(self.registry, self.wheel.clock, most_characters=60_000)
        self.router = Router(self.registry, self.calls, self.logs)
        self.seating = Seating(
            self.registry, self.router, self.logs, self.calls, self.state_of, self.wheel.later
        )
        self.passwords = itertools.count(1)
        self.configuration = site("md5:0")
        self.logs.configure(self.configuration)
        self.waiting: list[tuple[Connection, Callable[[], None]]] = []
        """Logins whose handlers have not told the AMI thread yet, and what these do then."""
        self.displaced: list[Session] = []
        self.posted: list[Callable[[], None]] = []
        self.connections: list[Connection] = []
        self.heard: dict[tuple[str, str], Heard] = {}
        self.truth: dict[str, list[tuple[str, CallEvent]]] = {PHONE: [], OTHER_PHONE: []}
        """Of each phone, in order: for which operator, and what."""
        self.plainly: set[tuple[str, int]] = set()
        """The phones and places of those that a client without RESUME was told."""
        self.bases: dict[str, tuple[int, int, list[str], int, dict[int, CallEvent]]] = {}
        """Of an epoch: where in the truth its login was, and where its state; what went on then; how many
        events told the state, and those of them that are kept, by their numbers."""
        self.running: dict[str, list[str]] = {PHONE: [], OTHER_PHONE: []}
        self.numbers = itertools.count(1)
        self.logins: dict[int, int] = {}
        self.names = itertools.count(1)
        self.chunk = False

    # -- what happens at the PBX (AMI thread) ----------------------------------------------------------------

    def state_of(self, extension: str, _resumes: bool) -> list[Notification]:
        return [
            Notification(extension, CallEvent("Link", Call(uniqueid, STATE), repeat=True))
            for uniqueid in self.running[extension]
        ]

    def tell(self, extension: str, *events: CallEvent) -> None:
        username = self.logs.operators.get(extension)
        if username is not None:
            session = self.registry.at_extension(extension)
            if session is not None and session.resume is None:
                place = len(self.truth[extension])
                self.plainly |= {(extension, place + number) for number in range(len(events))}
            self.truth[extension] += [(username, event) for event in events]
            self.router.deliver([Notification(extension, event) for event in events])

    @rule()
    def everything_settles(self) -> None:
        """Nobody is slow for once."""
        if self.chunk:
            self.chunk_begins_or_ends()
        while self.waiting:
            self.a_slow_handler_goes_on(0)
        for connection in self.connections:
            if connection.cut and not connection.noticed:
                self.notice(connection)
        while self.posted:
            self.posted.pop(0)()
        for connection in self.connections:
            if not connection.cut:
                self.read(connection, len(connection.pipe.taken))

    @rule(extension=st.sampled_from([PHONE, PHONE, OTHER_PHONE]), pops_up=st.booleans())
    def call_begins(self, extension: str, pops_up: bool) -> None:
        uniqueid = f"{next(self.numbers)}.0"
        self.running[extension].append(uniqueid)
        call = Call(uniqueid, f"{extension}-1")
        link = CallEvent("Link", call, triggers=PAGE if pops_up else ())
        self.tell(extension, CallEvent("Newchannel", call), link)

    @rule(extension=st.sampled_from([PHONE, PHONE, OTHER_PHONE]))
    def call_ends(self, extension: str) -> None:
        if self.running[extension]:
            uniqueid = self.running[extension].pop(0)
            self.calls.over.add(uniqueid)
            self.tell(extension, CallEvent("Hangup", Call(uniqueid, f"{extension}-1"), triggers=PAGE))

    @rule(count=st.sampled_from([3, 3, 40, 270]))
    def a_lot_happens(self, count: int) -> None:
        """So much that logs and outboxes may overflow."""
        call = Call(f"{next(self.numbers)}.0", f"{PHONE}-1")
        self.calls.over.add(call.uniqueid)
        for number in range(count):
            self.tell(PHONE, CallEvent("Newexten", call._replace(state=f"{number}")))

    @rule()
    def chunk_begins_or_ends(self) -> None:
        self.chunk = not self.chunk
        if self.chunk:
            self.router.chunk_begins()
        else:
            self.router.chunk_over()

    # -- what handlers do ------------------------------------------------------------------------------------

    def make_session(self, username: str, extension: str, point: ResumePoint | None) -> Connection:
        pipe = Pipe()
        session = Session(f"client-{next(self.names)}", pipe, "127.0.0.1", OUTBOX)
        session.shake_hands()
        if point is not None:
            session.resume_from(point)
        operator = self.configuration.operator_by_username[username]
        seat = self.configuration.seat_by_extension[extension]
        session.hold_announcements()
        session.logged_in(operator, seat)
        displaced = self.registry.take(session)
        self.logins[session.id] = len(self.truth[extension])
        session.release(b"102 OK\n")
        presence = Presence(session.id, username, username, extension, extension, "", False, point)
        session.seated(presence)
        heard = self.heard.setdefault((username, extension), Heard())
        made = Connection(session, pipe, presence, heard)
        made.began = point
        self.connections.append(made)
        self.displaced = displaced
        return made

    @rule(
        username=st.sampled_from(["mario", "mario", "mario", "luisa"]),
        extension=st.sampled_from([PHONE, PHONE, PHONE, OTHER_PHONE]),
        how=st.sampled_from([*["from"] * 6, "older", "older", "beyond", "other", "new", "plain"]),
        back=st.integers(0, 5),
        at_once=st.booleans(),
        settles=st.booleans(),
    )
    def log_in(
        self, username: str, extension: str, how: str, back: int, at_once: bool, settles: bool
    ) -> None:
        heard = self.heard.get((username, extension), Heard())
        for connection in self.connections:
            if connection.heard is heard:
                connection.cut = True  # a client has one connection at a time
        seq = len(heard.events)
        if how == "older":
            seq = max(0, seq - back)  # a new process of the client, which remembers what it had shown
            del heard.events[seq:]
        point = {
            "plain": None,
            "new": ResumePoint("", 0),
            "other": ResumePoint("f" * 16, seq),
            "beyond": ResumePoint(heard.epoch, 10_000 + seq),
        }.get(how, ResumePoint(heard.epoch, seq))
        connection = self.make_session(username, extension, point)
        displaced = self.displaced

        def close() -> None:
            for other in displaced:
                other.close("taken over", b"910 BYE TAKEOVER\n", for_good=True)

        if at_once:
            self.post_arrival(connection)
            close()
        else:  # another thread is first
            self.waiting.append((connection, close))
        if settles:
            self.everything_settles()

    @rule(which=st.integers(0, 3))
    def a_slow_handler_goes_on(self, which: int) -> None:
        if self.waiting:
            connection, close = self.waiting.pop(which % len(self.waiting))
            self.post_arrival(connection)
            close()

    def post_arrival(self, connection: Connection) -> None:
        connection.arrived = True
        self.posted.append(partial(self.arrive, connection))

    def arrive(self, connection: Connection) -> None:
        extension = connection.presence.extension
        before = self.logs.at(extension)
        state = len(self.truth[extension])
        self.seating.seated(connection.presence)
        after = self.logs.at(extension)
        if after is not None and after.session is connection.session and after is not before:
            login, running = self.logins[connection.session.id], list(self.running[extension])
            kept = {event.seq: event for event in after.since(0)}
            self.bases[after.epoch] = (login, state, running, after.last, kept)

    @rule(steps=st.integers(1, 4))
    def ami_thread_works(self, steps: int) -> None:
        for _ in range(steps):
            if self.posted:
                self.posted.pop(0)()

    @rule(which=st.integers(0, 5), bytes_lost=st.integers(0, 400))
    def connection_is_cut(self, which: int, bytes_lost: int) -> None:
        if self.connections:
            connection = self.connections[which % len(self.connections)]
            if not connection.cut:
                self.read(connection, len(connection.pipe.taken) - bytes_lost)
                connection.cut = True

    @rule(which=st.integers(0, 5))
    def client_goes_deaf(self, which: int) -> None:
        if self.connections:
            self.connections[which % len(self.connections)].pipe.deaf = True

    @rule(which=st.integers(0, 5))
    def server_notices(self, which: int) -> None:
        ended = [one for one in self.connections if not one.noticed and (one.cut or one.session.ending)]
        waiting = [connection for connection, _close in self.waiting]
        ended = [one for one in ended if one not in waiting]  # its thread is still busy with the login
        if ended:
            self.notice(ended[which % len(ended)])

    def notice(self, connection: Connection) -> None:
        session = connection.session
        session.close("connection lost")
        connection.noticed = True
        connection.cut = True
        self.registry.drop(session)
        self.posted.append(
            partial(self.seating.left, connection.presence.session_id, session.leaves_for_good)
        )

    @rule(which=st.integers(0, 5))
    def client_quits(self, which: int) -> None:
        if self.connections:
            connection = self.connections[which % len(self.connections)]
            if not connection.cut and connection.arrived:
                self.read(connection, len(connection.pipe.taken))
                connection.session.close("quit", b"900 OK\n", for_good=True)

    @rule(seconds=st.sampled_from([1.0, 1.0, 60.0, KEPT_FOR + 1]))
    def time_goes_by(self, seconds: float) -> None:
        self.wheel.advance(seconds)

    @rule(really=st.sampled_from([True, False, False]))
    def the_passwords_change(self, really: bool) -> None:
        if not really:
            return
        old, self.configuration = self.configuration, site(f"md5:{next(self.passwords)}")
        new = self.configuration

        def configure() -> None:
            self.logs.configure(new)
            self.router.report_undelivered()

        self.posted.append(configure)
        config_enforcement.apply(self.registry, old, new)

    # -- the client ------------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 5), bytes_left=st.integers(0, 400))
    def client_reads(self, which: int, bytes_left: int) -> None:
        if self.connections:
            connection = self.connections[which % len(self.connections)]
            if not connection.cut:
                self.read(connection, len(connection.pipe.taken) - bytes_left)

    def read(self, connection: Connection, up_to: int) -> None:
        """Take in every whole line up to there, and check it against the truth."""
        part = connection.pipe.taken[connection.read_up_to : max(connection.read_up_to, up_to)]
        end = part.rfind(b"\n") + 1
        connection.read_up_to += end
        for line in part[:end].splitlines():
            told = wire.parse_server_line(line)
            if isinstance(told, CallEvent):
                self.hear_event(connection, told)
            elif told.number == 104:
                self.hear_beginning(connection, *told.text.split())
            elif told.number == 105:
                assert told.text == "END"
                connection.complete = True
                self.check_state(connection)

    def hear_beginning(self, connection: Connection, epoch: str, seq: str, mode: str) -> None:
        point, heard = connection.began, connection.heard
        assert point is not None, "a client without RESUME hears nothing of it"
        if mode == "from":
            assert (epoch, int(seq)) == (point.epoch, point.seq) == (heard.epoch, len(heard.events))
        else:
            assert int(seq) == 0 and epoch != heard.epoch
            _login, heard.base, _running, of_state, _kept = self.bases[epoch]
            heard.epoch, heard.events, heard.of_state = epoch, [], of_state
            connection.hears_state = True

    def hear_event(self, connection: Connection, event: CallEvent) -> None:
        heard = connection.heard
        if connection.began is None:
            assert event.seq == 0 and not event.late
            return
        assert heard.epoch, "an event came before 104"
        assert event.seq == len(heard.events) + 1, "numbers without holes, none twice"
        assert not event.late or event.call.uniqueid in self.calls.over
        heard.events.append(event)
        if event.seq > heard.of_state:
            self.check(connection, event)
        else:  # perhaps once more, or the rest of a state that was cut
            kept = self.bases[heard.epoch][4]
            assert event.seq not in kept or bare(event) == bare(kept[event.seq])

    def check_state(self, connection: Connection) -> None:
        """What came between 104 and 105 of a state: what ended since the login, then what goes on."""
        heard = connection.heard
        if not connection.hears_state:
            return
        login, state, running, _of_state, _kept = self.bases[heard.epoch]
        assert len(heard.events) == heard.of_state
        late = [event for event in heard.events if event.late]
        assert [event.call.uniqueid for event in heard.events if not event.late] == running
        truth = self.truth[connection.presence.extension]
        ended = [
            (place, event)
            for place, (username, event) in enumerate(truth[:state])
            if username == connection.presence.username and event.call.uniqueid not in running
            if (connection.presence.extension, place) not in self.plainly
        ]
        assert [bare(event) for event in late] == [event for _, event in ended[len(ended) - len(late) :]]
        since_login = [event for place, event in ended if place >= login]
        if len(since_login) < 200 and self.logs.cost < 30_000:
            assert len(late) >= len(since_login)

    def check(self, connection: Connection, event: CallEvent) -> None:
        """It is the next one of the truth since the state, and for this operator."""
        heard, truth = connection.heard, self.truth[connection.presence.extension]
        username, expected = truth[heard.base + event.seq - heard.of_state - 1]
        assert bare(event) == expected
        assert username == connection.presence.username

    @rule(which=st.integers(0, 5))
    def client_says_shown(self, which: int) -> None:
        if not self.connections:
            return
        connection = self.connections[which % len(self.connections)]
        if connection.began is not None and connection.heard.events and connection.complete:
            event = connection.heard.events[-1]
            count = len(self.calls.shown_ones)
            report = ShownReport(event.seq, 12.0)
            self.posted.append(partial(self.seating.shown, connection.presence, report, self.wheel.now))
            while self.posted:
                self.posted.pop(0)()
            for extension, shown, _milliseconds in self.calls.shown_ones[count:]:
                assert (extension, bare(shown)) == (connection.presence.extension, bare(event))

    # -- what always holds -----------------------------------------------------------------------------------

    @invariant()
    def whoever_is_connected_or_awaited_counts_as_sitting_there(self) -> None:
        seated = self.registry.seated_operators
        assert set(seated.items()) <= set(self.logs.operators.items())
        if not any(self.logs.at(extension) for extension in MACS):
            assert self.logs.operators is seated
        assert self.logs.cost <= 60_000

    @invariant()
    def nothing_is_said_to_be_undelivered_twice(self) -> None:
        told = [
            (extension, event.call, event.id)
            for extension, event in self.calls.undelivered
            if event.call.channel != STATE  # which is told at each login
        ]
        assert len(told) == len(set(told))

    def teardown(self) -> None:
        """In the end everybody who asks hears everything."""
        if self.chunk:
            self.chunk_begins_or_ends()
        while self.waiting:
            self.a_slow_handler_goes_on(0)
        for connection in self.connections:
            if not connection.cut:
                self.read(connection, len(connection.pipe.taken))
                connection.cut = True
        while self.posted:
            self.posted.pop(0)()
        heard = self.heard.get(("mario", PHONE), Heard())
        last = self.make_session("mario", PHONE, ResumePoint(heard.epoch, len(heard.events)))
        for other in self.displaced:
            other.close("taken over", for_good=True)
        self.arrive(last)
        self.call_begins(PHONE, True)
        self.call_ends(PHONE)
        self.read(last, len(last.pipe.taken))
        assert last.complete
        known = last.heard
        rest = len(self.truth[PHONE]) - known.base
        assert len(known.events) - known.of_state == rest, "everything, and once"
        for connection in self.connections:
            connection.pipe.deaf = True
            connection.session.close("over", at_once=True)
            connection.session.finish()


def bare(event: CallEvent) -> CallEvent:
    """As it happened: without what is only for who was not there, and without what a plain one leaves out."""
    return event._replace(seq=0, late=False)


def test_a_client_that_resumes_hears_every_event_once_and_in_order_or_the_state_anew() -> None:
    run_state_machine_as_test(
        World,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_who_takes_a_seat_back_is_told_of_a_call_that_another_was_told_of_meanwhile() -> None:
    """Their handlers are so quick that the AMI thread hears of all three logins afterwards."""
    world = World()
    world.log_in("luisa", PHONE, "from", 0, at_once=False, settles=True)
    world.log_in("mario", PHONE, "plain", 0, at_once=False, settles=False)
    world.call_begins(PHONE, False)
    world.log_in("luisa", PHONE, "from", 0, at_once=False, settles=True)
    (event,) = world.connections[-1].heard.events
    assert (event.id, event.repeat) == ("Link", True)
    world.teardown()
