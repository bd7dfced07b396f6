"""What may be much is read on the AMI thread in pieces, and events are taken in between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from astcti_server.ami import vocabulary as ami
from astcti_server.calls.live_calls import LiveChannel, live_channels
from astcti_server.calls.tracker import Tracker
from astcti_server.control.ports import NotObeyed
from astcti_server.server_control.ami_reader import AmiReader
from astcti_server.server_control.lists import began
from tests.fake.patience import PATIENCE

CALLS, AT_ONCE = 10_000, 200


class AmiTurns:
    """Does what is posted, one piece a turn; `between` runs after each of them, where events are taken in."""

    def __init__(self, between: Callable[[], None] = lambda: None) -> None:
        self._between = between
        self._posted: list[Callable[[], None]] = []
        self._busy = False
        self.turns = 0

    def post(self, work: Callable[[], None]) -> None:
        self._posted.append(work)
        if self._busy:
            return
        self._busy = True
        while self._posted:
            self.turns += 1
            try:
                self._posted.pop(0)()
            except ZeroDivisionError:
                pass  # as the loop does, which logs it
            self._between()
        self._busy = False


def tracker_with(calls: int) -> Tracker:
    tracker = Tracker(dict)
    for number in range(calls):
        tracker.handle(new_channel(number))
    return tracker


def new_channel(number: int) -> ami.Newchannel:
    channel = f"PJSIP/{number}-0001"
    return ami.Newchannel(f"1795430727.{number}", channel, "Up", "123", "Somebody", "default", "s", "")


def test_ten_thousand_calls_are_read_in_pieces_and_events_come_between_them() -> None:
    tracker = tracker_with(CALLS)
    made: list[int] = []
    most_at_once = 0

    def between() -> None:  # events that waited: somebody hangs up, somebody else comes
        nonlocal most_at_once
        most_at_once = max(most_at_once, len(made))
        made.clear()
        last = CALLS - thread.turns
        tracker.handle(ami.Hangup(f"1795430727.{last}", f"PJSIP/{last}-0001", 16, "Normal Clearing"))
        tracker.handle(new_channel(CALLS + thread.turns))

    def counted() -> Iterator[LiveChannel | None]:
        for row in live_channels(tracker.table):
            made.append(1)
            yield row

    thread = AmiTurns(between)
    found = AmiReader(thread.post, at_once=AT_ONCE, within=PATIENCE).read(counted)
    assert thread.turns == CALLS // AT_ONCE + 1
    assert most_at_once == AT_ONCE
    gone = CALLS // AT_ONCE - 1  # after each piece but the last one, before it was their turn
    assert len(found) == CALLS - gone, "and who came later is not told of"
    assert found[0] == LiveChannel(
        *("1795430727.0", "", "PJSIP/0-0001", "Up", False, "123", "Somebody", "", "", "", "", ())
    )


def test_a_reading_that_fails_or_is_late_is_refused_and_the_next_one_works() -> None:
    thread = AmiTurns()
    reader = AmiReader(thread.post, within=PATIENCE)

    def failing() -> Iterator[int]:
        yield 1 // 0

    with pytest.raises(NotObeyed, match="the log says why"):
        reader.read(failing)
    with pytest.raises(NotObeyed, match=r"did not answer within 0\.1 seconds"):
        AmiReader(lambda work: None, within=0.1).read(lambda: iter([1]))
    assert AmiReader(thread.post, within=PATIENCE).read(lambda: iter([1, None, 2])) == [1, 2]


def test_nobody_reads_on_for_one_who_waits_no_more() -> None:
    posted: list[Callable[[], None]] = []
    read: list[int] = []
    with pytest.raises(NotObeyed):
        AmiReader(posted.append, within=0.01).read(lambda: iter(read))
    begun = False

    def begin() -> Iterator[int]:
        nonlocal begun
        begun = True
        return iter(())

    with pytest.raises(NotObeyed):
        AmiReader(posted.append, within=0.01).read(begin)
    for work in posted:
        work()
    assert not begun


@pytest.mark.parametrize(
    ("uniqueid", "time"),
    [
        ("1767225600.5", "2026-01-01T00:00:00+00:00"),
        ("pbx-1-1767225600.5", "2026-01-01T00:00:00+00:00"),
        ("something else", ""),
    ],
)
def test_when_a_channel_began_stands_in_its_id(uniqueid: str, time: str) -> None:
    assert began(uniqueid) == time
