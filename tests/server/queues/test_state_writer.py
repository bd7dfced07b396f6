"""The thread that writes the list of members, and what waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from astcti_server.queues.kept_wishes import KeptLeftQueues, KeptPauses
from astcti_server.queues.owned_members import OwnedMembers
from astcti_server.queues.state_file import NOTHING_SAVED, SavedQueues, StateFile
from astcti_server.queues.state_writer import StateWriter
from tests.fake.clock import TimerWheel
from tests.fake.patience import PATIENCE, until
from tests.fake.queue_link import FakeLink

ONE = SavedQueues({("astcti", "PJSIP/201"): "mario"}, {})
TWO = SavedQueues({**ONE.members, ("astcti", "PJSIP/202"): "luigi"}, {})


class SlowDisk(StateFile):
    """Each writing begins, and then waits until it is let through."""

    def __init__(self, directory):
        super().__init__(directory)
        self.begun = threading.Semaphore(0)
        self.let = threading.Semaphore(0)
        self.written = []

    def save(self, saved):
        self.begun.release()
        assert self.let.acquire(timeout=PATIENCE)
        self.written.append(saved)
        return super().save(saved)


@pytest.fixture
def disk(tmp_path):
    return SlowDisk(tmp_path)


@pytest.fixture
def writer(disk):
    writer = StateWriter(disk)
    writer.start()
    yield writer
    disk.let.release(100)
    writer.stop()
    writer.join(PATIENCE)
    assert not writer.is_alive()


def test_who_hands_over_a_list_does_not_wait_and_is_told_when_it_is_on_the_disk(disk, writer):
    told = threading.Event()
    writer.save(ONE, told.set)
    assert disk.begun.acquire(timeout=PATIENCE)
    assert not told.is_set()
    disk.let.release()
    assert told.wait(PATIENCE)
    assert disk.load() == ONE


def test_lists_that_come_while_one_is_written_are_one_writing(disk, writer):
    told = threading.Semaphore(0)
    writer.save(ONE, told.release)
    assert disk.begun.acquire(timeout=PATIENCE)
    for saved in (TWO, NOTHING_SAVED, TWO):
        writer.save(saved, told.release)
    disk.let.release(2)
    for _ in range(4):
        assert told.acquire(timeout=PATIENCE)
    assert disk.written == [ONE, TWO]


def test_what_was_handed_over_before_the_stop_is_written(disk, writer):
    writer.save(ONE, lambda: None)
    assert disk.begun.acquire(timeout=PATIENCE)
    writer.save(TWO, lambda: None)
    writer.stop()
    disk.let.release(2)
    writer.join(PATIENCE)
    assert disk.load() == TWO


class HeldState:
    """Writes nothing; the test says when a writing is over."""

    def __init__(self):
        self.done: list[Callable[[], None]] = []

    def load(self):
        return NOTHING_SAVED

    def save(self, saved, done):
        self.done.append(done)


def test_a_member_whose_writing_is_under_way_is_not_added_yet():
    wheel, state = TimerWheel(), HeldState()
    added: list[str] = []
    owned = OwnedMembers(
        FakeLink(wheel), state, {}, KeptPauses({}, wheel.clock), KeptLeftQueues({}, wheel.clock)
    )
    key = ("astcti", "PJSIP/201")
    owned.add(key, "mario", lambda: added.append("first"))
    wheel.advance()
    owned.add(key, "mario", lambda: added.append("second"))
    wheel.advance()
    assert added == []
    for done in state.done:
        done()
    assert added == ["first", "second"]
    owned.add(key, "mario", lambda: added.append("third"))
    assert added == ["first", "second", "third"]


def test_a_list_that_could_not_be_written_is_tried_again_until_it_is(tmp_path):
    file = StateFile(tmp_path)
    file.path.mkdir()  # in the way, also for root
    writer = StateWriter(file, again=0.05)
    writer.start()
    told = threading.Event()
    writer.save(ONE, told.set)
    assert told.wait(PATIENCE), "whoever waits goes on even so"
    assert writer.failure.startswith(f"{file.path}: ")
    file.path.rmdir()
    until(lambda: not writer.failure, "it is not tried again")
    assert file.load() == ONE
    writer.stop()
    writer.join(PATIENCE)
    assert not writer.is_alive()
