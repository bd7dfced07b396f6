"""Every recording comes out as its README says: who gets a Link, exactly once each, with whose data."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from astcti_server.calls.notification import Notification
from astcti_server.replay import Replay
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.event_xml import encode
from tests.server.calls.conftest import heard, in_another_order

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "ami"
SCHEMA = Path(__file__).resolve().parents[3] / "schemas" / "event.xsd"
ROW = re.compile(r"^\| `([^`]+)` \|.*\| ([^|]+) \|$", re.MULTILINE)
PAIR = re.compile(r"`([^`]+)` with `([^`]+)`")
PHONE = re.compile(rb"\b(?:PJSIP|SIP)/[A-Za-z0-9_.]+(?=-[0-9a-f]{8})")

EXPECTED = {
    name: [tuple(pair) for pair in PAIR.findall(pairs)]
    for name, pairs in ROW.findall((RECORDINGS / "README.md").read_text(encoding="utf-8"))
}

LOSER = {  # phones that rang and did not get the call, and what their seats are told
    "22-queue-ringall": ("PJSIP/202", "answered-elsewhere"),
    "16-queue-ringall": ("SIP/202", "answered-elsewhere"),
    "22-direct-group": ("PJSIP/201", "answered-elsewhere"),
    "16-direct-group": ("SIP/201", "answered-elsewhere"),
    "22-pickup": ("PJSIP/201", "answered-elsewhere"),
    "16-pickup": ("SIP/201", "answered-elsewhere"),
    "old/13-pickup": ("SIP/202", "answered-elsewhere"),
    "busy/16-pickup": ("SIP/201", "answered-elsewhere"),
    "22-queue-hunt": ("PJSIP/201", "missed"),
    "16-queue-hunt": ("SIP/201", "missed"),
    "22-queue-autopause": ("PJSIP/201", "missed"),
    "16-queue-autopause": ("SIP/201", "missed"),
    "22-queue-caller-gives-up": ("PJSIP/201", "cancelled"),
    "16-queue-caller-gives-up": ("SIP/201", "cancelled"),
    "22-direct-caller-gives-up": ("PJSIP/201", "cancelled"),
    "16-direct-caller-gives-up": ("SIP/201", "cancelled"),
    "old/11-caller-gives-up": ("SIP/201", "cancelled"),
    "22-direct-busy": ("PJSIP/201", "refused"),
    "16-direct-busy": ("SIP/201", "refused"),
}

POP_UPS = {  # the seats whose trigger opens a page for a call of the service Demo, with the caller's number
    "22-queue-ringall": ["PJSIP/201 12345 3331234567"],
    "16-queue-ringall": ["SIP/201 12345 3331234567"],
    "22-queue-local": ["PJSIP/201 12345 3331234567"],
    "16-queue-local": ["SIP/201 12345 3331234567"],
    "22-queue-local-n": ["PJSIP/201 12345 3331234567"],
    "16-queue-local-n": ["SIP/201 12345 3331234567"],
    "22-attended-transfer": ["PJSIP/201 12345 3331234567", "PJSIP/202 12345 3331234567"],
    "16-attended-transfer": ["SIP/201 12345 3331234567", "SIP/202 12345 3331234567"],
    "22-attended-transfer-by-keys": ["PJSIP/201 12345 3331234567", "PJSIP/202 12345 3331234567"],
    "16-attended-transfer-by-keys": ["SIP/201 12345 3331234567", "SIP/202 12345 3331234567"],
    "22-blonde-transfer": ["PJSIP/201 12345 3331234567", "PJSIP/202 12345 3331234567"],
    "16-blonde-transfer": ["SIP/201 12345 3331234567", "SIP/202 12345 3331234567"],
    "22-queue-caller-gives-up": [],
    "16-queue-caller-gives-up": [],
}


def configuration(transcript: bytes) -> Configuration:
    """Every phone of a recording is a seat; its operator is bound to the specification's example service."""
    phones = sorted({phone.decode() for phone in PHONE.findall(transcript)})
    seats = tuple(Seat(f"00:00:00:00:00:{index:02x}", phone) for index, phone in enumerate(phones))
    operators = tuple(
        Operator(f"at-{seat.extension}", "Operator", "md5:" + "0" * 32, seat=seat.mac) for seat in seats
    )
    demo = Service(
        "Demo",
        "astctidemo",
        "inbound",
        is_queue=True,
        queue_name="astcti",
        variables=("calldata",),
        triggers=(Trigger("browser", url="https://crm.example/?id={CALLDATA}&from={CALLERID}"),),
        operators=tuple(Binding(operator.username) for operator in operators),
    )
    return Configuration((demo,), seats, operators)


