"""A queue reconciler with everything around it faked, for its tests."""

from __future__ import annotations

from astcti_server.ami.vocabulary import QueueMember
from astcti_server.clients.ports import Presence
from astcti_server.queues.reconciler import QueueReconciler
from astcti_server.queues.state_file import NOTHING_SAVED, StateFile
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service
from schemas.server.settings import AmiSettings, ClientSettings, QueueSettings, ServerSettings
from tests.fake.clock import TimerWheel
from tests.fake.queue_link import FakeLink

PHONE = "PJSIP/201"


def service(queue, *operators, name=None, kind="inbound", enabled=True):
    return Service(
        name or queue,
        f"context-{queue}",
        kind,
        True,
        queue,
        enabled,
        operators=tuple(Binding(*operator) for operator in operators),
    )


def configuration(*services, disabled=()):
    names = ("mario", "luigi")
    return Configuration(
        services=services or (service("astcti", ("mario", 1), ("luigi", 2)),),
        seats=(Seat("00:00:00:00:00:01", PHONE, PHONE), Seat("00:00:00:00:00:02", "PJSIP/202", "PJSIP/202")),
        operators=tuple(
            Operator(name, name.title(), "md5:0", enabled=name not in disabled) for name in names
        ),
    )


def settings(on_stop="remove", grace=10.0):
    return ServerSettings(
        AmiSettings("astcti", "astcti"),
        queues=QueueSettings(on_stop=on_stop),
        clients=ClientSettings(grace=grace),
    )


class StateAtOnce:
    """A state file that is written before `save` returns."""

    def __init__(self, directory):
        self.file = StateFile(directory)

    def load(self):
        return self.file.load()

    def save(self, saved, done):
        self.file.save(saved)
        done()


class StateInMemory:
    """A state file that is no file."""

    def __init__(self):
        self.saved = NOTHING_SAVED

    def load(self):
        return self.saved

    def save(self, saved, done):
        self.saved = saved
        done()


class World:
    """A reconciler with everything around it faked, up and with its first status read."""

    def __init__(self, directory=None, *, up=True, members=(), now=1000.0, **how):
        """Without a directory the state is kept in memory. `now` is what both clocks show."""
        self.wheel = TimerWheel(now)
        self.link = FakeLink(self.wheel)
        self.lines: list[tuple[int, str]] = []
        self.person = self.presence()
        """Who sat down last."""
        self.state = StateInMemory() if directory is None else StateAtOnce(directory)
        self.reconciler = QueueReconciler(
            self.link, self.announce, self.state, configuration(), settings(**how), self.wheel.clock
        )
        if up:
            self.come_up(*members)

    @property
    def members_kept(self):
        """Whom the state file lists as ours."""
        return self.state.load().members

    @property
    def pauses_kept(self):
        """The reasons of the pauses in the state file, by user name."""
        return {username: pause.reason for username, pause in self.state.load().pauses.items()}

    def announce(self, session_id, line):
        self.lines.append((session_id, line.decode().rstrip("\n")))

    def told(self, session_id=1):
        """What a session heard since it was asked last."""
        mine = [text for session, text in self.lines if session == session_id]
        self.lines = [line for line in self.lines if line[0] != session_id]
        return mine

    def come_up(self, *members):
        self.link.up = True
        self.reconciler.link_up()
        self.status(*members)

    def kill_server(self, in_force):
        """Kill the server and start it again with this configuration. The link is not up yet."""
        self.wheel = TimerWheel(self.wheel.now)
        self.link = FakeLink(self.wheel)
        self.link.up = False
        self.lines.clear()
        self.reconciler = QueueReconciler(
            self.link, self.announce, self.state, in_force, settings(), self.wheel.clock
        )

    def go_down(self):
        self.link.go_down()
        self.reconciler.link_down()

    def status(self, *members):
        sent = self.link.answer(events=members)
        assert sent.name == "QueueStatus"

    def presence(self, session_id=1, username="mario", interface=PHONE, begin_in_pause=False):
        return Presence(session_id, username, username.title(), interface, interface, "", begin_in_pause)

    def arrive(self, *args, **how):
        """Somebody sits down, and the state file is written."""
        self.person = self.presence(*args, **how)
        self.reconciler.arrived(self.person)
        self.wheel.advance()
        return self.person

    def event(
        self,
        kind,
        queue="astcti",
        interface=PHONE,
        *,
        penalty=None,
        paused=None,
        reason="",
        membership="dynamic",
    ):
        self.reconciler.member_event(
            QueueMember(kind, queue, interface, interface, membership, penalty, paused, reason, 1)
        )

    def added(self, queue="astcti", interface=PHONE, penalty=1, paused=False):
        """Asterisk takes a QueueAdd and says so."""
        sent = self.link.answer(message="Added interface to queue")
        assert (sent.name, sent.headers["Queue"], sent.headers["Interface"]) == ("QueueAdd", queue, interface)
        self.event("added", queue, interface, penalty=penalty, paused=paused)
        return sent

    def removed(self, queue="astcti", interface=PHONE):
        sent = self.link.answer(message="Removed interface from queue")
        assert sent.name == "QueueRemove"
        assert (sent.headers["Queue"], sent.headers["Interface"]) == (queue, interface)
        self.event("removed", queue, interface)
        return sent
