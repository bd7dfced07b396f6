"""A report of a recorded call tells the seats, byte for byte, what the recording itself does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from astcti_server.calls.notification import Notification
from astcti_server.kept_ami.marks import ArrivedMark, HadMark
from astcti_server.replay import Replay, bound_operators
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.event_xml import encode
from tests.server.kept_ami.conftest import KeptByTest, report_of

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "ami"
NAMES = sorted(path.relative_to(RECORDINGS).with_suffix("").as_posix() for path in RECORDINGS.rglob("*.ami"))
PHONE = re.compile(rb"\b(?:PJSIP|SIP)/[A-Za-z0-9_.]+(?=-[0-9a-f]{8})")
BANNER = re.compile(rb"\A[^\r\n]*/([0-9.]+)\r\n")


def configuration(transcript: bytes) -> Configuration:
    """Every phone is a seat, its operator bound to a service that declares one variable."""
    phones = sorted({phone.decode() for phone in PHONE.findall(transcript)})
    seats = tuple(Seat(f"00:00:00:00:01:{index + 1:02x}", phone) for index, phone in enumerate(phones))
    operators = tuple(
        Operator(f"at-{seat.extension}", "Operator", "md5:" + "0" * 32, seat=seat.mac) for seat in seats
    )
    trigger = Trigger("browser", url="https://crm.example/?id={CALLDATA}&from={CALLERID}")
    bound = tuple(Binding(operator.username) for operator in operators)
    demo = Service("Demo", "astctidemo", "inbound", True, "astcti", True, ("calldata",), (trigger,), bound)
    return Configuration((demo,), seats, operators)


def lines(told: list[Notification]) -> list[str]:
    return [f"{notification.extension}\t{encode(notification.event).decode()}" for notification in told]


@pytest.mark.parametrize("all_calls", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_report_of_a_recording_tells_the_same(name: str, all_calls: bool, tmp_path: Path) -> None:
    transcript = (RECORDINGS / f"{name}.ami").read_bytes()
    configured = configuration(transcript)
    told: list[Notification] = []
    Replay(configured, told.append, all_calls=all_calls).feed(transcript)
    kept = KeptByTest(configured, bound_operators(configured), all_calls=all_calls)
    banner = BANNER.match(transcript)
    kept.link_up(banner[1].decode() if banner is not None else "")
    kept.write(transcript, 1000)
    assert lines(report_of(kept, tmp_path / "plain.tar.gz")) == lines(told)
    masked = report_of(kept, tmp_path / "masked.tar.gz", mask=True)
    assert [shape(notification) for notification in masked] == [shape(notification) for notification in told]


def shape(notification: Notification) -> tuple[object, ...]:
    """Everything but numbers, names and digits."""
    event, call = notification.event, notification.event.call
    other = call.connected.uniqueid if call.connected is not None else ""
    known = (bool(call.calleridnum), bool(call.calleridname), len(call.appdata), call.context, call.queue)
    return event.id, event.service, event.cause, event.repeat, call.uniqueid, call.linkedid, other, *known


def test_a_report_knows_who_resumed_and_which_pop_ups_were_had(tmp_path: Path) -> None:
    transcript = (RECORDINGS / "22-queue-ringall.ami").read_bytes()
    configured = configuration(transcript)
    before, link = until_answered(transcript, configured)
    call, phone = link.event.call, link.extension
    assert call.connected is not None
    kept = KeptByTest(configured, bound_operators(configured))
    kept.link_up("11.0.0")
    kept.write(transcript[:before])
    kept.kept.mark(ArrivedMark(phone))
    kept.kept.mark(ArrivedMark(phone, resumes=True))
    kept.kept.mark(HadMark(phone, call.uniqueid, call.connected.uniqueid))
    kept.kept.mark(ArrivedMark(phone, resumes=True))
    kept.write(transcript[before:])
    told = report_of(kept, tmp_path / "report.tar.gz")
    links = [each.event for each in told if each.extension == phone and each.event.id == "Link"]
    assert [event.repeat for event in links] == [False, True, False, True]
    assert [event.triggers for event in links] == [link.event.triggers, (), link.event.triggers, ()]


def until_answered(transcript: bytes, configured: Configuration) -> tuple[int, Notification]:
    """How many bytes there are until a pop-up was told, and that."""
    told: list[Notification] = []
    replay, position = Replay(configured, told.append), 0
    for block in transcript.splitlines(keepends=True):
        replay.feed(block)
        position += len(block)
        if told and told[-1].event.triggers:
            return position, told[-1]
    raise AssertionError("nothing popped up")
