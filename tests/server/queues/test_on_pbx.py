"""The queue reconciler on a real AMI connection: link, dialect and reconciler against the demo PBX."""

import queue

import pytest

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.link import AmiLink
from astcti_server.ami.requests import AmiRequests
from astcti_server.ami.vocabulary import QueueMember
from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.clients.ports import Presence
from astcti_server.demo.pbx import DemoPbx
from astcti_server.queues.reconciler import QueueReconciler
from astcti_server.queues.state_file import SavedQueues, StateFile
from schemas.configuration.model import Configuration, Operator
from schemas.server.settings import AmiSettings
from tests.fake.patience import PATIENCE
from tests.fake.queue_world import StateAtOnce, configuration, service, settings

CONFIGURATION = configuration(service("astcti", ("mario", 1), ("luigi", 2)), service("nowhere", ("luigi", 0)))


class Exchange:
    """What stands between the link and the reconciler in the server."""

    def __init__(self, address, directory, in_force=CONFIGURATION):
        self.lines: queue.Queue[tuple[int, bytes]] = queue.Queue()
        self._dialect = Dialect()
        host, port = address
        ami = AmiSettings("astcti", "astcti", host, port, pause=0.05)
        self.requests = AmiRequests(ami.username)
        self.link = AmiLink(
            ami, self.requests, listener=self, event_filter=EventFilter.for_configuration(in_force)
        )
        self.reconciler = QueueReconciler(
            self.requests,
            lambda session, line: self.lines.put((session, line)),
            StateAtOnce(directory),
            in_force,
            settings(grace=0.0),
        )

    def link_up(self, banner_version):
        self._dialect.reset()
        self.reconciler.link_up()

    def fully_booted(self):
        self.reconciler.fully_booted()

    def link_down(self, reason, quiet):
        self.reconciler.link_down()

    def gave_up(self, reason):
        raise AssertionError(reason)

    def chunk_begins(self):
        """Nothing is gathered here."""

    def chunk_over(self):
        """Nothing is gathered here."""

    def event(self, event):
        for happened in self._dialect.translate(event):
            if isinstance(happened, QueueMember):
                self.reconciler.member_event(happened)

    def heard(self):
        session, line = self.lines.get(timeout=PATIENCE)
        return session, line.decode().rstrip("\n")

    def post(self, work, *values):
        self.requests.post(lambda: work(*values))


@pytest.fixture
def pbx():
    with DemoPbx() as pbx:
        yield pbx


@pytest.fixture
def exchange(pbx, tmp_path):
    exchange = Exchange(pbx.address, tmp_path)
    exchange.link.start()
    yield exchange
    exchange.link.stop()
    exchange.link.join(PATIENCE)


def presence(session_id=1, username="mario", device="PJSIP/201"):
    return Presence(session_id, username, f"{username.title()} Rossi", device, device, "", False)


def members(pbx):
    return pbx.do(lambda engine: dict(engine.queues.by_name["astcti"].members))


def test_an_operator_joins_pauses_and_leaves(pbx, exchange):
    exchange.post(exchange.reconciler.arrived, presence())
    assert exchange.heard() == (1, "310 OUT")
    assert exchange.heard() == (1, "200 astcti")
    member = members(pbx)["PJSIP/201"]
    assert (member.name, member.penalty, member.paused) == ("Mario Rossi", 1, False)
    steps: queue.Queue[str] = queue.Queue()
    exchange.post(exchange.reconciler.pause, presence(), True, "Lunch", lambda step, text: steps.put(step))
    assert [steps.get(timeout=PATIENCE) for _ in range(2)] == ["pending", "done"]
    assert (member.paused, member.reason) == (True, "Lunch")
    over: queue.Queue[bool] = queue.Queue()
    exchange.post(exchange.reconciler.stop, lambda: over.put(True))
    assert over.get(timeout=PATIENCE)
    assert members(pbx) == {}


