"""Calls that reach an agent in less plain ways come out right: recordings of real Asterisks 22 and 16.

`tests/fixtures/ami/less-plain/README.md` says what happens in each. What the seats are told is written here
as one line an event: whose seat (A, B, C), the event, direction, service and queue, number, data, and the
moment of the trigger that ran, if one did.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from astcti_server.calls.notification import Notification
from schemas.configuration.xml_form import load_xml
from tests.fake.asterisk import block
from tests.server.calls.conftest import heard, line_of

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "ami" / "less-plain"
SEAT = re.compile(r".*/40\d\d([123])")
TOLD = ("Callerid", "Link", "Hangup")

EXPECTED: dict[str, list[str]] = {
    "agent-login-agents": [
        "A Link inbound Sq003 q003 3330030001 90035 answer",
        "A Link inbound Sq003 q003 3330030001 54321 answer",
        "A Hangup inbound Sq003 q003 3330030001 54321 answered hangup",
    ],
    "ami_bridge_waiting": [
        "C Callerid inbound Sq002 q002 3330020001 90025 ring",
        "C Hangup inbound Sq002 q002 3330020001 90025 cancelled",
        "A Link inbound Sq002 q002 3330020001 90025 answer",
        "A Hangup inbound Sq002 q002 3330020001 90025 answered hangup",
    ],
    "ari-distributed-call": [
        "A Callerid inbound Acd - 3330090001 90095 ring",
        "A Link inbound Acd - 3330090001 90095 answer",
        "A Hangup inbound Acd - 3330090001 90095 answered hangup",
    ],
    "ari-into-queue-ring": [
        "A Callerid inbound Sq010 q010 3330100001 90105 ring",
        "A Link inbound Sq010 q010 3330100001 90105 answer",
        "A Hangup inbound Sq010 q010 3330100001 90105 answered hangup",
    ],
    "blonde-into-queue": [
        "A Callerid inbound Direct - 3330190001 90195 ring",
        "A Link inbound Direct - 3330190001 90195 answer",
        "B Callerid inbound Sr019 r019 40191 - ring",
        "A Hangup inbound Direct - 3330190001 90195 answered hangup",
        "B Link inbound Sr019 r019 3330190001 90195 answer",
        "B Hangup inbound Sr019 r019 3330190001 90195 answered hangup",
    ],
    "callback": [
        "A Callerid inbound Sq006 q006 05500601 - ring",
        "A Link inbound Sq006 q006 05500601 - answer",
        "A Hangup inbound Sq006 q006 05500601 - answered hangup",
    ],
    "campaign_local": [
        "A Callerid inbound Sq007 q007 05500701 90075 ring",
        "A Link inbound Sq007 q007 05500701 90075 answer",
        "A Hangup inbound Sq007 q007 05500701 90075 answered hangup",
    ],
    "campaign_reverse": [
        "A Callerid inbound Sq008 q008 05500801 - ring",
        "A Link inbound Sq008 q008 05500801 - answer",
        "A Hangup inbound Sq008 q008 05500801 - answered hangup",
    ],
    "click_local": [
        "A Link outbound Out plain - 05501101 - answer",
        "A Hangup outbound Out plain - 05501101 - answered hangup",
    ],
    "cut_while_ringing": [
        "A Callerid inbound Sq024 q024 3330240001 90245 ring",
        "A Link inbound Sq024 q024 3330240001 90245 answer",
        "A Hangup inbound Sq024 q024 3330240001 90245 answered hangup",
    ],
    "early-login": [],
    "external-media": [
        "A Callerid inbound Acd - 3330250001 90255 ring",
        "A Link inbound Acd - 3330250001 90255 answer",
        "A Hangup inbound Acd - 3330250001 90255 answered hangup",
    ],
    "keypress": [
        "A Callerid inbound Sq021 q021 3330210001 90215 ring",
        "A Hangup inbound Sq021 q021 3330210001 90215 cancelled",
    ],
    "orig_trunk_cid": [
        "A Link outbound Out company - 05701701 - answer",
        "A Hangup outbound Out company - 05701701 - answered hangup",
    ],
    "out-gosub-connectedline-i": [
        "A Link outbound Out connected - 05901501 - answer",
        "A Hangup outbound Out connected - 05901501 - answered hangup",
    ],
    "out-gosub-connectedline": [
        "A Link outbound Out connected - 05801401 - answer",
        "A Hangup outbound Out connected - 05801401 - answered hangup",
    ],
    "out-gosub-s": [
        "A Link outbound Out gosub - 05601301 - answer",
        "A Hangup outbound Out gosub - 05601301 - answered hangup",
    ],
    "out_trunk_cid": [
        "A Link outbound Out company - 05701601 - answer",
        "A Hangup outbound Out company - 05701601 - answered hangup",
    ],
    "outbound_then_blind": [
        "A Link outbound Out plain - 05501201 - answer",
        "A Hangup outbound Out plain - 05501201 - answered hangup",
        "B Callerid outbound Out plain - 05501201 -",
        "B Link outbound Out plain - 05501201 -",
        "B Hangup outbound Out plain - 05501201 - answered",
    ],
    "parked-call-fetched": [
        "C Callerid inbound Sq001 q001 3330010001 90015 ring",
        "C Link inbound Sq001 q001 3330010001 90015 answer",
        "C Hangup inbound Sq001 q001 3330010001 90015 answered hangup",
        "A Link inbound Sq001 q001 3330010001 90015 answer",
        "A Hangup inbound Sq001 q001 3330010001 90015 answered hangup",
    ],
    "queue-callback-local-n": [
        "A Callerid inbound Sq005 q005 05500501 90055 ring",
        "A Link inbound Sq005 q005 05500501 90055 answer",
        "A Hangup inbound Sq005 q005 05500501 90055 answered hangup",
    ],
    "queue-callback-local": [
        "A Callerid inbound Sq004 q004 05500401 90045 ring",
        "A Link inbound Sq004 q004 05500401 90045 answer",
        "A Hangup inbound Sq004 q004 05500401 90045 answered hangup",
    ],
    "screening_left": [
        "A Callerid inbound Sq022 q022 3330220001 90225 ring",
        "A Link inbound Sq022 q022 3330220001 90225",
        "A Hangup inbound Sq022 q022 3330220001 90225 cancelled",
    ],
    "three-way-last-party": [
        "A Callerid inbound Direct - 3330200001 90205 ring",
        "A Link inbound Direct - 3330200001 90205 answer",
        "B Callerid inbound - - 40201 -",
        "B Link inbound - - 40201 -",
        "A Link outbound Direct - 40202 -",
        "B Link inbound Direct - 3330200001 90205 answer",
        "A Link inbound Direct - 3330200001 90205 repeat",
        "A Link outbound Direct - 40202 - repeat",
        "B Link inbound Direct - 40201 - repeat",
        "B Link inbound Direct - 3330200001 90205 repeat",
        "B Link inbound Direct - 40201 - repeat",
        "A Link outbound Direct - 40202 - repeat",
        "B Hangup inbound Direct - 3330200001 90205 answered hangup",
        "A Hangup inbound Direct - 3330200001 90205 answered hangup",
    ],
    "transfer-into-queue": [
        "A Callerid inbound Sq018 q018 3330180001 90185 ring",
        "A Link inbound Sq018 q018 3330180001 90185 answer",
        "B Callerid inbound Sr018 r018 40181 - ring",
        "A Hangup inbound Sq018 q018 3330180001 90185 answered hangup",
        "A Hangup outbound Sr018 r018 40182 - cancelled",
        "B Link inbound Sr018 r018 3330180001 90185 answer",
        "B Hangup inbound Sr018 r018 3330180001 90185 answered hangup",
    ],
    "wait_cut_answer": [
        "A Callerid inbound Sq023 q023 3330230001 90235 ring",
        "A Link inbound Sq023 q023 3330230001 90235 answer",
        "A Hangup inbound Sq023 q023 3330230001 90235 answered hangup",
    ],
}


def told(scene: str, version: str, *, all_calls: bool) -> list[Notification]:
    """What the seats are told of a recording."""
    return replayed((RECORDINGS / f"{version}-{scene}.ami").read_bytes(), version, all_calls=all_calls)


def replayed(transcript: bytes, version: str, *, all_calls: bool) -> list[Notification]:
    """What the seats are told of these bytes."""
    configuration = load_xml(RECORDINGS / f"config-{version}" / "configuration.xml")
    return heard(transcript, configuration, all_calls=all_calls)


@pytest.mark.parametrize("version", ["22", "16"])
@pytest.mark.parametrize("scene", sorted(EXPECTED))
def test_a_call_that_comes_in_a_less_plain_way_reaches_the_right_seat(scene: str, version: str) -> None:
    lines = [line_of(one, SEAT) for one in told(scene, version, all_calls=True) if one.event.id in TOLD]
    assert lines == EXPECTED[scene]


@pytest.mark.parametrize("version", ["22", "16"])
@pytest.mark.parametrize("scene", sorted(EXPECTED))
def test_calls_of_services_alone_are_told_alike(scene: str, version: str) -> None:
    lines = [line_of(one, SEAT) for one in told(scene, version, all_calls=False) if one.event.id in TOLD]
    # A ring that was held back until its service was known is told later, and with the service.
    links_and_ends = [line for line in lines if line.split()[1] != "Callerid"]
    assert links_and_ends == [
        line for line in EXPECTED[scene] if line.split()[1] != "Callerid" and line.split()[3] != "-"
    ]


@pytest.mark.parametrize("version", ["22", "16"])
@pytest.mark.parametrize("scene", sorted(EXPECTED))
def test_no_technical_channel_and_no_place_of_the_dialplan_is_a_party(scene: str, version: str) -> None:
    for notification in told(scene, version, all_calls=True):
        call = notification.event.call
        assert call.calleridnum not in ("s", "0559999", "(null)")
        assert not any(value == "(null)" for _, value in call.appdata)
        if call.connected is not None:
            assert call.connected.channel.startswith(("PJSIP/", "SIP/"))


def test_a_recorded_answer_tells_a_global_variable_from_a_calls() -> None:
    recorded = (RECORDINGS / "22-wait_cut_answer.ami").read_bytes()
    listed = recorded.replace(b"Variable: custid=(null)", b"Variable: custid=everybodys")
    asked_for = (("ActionID", "astcti-0a1b2c3d-5"), ("Variable", "custid"), ("Value", "everybodys"))
    answer = block(("Response", "Success"), *asked_for)
    assert listed != recorded
    assert "custid" in data_at_the_answer(listed)
    at = listed.rindex(b"Response: Success", 0, listed.index(b"Event: Status\r\n"))
    assert "custid" not in data_at_the_answer(listed[:at] + answer + listed[at:])


def data_at_the_answer(transcript: bytes) -> dict[str, str]:
    """What the only Link brings."""
    notifications = replayed(transcript, "22", all_calls=False)
    (link,) = [one.event for one in notifications if one.event.id == "Link"]
    return dict(link.call.appdata)


def test_what_the_server_asks_later_to_compare_its_calls_with_ends_none_in_a_replay() -> None:
    """An entry for one channel, asked for by its name, is not all there is."""
    recorded = (RECORDINGS / "22-parked-call-fetched.ami").read_bytes()
    first_list = block(("Event", "StatusComplete"), ("Items", "0"))
    of_another = block(("Event", "Status"), ("Channel", "PJSIP/x-1"), ("Uniqueid", "1.1"))
    compared = first_list + of_another + first_list
    greeting, rest = recorded.split(b"\r\n", 1)
    answered = rest.index(b"Event: BridgeEnter")
    asked = greeting + b"\r\n" + first_list + rest[:answered] + compared + rest[answered:]
    lines = [line_of(one, SEAT) for one in replayed(asked, "22", all_calls=True) if one.event.id in TOLD]
    assert lines == EXPECTED["parked-call-fetched"]


def test_each_list_after_a_login_brings_its_variables() -> None:
    """More variables are declared than one question can name."""
    recorded = (RECORDINGS / "22-wait_cut_answer.ami").read_bytes()
    at = recorded.index(b"Event: Status\r\n")
    end = recorded.index(b"\r\n\r\n", recorded.index(b"Event: StatusComplete", at)) + 4
    second = recorded[at:end].replace(b"Variable: custid=(null)", b"Variable: custid=7")
    assert "custid" in data_at_the_answer(recorded[:end] + second + recorded[end:])


def test_every_recording_of_the_folder_is_expected() -> None:
    scenes = {path.stem[3:] for path in RECORDINGS.glob("*.ami")}
    assert scenes == set(EXPECTED)
