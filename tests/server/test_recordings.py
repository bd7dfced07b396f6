"""Every recording comes out as its README says: who gets a Link, exactly once each, with whose data."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from astcti_server.calls.notification import Notification
from astcti_server.replay import Replay
from schemas.configuration import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.event_xml import encode

RECORDINGS = Path(__file__).resolve().parent.parent / "fixtures" / "ami"
SCHEMA = Path(__file__).resolve().parent.parent.parent / "schemas" / "event.xsd"
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
        "Demo", "astctidemo", "inbound", is_queue=True, queue_name="astcti", variables=("calldata",),
        triggers=(Trigger("browser", url="https://crm.example/?id={CALLDATA}&from={CALLERID}"),),
        operators=tuple(Binding(one.username) for one in operators),
    )  # fmt: skip
    return Configuration((demo,), seats, operators)


def replayed(name: str, *, all_calls: bool = True, size: int = 65536) -> list[Notification]:
    transcript = (RECORDINGS / f"{name}.ami").read_bytes()
    told: list[Notification] = []
    replay = Replay(configuration(transcript), told.append, all_calls=all_calls)
    for start in range(0, len(transcript), size):
        replay.feed(transcript[start : start + size])
    return told


def links(told: list[Notification]) -> Counter[tuple[str, str]]:
    """Each Link as (the seat's phone, the other party's device)."""
    found: Counter[tuple[str, str]] = Counter()
    for extension, event in told:
        if event.id == "Link":
            assert event.call.connected is not None
            assert not event.repeat
            found[extension, event.call.connected.channel.rpartition("-")[0]] += 1
    return found


def test_every_recording_is_described() -> None:
    files = {path.relative_to(RECORDINGS).with_suffix("").as_posix() for path in RECORDINGS.rglob("*.ami")}
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