def test_a_queue_that_does_not_exist_is_told(exchange):
    exchange.post(exchange.reconciler.arrived, presence(1, "luigi"))
    assert {exchange.heard()[1] for _ in range(3)} == {
        "310 OUT",
        "200 astcti",
        "211 KO nowhere No such queue",
    }


def test_an_autopause_is_told_to_the_client(pbx, exchange):
    exchange.post(exchange.reconciler.arrived, presence())
    assert [exchange.heard()[1] for _ in range(2)] == ["310 OUT", "200 astcti"]
    pbx.do(lambda engine: engine.queues.pause("PJSIP/201", True, "Auto-Pause", "astcti"))
    assert exchange.heard() == (1, "310 IN Auto-Pause")


def test_members_that_a_restart_lost_are_back_after_it(pbx, exchange):
    exchange.post(exchange.reconciler.arrived, presence())
    assert [exchange.heard()[1] for _ in range(2)] == ["310 OUT", "200 astcti"]

    def restart(engine):
        engine.queues.by_name["astcti"].members.clear()

    steps: queue.Queue[str] = queue.Queue()
    exchange.post(exchange.reconciler.pause, presence(), True, "Lunch", lambda step, text: steps.put(step))
    assert [steps.get(timeout=PATIENCE) for _ in range(2)] == ["pending", "done"]
    pbx.do(restart)
    pbx.drop_connections()
    assert [exchange.heard()[1] for _ in range(2)] == ["210 astcti", "200 astcti"]
    back = members(pbx)["PJSIP/201"]
    assert (back.paused, back.reason) == (True, "Lunch"), "a supervisor sees why, also after the restart"


def test_a_leftover_is_taken_over_by_its_operator(pbx, tmp_path):
    StateFile(tmp_path).save(SavedQueues({("astcti", "PJSIP/201"): "mario"}, {}))
    pbx.do(lambda engine: engine.queues.add("astcti", "PJSIP/201", penalty=5, paused=True))
    exchange = Exchange(pbx.address, tmp_path)
    exchange.link.start()
    try:
        exchange.post(exchange.reconciler.arrived, presence())
        heard = list(iter(lambda: exchange.heard()[1], "200 astcti"))
        assert heard[-1] == "310 IN", "what Asterisk says is right, not what a new login begins with"
        member = members(pbx)["PJSIP/201"]
        assert (member.penalty, member.paused) == (1, True)
    finally:
        exchange.link.stop()
        exchange.link.join(PATIENCE)


def test_five_hundred_logins_at_once_all_become_members(pbx, tmp_path):
    names = [f"op{number}" for number in range(500)]
    crowd = Configuration(
        services=(service("astcti", *((name, 1) for name in names)),),
        operators=tuple(Operator(name, name, "md5:0") for name in names),
    )
    exchange = Exchange(pbx.address, tmp_path, crowd)
    exchange.link.start()
    try:
        for number, name in enumerate(names, 1):
            exchange.post(exchange.reconciler.arrived, presence(number, name, f"PJSIP/{number}"))
        joined: set[int] = set()
        while len(joined) < len(names):
            session, line = exchange.heard()
            if line == "200 astcti":
                joined.add(session)
        assert len(members(pbx)) == len(names)
    finally:
        exchange.link.stop()
        exchange.link.join(PATIENCE)


def test_a_queue_named_in_another_case_is_joined_and_left_too(pbx, tmp_path):
    in_force = configuration(service("AstCti", ("mario", 1)))
    exchange = Exchange(pbx.address, tmp_path, in_force)
    exchange.link.start()
    try:
        exchange.post(exchange.reconciler.arrived, presence())
        assert [exchange.heard(), exchange.heard()] == [(1, "310 OUT"), (1, "200 AstCti")]
        assert list(members(pbx)) == ["PJSIP/201"]
        done: queue.Queue[bool] = queue.Queue()
        exchange.post(exchange.reconciler.stop, lambda: done.put(True))
        assert done.get(timeout=PATIENCE)
        assert members(pbx) == {}
    finally:
        exchange.link.stop()
        exchange.link.join(PATIENCE)
