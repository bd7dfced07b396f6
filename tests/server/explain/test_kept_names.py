"""Explanations that look through what a server kept of Asterisk's words."""

from __future__ import annotations

from collections.abc import Iterator

from astcti_server.explain.kept_names import NamesKept
from tests.fake.clock import FakeClock
from tests.server.explain.conftest import transcript

BLOCKS = [
    b"Event: Newchannel\r\nChannel: PJSIP/a-1\r\nUniqueid: 1.1",
    b"Event: Newchannel\r\nUniqueid: 1.2\r\nLinkedid: 1.1",
    b"Event: VarSet\r\nUniqueid: 1.1\r\nVariable: calldatax\r\nValue: 7",
    b"Event: Newexten\r\nContext: sales\r\nUniqueid: 1.2\r\nApplication: Wait\r\nAppData: 1",
]


def test_channels_that_are_kept_from_their_begin_tell_their_names() -> None:
    looks = []

    def blocks() -> Iterator[bytes]:
        looks.append(1)
        yield from BLOCKS

    names = NamesKept(blocks, "cp1252", FakeClock())
    heard = names(frozenset({"1.1", "1.2"}))
    assert heard is not None
    assert (heard.contexts, heard.variables, heard.dialplan) == (("sales",), ("calldatax",), True)
    assert names(frozenset({"1.1", "1.2"})) is heard
    assert len(looks) == 1, "everything is unpacked once for one call"


def test_a_channel_whose_begin_is_gone_is_not_judged_by_the_rest() -> None:
    assert NamesKept(lambda: BLOCKS[1:], "cp1252", FakeClock())(frozenset({"1.1"})) is None


def test_what_takes_too_long_is_given_up() -> None:
    clock = FakeClock()

    def slow() -> Iterator[bytes]:
        for _ in range(3000):
            clock.go_on(0.01)
            yield BLOCKS[0]

    names = NamesKept(slow, "cp1252", clock)
    assert names(frozenset({"1.1"})) is None
    assert names(frozenset({"1.2"})) is None


def test_a_recorded_call_is_whole() -> None:
    blocks = transcript("22-queue-ringall").split(b"\r\n\r\n")
    begun = next(block for block in blocks if block.startswith(b"Event: Newchannel"))
    uniqueid = begun.partition(b"Uniqueid: ")[2].partition(b"\r\n")[0].decode()
    heard = NamesKept(lambda: blocks, "cp1252", FakeClock())(frozenset({uniqueid}))
    assert heard is not None
    assert heard.contexts
