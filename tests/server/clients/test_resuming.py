"""RESUME and SHOWN over real sockets: as commands, and against the whole server with a PBX that is played."""

from __future__ import annotations

import dataclasses
import os
import random
import re
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from astcti_server.clients.conversation import MAX_BAD_LINES
from astcti_server.clients.ports import ResumePoint, ShownReport
from astcti_server.demo.calls.channels import ChannelState
from astcti_server.demo.pbx import DemoPbx
from schemas import event_xml
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.events import CallEvent
from tests.fake.line_client import LineClient, md5
from tests.fake.listening_server import ListeningServer
from tests.fake.patience import PATIENCE, until
from tests.fake.ports import free_port
from tests.fake.running_server import RunningServer

EPOCH = "0123456789abcdef"
PHONE = "PJSIP/201"
CUTS = int(os.environ.get("ASTCTI_RESUME_CUTS", "15"))


# -- the commands ----------------------------------------------------------------------------------------


def log_in(client: LineClient, username: str = "mario", password: str = "rosso") -> str:
    assert client.ask(f"USER {username}") == "100 OK"
    return client.ask(f"PASS {md5(password)}")


def resuming(server: ListeningServer, point: str = "NEW") -> LineClient:
    client = server.client()
    assert client.hear() == "100 WELCOME"
    assert client.ask(f"RESUME {point}") == "100 OK"
    assert log_in(client) == "102 OK"
    return client


@pytest.mark.parametrize(
    ("line", "point"),
    [
        ("RESUME NEW", ResumePoint("", 0)),
        ("resume  new ", ResumePoint("", 0)),
        (f"RESUME {EPOCH} 0", ResumePoint(EPOCH, 0)),
        (f"RESUME {EPOCH}\t2147483647", ResumePoint(EPOCH, 2**31 - 1)),
    ],
)
def test_what_a_client_knows_goes_with_its_login(line: str, point: ResumePoint) -> None:
    with ListeningServer() as server, server.client() as client:
        assert client.hear() == "100 WELCOME"
        assert client.ask(line) == "100 OK"
        assert log_in(client) == "102 OK"
        assert server.requests.next_arrival().resume == point


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "OLD",
        "NEW 1",
        EPOCH,
        f"{EPOCH} x",
        f"{EPOCH} -1",
        f"{EPOCH} 2147483648",
        f"{EPOCH} 1 2",
        f"{EPOCH.upper()} 1",
        f"{EPOCH}0 1",
        f"{EPOCH} ١",
    ],
)
def test_who_says_it_wrong_is_told_and_can_log_in_all_the_same(rest: str) -> None:
    with ListeningServer() as server, server.client() as client:
        assert client.hear() == "100 WELCOME"
        refused = "101 KO RESUME takes NEW, or an epoch and the number of an event"
        assert client.ask(f"RESUME {rest}") == refused
        assert log_in(client) == "102 OK"
        assert server.requests.next_arrival().resume is None


def test_a_later_resume_replaces_the_first_and_after_the_login_it_is_too_late() -> None:
    with ListeningServer() as server, server.client() as client:
        assert client.hear() == "100 WELCOME"
        assert client.ask("RESUME NEW") == "100 OK"
        assert client.ask(f"RESUME {EPOCH} 7") == "100 OK"
        assert log_in(client) == "102 OK"
        assert client.ask("RESUME NEW") == "101 KO already logged in"
        assert server.requests.next_arrival().resume == ResumePoint(EPOCH, 7)


@pytest.mark.parametrize(
    ("line", "report"),
    [
        ("SHOWN 7", ShownReport(7)),
        ("shown 7 31", ShownReport(7, 31.0)),
        ("SHOWN\t7  31.25", ShownReport(7, 31.25)),
        (f"SHOWN 7 KO {EPOCH} not-found", ShownReport(7, None, EPOCH, "not-found")),
    ],
)
def test_what_was_shown_is_taken_without_a_word(line: str, report: ShownReport) -> None:
    with ListeningServer() as server, resuming(server) as client:
        arrived = server.requests.next_arrival()
        client.say(line, "NOOP")
        assert client.hear() == "100 OK"
        presence, told, at = server.requests.shown_reports.get(timeout=PATIENCE)
        assert (presence, told) == (arrived, report)
        assert 0 <= server.context.clock() - at < PATIENCE