def replayed(name: str, *, all_calls: bool = True, size: int = 65536) -> list[Notification]:
    transcript = (RECORDINGS / f"{name}.ami").read_bytes()
    return heard(transcript, configuration(transcript), all_calls=all_calls, size=size)


def links(told: list[Notification]) -> Counter[tuple[str, str]]:
    """Each Link as (the seat's phone, the other party's device)."""
    found: Counter[tuple[str, str]] = Counter()
    for extension, event in told:
        if event.id == "Link":
            assert event.call.connected is not None
            assert not event.repeat
            found[extension, event.call.connected.channel.rpartition("-")[0]] += 1
    return found


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_whoever_hears_unlink_last_is_connected_with_nobody_any_more(name: str) -> None:
    for all_calls in (True, False):
        connected: dict[tuple[str, str], set[str]] = {}
        for extension, event in replayed(name, all_calls=all_calls):
            others = connected.setdefault((extension, event.call.uniqueid), set())
            if event.id == "Link" and event.call.connected:
                others.add(event.call.connected.uniqueid)
            elif event.id == "Unlink" and event.call.connected:
                others.remove(event.call.connected.uniqueid)
                assert not others


def test_every_recording_is_described() -> None:
    recordings = (path.relative_to(RECORDINGS).with_suffix("") for path in RECORDINGS.rglob("*.ami"))
    # Those have a table of their own, with what is right beside what comes out today.
    files = {path.as_posix() for path in recordings if path.parts[0] not in ("less-plain", "other-order")}
    assert files == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_connected_pair_is_one_link_for_both_ends_and_nothing_else_is(name: str) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for one, other in EXPECTED[name]:
        expected[one, other] += 1
        expected[other, one] += 1
    assert links(replayed(name)) == expected


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_where_the_bytes_are_cut_changes_nothing(name: str) -> None:
    assert replayed(name, size=7) == replayed(name)


@settings(max_examples=150)
@given(
    # Before Asterisk 12 events tie channels together by names too: there the order says something.
    st.sampled_from([name for name in sorted(EXPECTED) if not name.startswith("old/")]),
    st.randoms(use_true_random=True),
    st.sampled_from([30, 300, 3000]),
)
def test_in_which_order_threads_of_asterisk_tell_of_different_channels_changes_nothing(
    name: str, random: Random, swaps: int
) -> None:
    transcript = (RECORDINGS / f"{name}.ami").read_bytes()
    moved = in_another_order(transcript, random, swaps)
    for all_calls in (True, False):
        in_order, mixed = (
            heard(told, configuration(transcript), all_calls=all_calls) for told in (transcript, moved)
        )
        assert outcome(mixed) == outcome(in_order)


def outcome(told: list[Notification]) -> tuple[Counter[tuple[str, str]], ...]:
    """Who was connected with whom, how each ring ended, and which pages opened."""
    ends: Counter[tuple[str, str]] = Counter(
        (extension, event.cause.end) for extension, event in told if event.cause
    )
    pages = Counter((extension, action.url) for extension, event in told for action in event.triggers)
    return links(told), ends, pages


def test_pickup_of_which_pickup_is_told_last_pops_up_at_the_picker() -> None:
    transcript = (RECORDINGS / "busy/16-pickup.ami").read_bytes()
    configured = configuration(transcript)
    demo = replace(configured.services[0], context="direct", is_queue=False, queue_name="")
    told = heard(transcript, replace(configured, services=(demo,)), all_calls=False)
    pages = [(extension, action.url) for extension, event in told for action in event.triggers]
    assert ("SIP/203", "https://crm.example/?id=direct&from=3331234567") in pages
    assert "SIP/201" not in dict(pages)


