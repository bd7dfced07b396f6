"""Calls of which busy Asterisks 22 and 16 told in an unusual order come out right all the same.

`tests/fixtures/ami/other-order/README.md` says what happens in each, and what is told late. What the seats
are told is written here as in `test_less_plain.py`: whose seat (A, B), the event, direction, service and
queue, number, data, how it ended, and the moment of the trigger that ran, if one did.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astcti_server.calls.notification import Notification
from schemas.configuration.model import Configuration
from schemas.configuration.xml_form import load_xml
from tests.server.calls.conftest import heard, in_another_order, line_of

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "ami" / "other-order"
SEAT = re.compile(r".*/4\d{3}([123])")
TOLD = ("Callerid", "Link", "Hangup")

EXPECTED: dict[str, list[str]] = {
    "16-handed-over-while-it-rings": [
        "C Callerid inbound Sq287 q287 3332870001 92875 ring",
        "C Link inbound Sq287 q287 3332870001 92875 answer",
        "C Hangup inbound Sq287 q287 3332870001 92875 answered hangup",
        "A Link inbound Sq287 q287 3332870001 92875 answer",
        "A Hangup inbound Sq287 q287 3332870001 92875 answered hangup",
        "A Hangup outbound Sr287 r287 19287 - cancelled",
        "B Callerid inbound Sr287 r287 3332870001 92875 ring",
        "B Link inbound Sr287 r287 3332870001 92875 answer",
        "B Hangup inbound Sr287 r287 3332870001 92875 answered hangup",
    ],
    "16-optimised-before-link": [
        "A Callerid inbound Sq403 q403 05540301 94035 ring",
        "A Link inbound Sq403 q403 05540301 94035 answer",
        "A Hangup inbound Sq403 q403 05540301 94035 answered hangup",
    ],
    "16-originated-dial-last": [
        "A Callerid inbound Sq293 q293 05529301 92935 ring",
        "A Link inbound Sq293 q293 05529301 92935 answer",
        "B Callerid inbound - - 42931 -",
        "A Link outbound - - 42932 -",
        "B Link inbound - - 42931 -",
        "B Link inbound Sq293 q293 05529301 92935 answer",
        "A Hangup outbound Sq293 - 42932 - answered",
        "A Hangup inbound Sq293 q293 05529301 92935 answered hangup",
        "B Hangup inbound Sq293 q293 05529301 92935 answered hangup",
    ],
    "16-queue-dial-after-answer": [
        "A Callerid inbound Sq336 q336 05533601 93365 ring",
        "A Link inbound Sq336 q336 05533601 93365 answer",
        "A Hangup inbound Sq336 q336 05533601 93365 answered hangup",
        "B Link inbound Sq336 q336 05533601 93365 answer",
        "B Hangup inbound Sq336 q336 05533601 93365 answered hangup",
    ],
    "16-queue-dial-last": [
        "A Callerid inbound Sq175 q175 3331750001 91755 ring",
        "A Link inbound Sq175 q175 3331750001 91755 answer",
        "B Callerid inbound - - 41751 -",
        "B Link inbound - - 41751 -",
        "A Link outbound Sq175 - 41752 91755",
        "B Link inbound Sq175 q175 3331750001 91755 answer",
        "A Link inbound Sq175 q175 3331750001 91755 repeat",
        "A Link outbound Sq175 - 41752 91755 repeat",
        "B Link inbound Sq175 - 41751 91755 repeat",
        "B Link inbound Sq175 - 41751 91755 repeat",
        "A Link outbound Sq175 - 41752 91755 repeat",
        "B Link inbound Sq175 q175 3331750001 91755 repeat",
        "A Hangup inbound Sq175 q175 3331750001 91755 answered hangup",
        "B Hangup inbound Sq175 q175 3331750001 91755 answered hangup",
    ],
    "16-queue-named-late": [
        "A Callerid inbound Sq173 q173 3331730001 91735 ring",
        "A Link inbound Sq173 q173 3331730001 91735 answer",
        "B Callerid inbound Sr173 r173 41731 91735 ring",
        "A Hangup inbound Sq173 q173 3331730001 91735 answered hangup",
        "B Link inbound Sr173 r173 3331730001 91735 answer",
        "B Hangup inbound Sr173 r173 3331730001 91735 answered hangup",
    ],
    "22-blind-dial-after-ringing": [
        "A Callerid inbound Sq051 q051 3330510001 90515 ring",
        "A Link inbound Sq051 q051 3330510001 90515 answer",
        "B Callerid inbound Sq051 q051 3330510001 90515 ring",
        "A Hangup inbound Sq051 q051 3330510001 90515 answered hangup",
        "B Link inbound Sq051 q051 3330510001 90515 answer",
        "B Hangup inbound Sq051 q051 3330510001 90515 answered hangup",
    ],
    "22-dial-after-ringing": [
        "A Callerid inbound Sq388 q388 05538801 93885 ring",
        "A Link inbound Sq388 q388 05538801 93885 answer",
        "A Hangup inbound Sq388 q388 05538801 93885 answered hangup",
        "B Callerid inbound Sq388 q388 05538801 93885 ring",
        "B Link inbound Sq388 q388 05538801 93885 answer",
        "B Hangup inbound Sq388 q388 05538801 93885 answered hangup",
    ],
    "22-handed-over-before-ringing": [
        "A Callerid inbound Sq104 q104 3331040001 91045 ring",
        "A Link inbound Sq104 q104 3331040001 91045 answer",
        "A Hangup inbound Sq104 q104 3331040001 91045 answered hangup",
        "A Hangup outbound Sr104 r104 41042 - cancelled",
        "B Callerid inbound Sr104 r104 3331040001 91045 ring",
        "B Link inbound Sr104 r104 3331040001 91045 answer",
        "B Hangup inbound Sr104 r104 3331040001 91045 answered hangup",
    ],
    "22-number-of-our-own": [
        "A Link outbound Out company - 05749801 - answer",
        "A Hangup outbound Out company - 05749801 - answered hangup",
        "B Callerid inbound Sr498 r498 05749801 - ring",
        "B Link inbound Sr498 r498 05749801 - answer",
        "B Hangup inbound Sr498 r498 05749801 - answered hangup",
    ],
}


@cache
def configuration(version: str) -> Configuration:
    """That of a version's recordings."""
    return load_xml(RECORDINGS / f"config-{version}" / "configuration.xml")