def test_what_was_shown_is_taken_while_another_command_waits_and_the_others_keep_their_order() -> None:
    with ListeningServer() as server, resuming(server) as client:
        client.say("ORIG 1 outbound 1", "PAUSE IN", "SHOWN 1", "NOOP", "SHOWN 2 9")
        first = server.requests.next_request()
        for seq in (1, 2):
            assert server.requests.shown_reports.get(timeout=PATIENCE)[1].seq == seq
        client.say("SHOWN 3")
        assert server.requests.shown_reports.get(timeout=PATIENCE)[1].seq == 3
        assert server.requests.requests.empty()
        first.answer("")
        assert client.hear() == "100 OK"
        server.requests.next_request().answer("done", "")
        assert [client.hear(), client.hear()] == ["300 OK", "100 OK"]


def test_a_client_that_waits_and_says_more_than_it_may_is_read_again_afterwards() -> None:
    with ListeningServer() as server, resuming(server) as client:
        client.say("ORIG 1 outbound 1")
        first = server.requests.next_request()
        for _ in range(2000):
            client.say("NOOP")
        first.answer("")
        assert [client.hear() for _ in range(2001)] == ["100 OK"] * 2001


def test_lines_before_hanging_up_are_carried_out_though_the_client_hangs_up_while_one_waits() -> None:
    with ListeningServer() as server, resuming(server) as client:
        presence = server.requests.next_arrival()
        client.say("ORIG 1 outbound 1", "SHOWN 1", "QUIT")
        first = server.requests.next_request()
        client.socket.shutdown(1)
        assert server.requests.shown_reports.get(timeout=PATIENCE)[1].seq == 1
        first.answer("")
        assert client.hear_all() == ["100 OK", "900 OK"]
        assert server.requests.next_departure() == (presence.session_id, True)


@pytest.mark.parametrize(
    "line",
    [
        "SHOWN",
        "SHOWN x",
        "SHOWN 0",
        "SHOWN 1 x",
        f"SHOWN 1 KO {EPOCH}",
        "SHOWN 1 KO 12 failed",
        "SHOWN 1 2 3",
    ],
)
def test_a_wrong_line_is_not_answered_but_counts_as_one(line: str) -> None:
    with ListeningServer() as server, resuming(server) as client:
        client.say(*[line] * (MAX_BAD_LINES - 1), "NOOP")
        assert client.hear() == "100 OK"
        client.say(*[line] * MAX_BAD_LINES)
        assert client.hear_all() == []
        assert server.requests.shown_reports.empty()


def test_a_client_without_resume_has_nothing_to_say_of_numbers() -> None:
    with ListeningServer() as server, server.seated() as client:
        client.say("SHOWN 1", "NOOP")
        assert client.hear() == "100 OK"
        client.say(*["SHOWN 1"] * MAX_BAD_LINES)
        assert client.hear_all() == []
        assert server.requests.shown_reports.empty()


# -- the whole server ------------------------------------------------------------------------------------

URL = "https://crm.example/ticket?id={CALLDATA}&from={CALLERID}"
OFFICE = Configuration(
    services=(
        Service(
            "Demo",
            "astctidemo",
            "inbound",
            is_queue=True,
            queue_name="astcti",
            variables=("calldata",),
            triggers=(Trigger("browser", url=URL), Trigger("browser", on="hangup", url=URL)),
            operators=(Binding("mario"),),
        ),
    ),
    seats=(Seat("00:00:00:00:02:01", PHONE),),
    operators=(
        Operator("mario", "Mario Rossi", f"md5:{md5('secret')}", seat="00:00:00:00:02:01"),
        Operator("luisa", "Luisa Verdi", f"md5:{md5('secret')}", seat="00:00:00:00:02:01"),
    ),
)


