"""A report of a recorded call tells the seats, byte for byte, what the recording itself does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from astcti_server.calls.notification import Notification
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
