"""Colleagues and left queues at a server that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.model import Binding, Operator, Seat
from tests.fake.line_client import md5
from tests.fake.running_server import ONE_SEAT, RunningServer

OTHER = "00:00:00:00:02:02"
TEAM = replace(
    ONE_SEAT,
    services=(replace(ONE_SEAT.services[0], operators=(Binding("mario"), Binding("anna")), may_leave=True),),
    seats=(*ONE_SEAT.seats, Seat(OTHER, "PJSIP/202", "PJSIP/202")),
    operators=(*ONE_SEAT.operators, Operator("anna", "Anna Verdi", f"md5:{md5('secret')}", seat=OTHER)),
)


@pytest.fixture
def server(tmp_path: Path, pbx: DemoPbx) -> Iterator[RunningServer]:
    sections = f'<audit file="{tmp_path / "audit.log"}"/>'
    with RunningServer(tmp_path, pbx.address[1], TEAM, sections=sections) as running:
        running.wait_for_log("Channels in Asterisk")
        yield running


def test_a_client_sees_what_a_colleague_does(server: RunningServer) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("COLLEAGUES")
        assert mario.expect("242") == "242 anna PJSIP/202 offline Anna Verdi"
        mario.expect("242 END")
        with server.client("anna") as anna:
            anna.expect("200 astcti")
            mario.expect("242 anna PJSIP/202 ready")
            anna.say("PAUSE IN Lunch")
            mario.expect("242 anna PJSIP/202 paused")
            anna.say("PAUSE OUT", "COLLEAGUES")
            mario.expect("242 anna PJSIP/202 ready")
            anna.expect("242 mario PJSIP/201 ready Mario Rossi")
            anna.expect("242 END")
        mario.expect("242 anna PJSIP/202 offline")


def test_a_queue_is_left_and_joined_again_and_that_is_in_the_audit(
    server: RunningServer, tmp_path: Path
) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("QUEUE astcti OUT")
        mario.expect_all("100 OK", "210 astcti")
    with server.client("mario") as mario:  # the connection was lost
        mario.expect("210 astcti")
        mario.say("QUEUE other OUT", "QUEUE astcti IN")
        mario.expect_all("101 KO not a queue", "100 OK", "200 astcti")
        mario.say("QUIT")
        mario.expect("900 OK")
    assert server.stop() == 0
    lines = [json.loads(line) for line in (tmp_path / "audit.log").read_text().splitlines()]
    found = [
        (line["action"], line["user"], line["queue"], line["result"])
        for line in lines
        if line["action"].startswith("queue-")
    ]
    assert found == [
        ("queue-leave", "mario", "astcti", "ok"),
        ("queue-leave", "mario", "other", "not a queue of your services"),
        ("queue-join", "mario", "astcti", "ok"),
    ]