class ResumingClient(LineClient):
    """Knows, over its connections, what it was told; `events` has no holes."""

    def __init__(self, port: int, before: ResumingClient | None = None, username: str = "mario") -> None:
        super().__init__(port)
        self.epoch: str = before.epoch if before else ""
        self.events: list[CallEvent] = list(before.events) if before else []
        self.mode = ""
        assert self.hear() == "100 WELCOME"
        known = f"{self.epoch} {len(self.events)}" if self.epoch else "NEW"
        assert self.ask(f"RESUME {known}") == "100 OK"
        assert log_in(self, username, "secret").startswith("102 OK")
        while not self.mode:
            self.take(self.hear())

    def take(self, line: str) -> str:
        """Take in a line, as a client does."""
        if line.startswith("104 RESUME "):
            epoch, seq, self.mode = line.split()[2:]
            if self.mode == "from":
                assert (epoch, int(seq)) == (self.epoch, len(self.events))
            else:
                self.epoch, self.events = epoch, []
        elif line.startswith("<"):
            event = event_xml.decode(line.encode())
            assert self.mode and event.seq == len(self.events) + 1
            self.events.append(event)
        return line

    def until(self, beginning: str) -> str:
        while not (line := self.take(self.hear())).startswith(beginning):
            assert line, f"closed while waiting for {beginning}"
        return line

    def event(self, event_id: str) -> CallEvent:
        self.until(f'<event id="{event_id}"')
        return self.events[-1]

    @property
    def ids(self) -> list[str]:
        return [event.id for event in self.events]


@pytest.fixture
def office(pbx: DemoPbx, tmp_path: Path) -> Iterator[RunningServer]:
    with RunningServer(tmp_path, pbx.address[1], OFFICE) as server:
        server.wait_for_log("Channels in Asterisk")
        yield server


def ring(pbx: DemoPbx, digits: str = "12345") -> None:
    pbx.do(lambda engine: engine.incoming_call(digits=digits))
    until(lambda: pbx.do(lambda engine: engine.legs(PHONE, ChannelState.RINGING)))


def lost(client: LineClient, server: RunningServer, count: int) -> None:
    client.reset()
    server.wait_for_log("connection lost", count)


def test_a_call_that_came_and_went_while_the_connection_was_lost_is_told_late(
    office: RunningServer, pbx: DemoPbx
) -> None:
    client = ResumingClient(office.port)
    assert client.mode == "state" and client.until("105 RESUME END")
    client.until("200 astcti")
    ring(pbx)
    client.event("Newchannel")
    lost(client, office, 1)
    pbx.do(lambda engine: engine.answer(PHONE))
    pbx.do(lambda engine: engine.hang_up(PHONE))
    until(lambda: not pbx.do(lambda engine: engine.legs(PHONE, ChannelState.UP)))
    with ResumingClient(office.port, client) as again:
        again.until("105 RESUME END")
        if "Hangup" not in again.ids:
            again.event("Hangup")
        assert again.mode == "from"
        link = next(event for event in again.events if event.id == "Link")
        assert link.triggers[0].url.startswith("https://crm.example/ticket?id=12345")
        hangup = again.events[-1]
        assert hangup.id == "Hangup" and hangup.triggers
        assert again.ids.count("Link") == again.ids.count("Hangup") == 1
        assert not again.events[0].late


def test_a_call_answered_meanwhile_pops_up_when_the_client_is_back(
    office: RunningServer, pbx: DemoPbx
) -> None:
    client = ResumingClient(office.port)
    client.until("200 astcti")
    ring(pbx)
    client.event("Newchannel")
    lost(client, office, 1)
    pbx.do(lambda engine: engine.answer(PHONE))
    with ResumingClient(office.port, client) as again:
        link = next((event for event in again.events if event.id == "Link"), None) or again.event("Link")
        assert link.triggers and not link.late and not link.repeat
        again.say(f"SHOWN {link.seq} 12", "NOOP")
        again.until("100 OK")
        pbx.do(lambda engine: engine.hang_up(PHONE))
        assert not again.event("Hangup").late


def test_a_client_takes_its_own_session_over_before_the_server_noticed_the_loss(
    office: RunningServer, pbx: DemoPbx
) -> None:
    client = ResumingClient(office.port)
    client.until("200 astcti")
    ring(pbx)
    client.event("Newchannel")
    with ResumingClient(office.port, client) as again:
        assert again.mode == "from" and again.epoch == client.epoch
        assert client.until("910 BYE TAKEOVER")
        pbx.do(lambda engine: engine.answer(PHONE))
        assert again.event("Link").triggers
        again.say("QUIT")
        again.until("900 OK")
    with ResumingClient(office.port, again) as anew:
        assert anew.mode == "state", "after QUIT nothing is kept"
        assert anew.event("Link").repeat or anew.events[-1].triggers
    client.close()


