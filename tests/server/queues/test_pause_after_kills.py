"""A pause after kills: of the client, of the server, and of both while the PBX forgot its members."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from astcti_server.demo.pbx import DemoPbx
from tests.fake.patience import until
from tests.fake.running_server import ONE_SEAT, PHONE, RunningServer


@pytest.fixture
def server(tmp_path: Path, pbx: DemoPbx) -> Iterator[RunningServer]:
    with RunningServer(tmp_path, pbx.address[1], ONE_SEAT, sections='<clients grace="0"/>') as running:
        yield running


def paused(pbx: DemoPbx) -> dict[str, bool]:
    """The members of the queue, in pause or not."""
    return pbx.do(
        lambda engine: {
            interface: member.paused
            for interface, member in engine.queues.by_name["astcti"].members.items()
            if interface == PHONE
        }
    )


def comes_back_in_pause(server: RunningServer, pbx: DemoPbx) -> None:
    """Then the client is killed."""
    with server.client("mario") as mario:
        mario.expect_all("310 IN Lunch", "200 astcti")
        assert paused(pbx) == {PHONE: True}
    until(lambda: paused(pbx) == {}, "the lost client's member stays")


def test_a_pause_outlives_a_kill_of_the_client_and_of_the_server(server: RunningServer, pbx: DemoPbx) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("PAUSE IN Lunch")
        mario.expect("300 OK")
    until(lambda: paused(pbx) == {}, "the lost client's member stays")
    comes_back_in_pause(server, pbx)
    server.kill()
    server.start()
    server.wait_for_log("Listening on", 2)
    comes_back_in_pause(server, pbx)
    with server.client("mario") as mario:
        mario.expect_all("310 IN Lunch", "200 astcti")
        server.kill()
    pbx.do(lambda engine: engine.queues.by_name["astcti"].members.pop(PHONE))
    server.start()
    server.wait_for_log("Listening on", 3)
    comes_back_in_pause(server, pbx)


def test_an_orderly_stop_ends_no_pause_and_quit_does(server: RunningServer, pbx: DemoPbx) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("PAUSE IN Lunch")
        mario.expect("300 OK")
        assert server.stop() == 0
    assert paused(pbx) == {}
    server.start()
    server.wait_for_log("Listening on", 2)
    with server.client("mario") as mario:
        mario.expect_all("310 IN Lunch", "200 astcti")
        mario.say("QUIT")
        mario.expect("900 OK")
    with server.client("mario") as mario:
        mario.expect_all("310 OUT", "200 astcti")
        assert paused(pbx) == {PHONE: False}
