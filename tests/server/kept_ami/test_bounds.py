"""Kept bytes stay within their bounds, whatever comes, and say what is gone."""

from __future__ import annotations

import random

from astcti_server.kept_ami.kept_bytes import MARK_COST, MOST_ENTRIES, MOST_WAITING, SEGMENT, KeptAmi
from astcti_server.kept_ami.marks import ArrivedMark, ConfiguredMark, LinkUpMark, LostMark, SeatsMark
from schemas.configuration.model import Configuration
from schemas.server.settings import KeptAmiSettings
from tests.fake.patience import until

MEBIBYTE = 1 << 20


class KeptOfTest:
    def __init__(self, size: int = MEBIBYTE, minutes: int = 15) -> None:
        self.now = 1_800_000_000.0
        self.seated: dict[str, str] = {}
        settings = KeptAmiSettings(size, minutes)
        self.kept = KeptAmi(settings, lambda: self.seated, clock=lambda: self.now)

    def data(self) -> bytes:
        entries = self.kept.window().entries()
        return b"".join(item for _moment, item in entries if isinstance(item, bytes))


def message(number: int) -> bytes:
    noise = random.Random(number).randbytes(100).hex()
    return f"Event: Newstate\r\nUniqueid: 18.{number}\r\nNoise: {noise}\r\n\r\n".encode()


def test_what_is_kept_comes_back_as_it_was_read() -> None:
    made = KeptOfTest(64 * MEBIBYTE)
    pieces = [message(number) * 50 for number in range(100)]
    for piece in pieces:
        made.kept.write(piece)
    assert made.data() == b"".join(pieces)
    assert [item for _moment, item in made.kept.window().entries() if isinstance(item, bytes)] == pieces


def test_the_oldest_goes_when_the_bytes_are_used() -> None:
    made = KeptOfTest()
    for number in range(40_000):
        made.kept.write(message(number))
        if number % 500 == 0:
            made.now += 1
            made.kept.window()
            assert made.kept.used <= MEBIBYTE + 2 * SEGMENT
    data = made.data()
    assert data.endswith(message(39_999)) and message(0) not in data
    assert made.kept.since is not None and made.kept.since > 1_800_000_000


def test_many_small_reads_and_marks_are_counted_too() -> None:
    made = KeptOfTest()
    for number in range(200_000):
        made.kept.write(b"x")
        made.kept.mark(ArrivedMark(f"SIP/{number}"))
        if number % 5000 == 0:
            made.kept.window()
    window = made.kept.window()
    marks = [item for _moment, item in window.entries() if not isinstance(item, bytes)]
    assert 1000 < len(marks) < MEBIBYTE / MARK_COST + MOST_ENTRIES
    assert made.kept.used <= MEBIBYTE + 2 * SEGMENT


def test_what_is_too_old_goes() -> None:
    made = KeptOfTest(minutes=1)
    made.kept.write(message(1) * 2000)
    made.now += 30
    made.kept.write(message(2) * 2000)
    made.kept.window()
    made.now += 45
    assert message(1) not in made.data() and message(2) in made.data()


def test_what_held_where_the_kept_bytes_begin_is_known() -> None:
    made = KeptOfTest(minutes=1)
    configured = ConfiguredMark(Configuration(), False, "cp1252", 30.0)
    made.kept.mark(configured)
    made.seated = {"SIP/201": "mario"}
    made.kept.write(message(1) * 2000)
    made.kept.mark(LinkUpMark("11.0.0"))
    made.seated = {"SIP/201": "mario", "SIP/202": "anna"}
    for extension, resumes in (("SIP/201", True), ("SIP/202", True), ("SIP/202", False)):
        made.kept.mark(ArrivedMark(extension, resumes))
    made.kept.write(message(1) * 2000)
    made.kept.window()
    made.now += 70
    made.seated = {"SIP/202": "anna"}
    made.kept.write(message(2))
    window = made.kept.window()
    assert window.state == (configured, {"SIP/201": "mario", "SIP/202": "anna"}, "11.0.0", {"SIP/201"})
    assert [item for _moment, item in window.entries()] == [SeatsMark({}, ("SIP/201",)), message(2)]


def test_no_more_waits_than_may_and_what_is_lost_is_said() -> None:
    made = KeptOfTest(64 * MEBIBYTE)
    for _ in range(MOST_WAITING // 65536 + 10):
        made.kept.write(b"x" * 65536)
    assert made.kept.used <= MOST_WAITING
    made.kept.window()
    made.kept.write(b"y")
    entries = [item for _moment, item in made.kept.window().entries()]
    assert entries[-2:] == [LostMark(10 * 65536), b"y"]


def test_the_thread_takes_in_what_is_read_and_stops() -> None:
    made = KeptOfTest()
    made.kept.start()
    try:
        for number in range(2000):
            made.kept.write(message(number))
        until(lambda: made.kept.used < 2000 * len(message(0)), every=0.05)
    finally:
        made.kept.stop()
        made.kept.join()


def test_messages_are_whole_however_they_were_read() -> None:
    made = KeptOfTest()
    for number in range(2000):
        made.kept.write(message(number)[:20])
        made.kept.write(message(number)[20:])
    assert [block + b"\r\n\r\n" for block in made.kept.blocks()] == [
        message(number) for number in range(2000)
    ]