def test_half_of_a_local_channel_that_takes_a_phones_place_is_no_party() -> None:
    transcript = (RECORDINGS / "old/11-attended-transfer-of-local.ami").read_bytes()
    configured = configuration(transcript)
    outside = replace(
        configured.services[0], context="outbound", type="outbound", is_queue=False, queue_name=""
    )
    told = heard(transcript, replace(configured, services=(outside,)), all_calls=True)
    parties = {event.call.connected.channel for _, event in told if event.call.connected}
    assert {party.partition("/")[0] for party in parties} == {"SIP"}
    shown = [
        (extension, event.id, event.call.direction, event.call.calleridnum, bool(event.triggers))
        for extension, event in told
        if event.id in ("Link", "Callerid") and extension != "SIP/trunk"
    ]
    assert shown == [
        ("SIP/201", "Link", "outbound", "0551234", True),
        ("SIP/202", "Callerid", "inbound", "201", False),
        ("SIP/201", "Link", "outbound", "202", False),
        ("SIP/202", "Link", "inbound", "201", False),
        ("SIP/202", "Link", "outbound", "0551234", False),
    ]


@pytest.mark.parametrize("name", sorted(LOSER))
def test_phone_that_rang_in_vain_is_told_why(name: str) -> None:
    phone, end = LOSER[name]
    causes = [event.cause for extension, event in replayed(name) if extension == phone and event.cause]
    assert [cause.end for cause in causes] == [end]


@pytest.mark.parametrize("name", sorted(POP_UPS))
def test_pop_ups_open_at_the_right_seats_with_the_callers_data(name: str) -> None:
    opened = [
        f"{extension} {dict(event.call.appdata).get('calldata', '')} {event.call.calleridnum}"
        for extension, event in replayed(name, all_calls=False)
        if event.triggers
    ]
    assert opened == POP_UPS[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_nothing_is_left_of_a_call_after_its_end(name: str) -> None:
    transcript = (RECORDINGS / f"{name}.ami").read_bytes()
    replay = Replay(configuration(transcript), lambda told: None, all_calls=True)
    replay.feed(transcript)
    assert replay.calls == 0


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_what_is_sent_fits_its_schema_and_its_line(name: str) -> None:
    schema = etree.XMLSchema(etree.parse(str(SCHEMA)))
    for _extension, event in replayed(name):
        line = encode(event)
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        schema.assertValid(etree.fromstring(line))


def test_hostile_caller_name_is_data() -> None:
    told = [event for extension, event in replayed("22-hostile-name") if extension == "PJSIP/201"]
    names = {event.call.calleridname for event in told if event.id == "Link"}
    assert len(names) == 1
    assert "<" in names.pop()


def test_every_id_of_the_specification_occurs() -> None:
    seen = {event.id for name in EXPECTED for _extension, event in replayed(name)}
    assert {"Newchannel", "Dial", "Newstate", "Callerid", "Newexten", "Link", "Unlink", "Hangup"} <= seen


def with_ring_page(transcript: bytes) -> Configuration:
    """One service of the queue that rings the phone twice; a page opens when it rings."""
    configured = configuration(transcript)
    page = Trigger("browser", on="ring", url="https://crm.example/who?number={CALLERID}")
    service = replace(configured.services[0], queue_name="insistent", triggers=(page,))
    return replace(configured, services=(service,))


def pages_of_rings(transcript: bytes) -> list[int]:
    told = heard(transcript, with_ring_page(transcript), all_calls=False)
    return [len(event.triggers) for _, event in told if event.id == "Callerid"]


@pytest.mark.parametrize("version", ["22", "16"])
def test_a_replay_goes_by_the_time_of_the_recording(version: str) -> None:
    transcript = (RECORDINGS / f"{version}-queue-rings-again.ami").read_bytes()
    assert pages_of_rings(transcript) == [1, 0]
    phone = re.compile(rb"Event: Newchannel\r\n(?:[^\r]+\r\n)*?Channel: \w+/201-(?:[^\r]+\r\n)+")
    first, second = (match[0] for match in phone.finditer(transcript))
    for seconds, pages in ((59, [1, 0]), (60, [1, 1])):
        timed = transcript.replace(first, first + b"Timestamp: 2000000000.000000\r\n")
        timed = timed.replace(second, second + b"Timestamp: %d.000000\r\n" % (2000000000 + seconds))
        assert pages_of_rings(timed) == pages
    _, uniqueid = (re.search(rb"Uniqueid: ([0-9]+)\.", event) for event in (first, second))
    assert uniqueid is not None
    began = int(uniqueid[1])
    for new, pages in ((b"%d" % (began + 70), [1, 1]), (b"pbx-%d" % (began + 70), [1, 1]), (b"x", [1, 0])):
        again = re.search(rb"Uniqueid: (\S+)", second)
        assert again is not None
        moved = new + again[1][again[1].index(b".") :]
        assert pages_of_rings(transcript.replace(again[1], moved)) == pages
