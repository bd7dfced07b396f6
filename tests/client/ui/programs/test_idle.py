"""An idle client: nothing goes to the X server, and its threads sleep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.traffic_client import SPAN, TrafficClient
from tests.client.ui.tools.window_test_bed import event
from tests.fake.cti_server import CtiServer
from tests.fake.patience import until

MOST_WAKE_UPS = 20  # a second, measured: 6
IMAGES = 73  # GetImage
ANSWERED = {3, 14, 15, 16, 20, 25, 38, 40, 43, IMAGES}
"""Requests for whose answer a program waits; source: X Window System Protocol, Version 11."""
MOST_IMAGES = 60  # of a call that is missed, measured: 25; of pictures that can be seen through: 476
MOST_WAITS = 300  # of such a call, measured: 152; before: 632
MOST_OF_CLOCKS = 80  # requests a second for the time of the call and of the pause, measured: 34


@pytest.fixture
def idle_client(desktop: Desktop, server: CtiServer, tmp_path: Path) -> Iterator[TrafficClient]:
    folder = tmp_path / "client"
    folder.mkdir()
    client = TrafficClient(folder, desktop, server)
    try:
        client.log_in()
        yield client
    finally:
        client.close()


def test_an_idle_client_draws_nothing_and_sleeps_in_the_window_and_in_the_tray(
    idle_client: TrafficClient,
) -> None:
    client = idle_client
    client.settle()
    told, woken = client.idle()
    assert told == (0, 0), client.traffic.requests()
    assert woken < MOST_WAKE_UPS

    client.hide()
    client.settle()
    told, woken = client.idle()
    assert told == (0, 0), client.traffic.requests()
    assert woken < MOST_WAKE_UPS


def test_a_clock_draws_itself_alone_and_nothing_while_nobody_can_see_it(idle_client: TrafficClient) -> None:
    client = idle_client
    client.peer.say(event("Newchannel", "1.1", state="Down"), event("Callerid", "1.1"))
    client.peer.say(event("Link", "1.1", state="Up"), "310 IN Lunch")
    until(lambda: client.idle()[0][0] < MOST_OF_CLOCKS * SPAN, "more than clocks is drawn")
    assert client.idle()[0][0] > 0, "no clock is drawn"

    client.hide()
    client.settle()  # the notice goes, too
    assert client.idle()[0] == (0, 0), client.traffic.requests()


def test_a_missed_call_waits_for_the_x_server_now_and_then_alone(idle_client: TrafficClient) -> None:
    client = idle_client

    def miss(key: str) -> None:
        client.peer.say(event("Newchannel", key, state="Down"), event("Callerid", key))
        until(client.notices, "no notice", every=0.1)
        client.peer.say(event("Hangup", key, end="missed"))
        until(lambda: not client.notices(), "the notice stays", every=0.1)
        client.settle()  # the card goes, too

    miss("1.1")  # fonts are loaded, and pictures are made
    before = client.traffic.requests()
    miss("2.1")
    asked = client.since(before)
    assert 0 < asked[IMAGES] <= MOST_IMAGES
    assert sum(asked[code] for code in ANSWERED) <= MOST_WAITS
