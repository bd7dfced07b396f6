"""Other threads ask the AMI thread what it knows; it never waits, and they not for long."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from astcti_server.ami_overview import AmiOverview, AmiOverviews
from astcti_server.queues.overview import QueuesOverview
from tests.fake.patience import PATIENCE, until

NOTHING = QueuesOverview((), ())


class AmiThread:
    """Does what is posted when it is told to."""

    def __init__(self) -> None:
        self.posted: list[Callable[[], None]] = []
        self.made = 0

    def make(self) -> AmiOverview:
        self.made += 1
        return AmiOverview(float(self.made), NOTHING, self.made, 0)

    def go(self) -> None:
        for work in [self.posted.pop() for _ in range(len(self.posted))]:
            work()


def test_who_asks_gets_the_answer_of_the_ami_thread() -> None:
    thread = AmiThread()
    overviews = AmiOverviews(lambda work: work(), thread.make, fresh=0.0)
    assert [overviews.current(), overviews.current()] == [
        AmiOverview(1.0, NOTHING, 1, 0),
        AmiOverview(2.0, NOTHING, 2, 0),
    ]


def test_a_fresh_answer_serves_everybody() -> None:
    thread = AmiThread()
    overviews = AmiOverviews(lambda work: work(), thread.make, fresh=PATIENCE)
    assert overviews.current() is overviews.current()
    assert thread.made == 1


def test_while_the_ami_thread_hangs_what_was_known_is_told_and_questions_do_not_pile_up() -> None:
    thread = AmiThread()
    overviews = AmiOverviews(thread.posted.append, thread.make, within=0.05, fresh=0.0)
    assert overviews.current() is None
    assert overviews.current() is None
    assert len(thread.posted) == 1
    thread.go()
    known = overviews.current()
    assert known is not None and known.talking == 1
    assert overviews.current() is known
    assert len(thread.posted) == 1


def test_all_who_wait_get_the_one_answer() -> None:
    thread = AmiThread()
    overviews = AmiOverviews(thread.posted.append, thread.make, within=PATIENCE, fresh=PATIENCE)
    got: list[AmiOverview | None] = []
    askers = [threading.Thread(target=lambda: got.append(overviews.current())) for _ in range(5)]
    for asker in askers:
        asker.start()
    until(lambda: thread.posted)
    thread.go()  # who comes later finds the answer fresh
    for asker in askers:
        asker.join(PATIENCE)
    assert [overview.talking if overview else 0 for overview in got] == [1] * 5


def test_an_overview_that_cannot_be_made_is_asked_for_again() -> None:
    answers: list[AmiOverview] = []

    def make() -> AmiOverview:
        return answers.pop()

    thread = AmiThread()
    overviews = AmiOverviews(thread.posted.append, make, within=0.05, fresh=0.0)
    assert overviews.current() is None
    with pytest.raises(IndexError):
        thread.go()
    answers.append(AmiOverview(1.0, NOTHING, 7, 0))
    assert overviews.current() is None
    thread.go()
    answers.append(AmiOverview(1.0, NOTHING, 7, 0))
    found = overviews.current()
    assert found is not None and found.talking == 7
