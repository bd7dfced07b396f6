"""The traffic that `make bench` makes: what it claims must follow from it, or its figures mean nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from astcti_server.calls.notification import Notification
from astcti_server.replay import Replay
from schemas.configuration.model import Configuration
from schemas.configuration.xml_form import load_xml
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript
from tests.bench.workload.modern_calls import ModernCalls
from tests.bench.workload.old_calls import OldCalls
from tests.bench.workload.traffic import ExpectedLink, Traffic, callers_waiting, make_traffic

SCRIPTS = [ModernCalls(), OldCalls()]
CALLS = 60


@pytest.fixture(params=SCRIPTS, ids=lambda script: type(script).__name__)
def script(request: pytest.FixtureRequest) -> EventScript:
    return request.param


def call_centre_of(script: EventScript) -> CallCentre:
    return CallCentre(script.technology, seats=20, services=3)


def traffic_of(script: EventScript, seed: int = 1) -> Traffic:
    call_centre = call_centre_of(script)
    return make_traffic(
        script, call_centre.extensions, call_centre.queue, calls=CALLS, concurrent=8, seed=seed
    )


def configuration_of(call_centre: CallCentre, directory: Path) -> Configuration:
    path = directory / "call_centre.xml"
    path.write_text(call_centre.configuration())
    return load_xml(path)


def links_told(configuration: Configuration, data: bytes) -> tuple[Counter[ExpectedLink], int]:
    told: list[Notification] = []
    player = Replay(configuration, told.append)
    player.feed(data)
    links = [notification for notification in told if notification.event.id == "Link"]
    calls = [(notification.extension, notification.event.call) for notification in links]
    found = Counter(
        ExpectedLink(seat, dict(call.appdata)["calldata"], call.calleridnum) for seat, call in calls
    )
    return found, sum(notification.event.repeat for notification in links)


def test_every_expected_link_is_told_once_and_no_other(script: EventScript, tmp_path: Path) -> None:
    traffic = traffic_of(script)

    found, repeats = links_told(
        configuration_of(call_centre_of(script), tmp_path), script.banner + traffic.data
    )

    assert found == Counter(traffic.expected)
    assert len(found) == CALLS
    assert repeats == 0


def test_the_last_link_comes_with_the_event_that_is_said_to_cause_it(
    script: EventScript, tmp_path: Path
) -> None:
    traffic = traffic_of(script)
    configuration = configuration_of(call_centre_of(script), tmp_path)
    blocks = [block + END for block in traffic.data.split(END)[:-1]]
    assert len(blocks) == traffic.events

    before, _ = links_told(configuration, script.banner + b"".join(blocks[: traffic.to_last_link - 1]))
    after, _ = links_told(configuration, script.banner + b"".join(blocks[: traffic.to_last_link]))

    assert (before.total(), after.total()) == (CALLS - 1, CALLS)


def test_the_mix_is_the_measured_one(script: EventScript) -> None:
    traffic = traffic_of(script)

    assert traffic.mean_fields == pytest.approx(script.fields, rel=0.05)
    assert traffic.mean_size == pytest.approx(script.size, rel=0.05)


def test_the_same_seed_makes_the_same_bytes(script: EventScript) -> None:
    assert traffic_of(script, seed=3) == traffic_of(script, seed=3)
    assert traffic_of(script, seed=3).data != traffic_of(script, seed=4).data


def test_waiting_callers_cause_nothing(script: EventScript, tmp_path: Path) -> None:
    call_centre = call_centre_of(script)
    waiting = callers_waiting(script, call_centre.queue, count=5, first=9000)

    found, _ = links_told(configuration_of(call_centre, tmp_path), script.banner + waiting)

    assert waiting.count(b"Event: Newchannel") == 5
    assert not found