def test_somebody_else_at_the_seat_hears_nothing_of_what_was_kept(
    office: RunningServer, pbx: DemoPbx
) -> None:
    client = ResumingClient(office.port)
    client.until("200 astcti")
    ring(pbx)
    client.event("Newchannel")
    lost(client, office, 1)
    office.configure(
        dataclasses.replace(
            OFFICE, operators=(dataclasses.replace(OFFICE.operators[0], seat=""), OFFICE.operators[1])
        )
    )
    with ResumingClient(office.port, client, "luisa") as luisa:
        assert luisa.mode == "state" and luisa.epoch != client.epoch
        luisa.until("105 RESUME END")


def test_a_password_that_changed_meanwhile_ends_what_was_kept(office: RunningServer) -> None:
    client = ResumingClient(office.port)
    client.until("105 RESUME END")
    lost(client, office, 1)
    changed = dataclasses.replace(OFFICE.operators[0], password=f"md5:{md5('another')}")
    office.configure(dataclasses.replace(OFFICE, operators=(changed, OFFICE.operators[1])))
    office.wait_for_log("is in force", 2)
    office.configure(OFFICE)
    office.wait_for_log("is in force", 3)
    with ResumingClient(office.port, client) as again:
        assert again.mode == "state"


def test_a_server_that_was_restarted_tells_the_state(office: RunningServer, pbx: DemoPbx) -> None:
    client = ResumingClient(office.port)
    client.until("200 astcti")
    office.stop()
    assert client.until("910 BYE SHUTDOWN")
    client.close()
    office.start()
    office.wait_for_log("Channels in Asterisk", 2)
    with ResumingClient(office.port, client) as again:
        assert again.mode == "state" and again.until("105 RESUME END")


def test_how_long_a_pop_up_took_is_in_the_figures_unless_it_was_late(pbx: DemoPbx, tmp_path: Path) -> None:
    port = free_port()
    with RunningServer(
        tmp_path, pbx.address[1], OFFICE, sections=f'<metrics address="127.0.0.1" port="{port}"/>'
    ) as server:

        def shown() -> int:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
                found = re.search(r"^astcti_shown_seconds_count (\S+)", answer.read().decode(), re.MULTILINE)
            assert found
            return int(float(found[1]))

        client = ResumingClient(server.port)
        client.until("200 astcti")
        ring(pbx)
        pbx.do(lambda engine: engine.answer(PHONE))
        link = client.event("Link")
        client.say(f"SHOWN {link.seq} 20", f"SHOWN {link.seq} 20", f"SHOWN {link.seq + 1000}")
        until(lambda: shown() == 1)
        lost(client, server, 1)
        pbx.do(lambda engine: engine.hang_up(PHONE))
        with ResumingClient(server.port, client) as again:
            hangup = next((event for event in again.events if event.id == "Hangup"), None)
            hangup = hangup or again.event("Hangup")
            again.say(f"SHOWN {link.seq} 5", f"SHOWN {hangup.seq} 5", "NOOP")
            again.until("100 OK")
        assert shown() == 1 + (not hangup.late)


def test_nothing_is_lost_or_doubled_over_many_cuts(office: RunningServer, pbx: DemoPbx) -> None:
    chance = random.Random(1)
    client = ResumingClient(office.port)
    client.until("200 astcti")
    for number in range(CUTS):
        digits = f"{10000 + number}"
        steps: list[Callable[[], object]] = [
            partial(ring, pbx, digits),
            lambda: pbx.do(lambda engine: engine.answer(PHONE)),
            lambda: pbx.do(lambda engine: engine.hang_up(PHONE)),
        ]
        cut_at = chance.randrange(4)
        for step, act in enumerate(steps):
            if step == cut_at:
                (client.reset if chance.random() < 0.5 else client.close)()
                if chance.random() < 0.5:
                    client = ResumingClient(office.port, client)
                    act()
                else:
                    act()
                    client = ResumingClient(office.port, client)
                assert client.mode == "from"
            else:
                act()
        while sum(event.id == "Hangup" for event in client.events) <= number:
            client.until('<event id="Hangup"')
    links = [event for event in client.events if event.id == "Link"]
    assert [dict(link.call.appdata)["calldata"] for link in links] == [f"{10000 + n}" for n in range(CUTS)]
    assert all(link.triggers for link in links)
    client.close()