def told_of(name: str) -> list[Notification]:
    """What the seats are told of a recording."""
    return heard((RECORDINGS / f"{name}.ami").read_bytes(), configuration(name[:2]))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_call_that_is_told_in_an_unusual_order_reaches_the_right_seat(name: str) -> None:
    told = told_of(name)
    assert [line_of(one, SEAT) for one in told if one.event.id in TOLD] == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_no_event_shows_our_own_number_or_names_a_local_channel(name: str) -> None:
    for notification in told_of(name):
        call = notification.event.call
        assert call.calleridnum not in ("s", "0559999")
        if call.connected is not None:
            assert call.connected.channel.startswith(("PJSIP/", "SIP/"))


def test_every_recording_of_the_folder_is_expected() -> None:
    assert {path.stem for path in RECORDINGS.glob("*.ami")} == set(EXPECTED)


@settings(max_examples=60)
@given(st.sampled_from(sorted(EXPECTED)), st.randoms(use_true_random=True), st.sampled_from([30, 300]))
def test_in_which_order_different_channels_are_told_of_changes_no_conversation(
    name: str, random: Random, swaps: int
) -> None:
    transcript = (RECORDINGS / f"{name}.ami").read_bytes()
    moved = heard(in_another_order(transcript, random, swaps), configuration(name[:2]))
    assert outcome(moved) == outcome(told_of(name))


def outcome(told: list[Notification]) -> Counter[str]:
    """What each seat was told of its conversations and its rings, in whichever order."""
    return Counter(
        line_of(one, SEAT) for one in told if one.event.id in ("Callerid", "Link") and not one.event.repeat
    )
