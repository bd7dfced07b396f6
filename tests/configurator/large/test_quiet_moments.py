"""Garbage is looked for when nobody waits for a page."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time

import pytest
from django.test import Client

from configurator.web import middleware
from configurator.web.memory import LONGEST, MUCH, QUIET, MemoryOfAnswers, QuietMoments, memory_of_answers
from tests.fake.patience import PATIENCE


def test_it_is_time_once_after_requests_and_a_second_in_which_nobody_waits() -> None:
    now = 100.0
    moments = QuietMoments(lambda: now)
    assert not moments.take(), "there was no request"
    with moments.answering():
        now += 10
        assert not moments.take(), "somebody waits"
    assert not moments.take(), "the next page is asked for at once"
    now += QUIET
    assert moments.take()
    assert not moments.take(), "there was no other request"
    with moments.answering(), moments.answering():
        pass
    now += QUIET
    assert moments.take()


def test_where_it_is_never_quiet_it_is_time_after_a_quarter_of_an_hour() -> None:
    now = 100.0
    moments = QuietMoments(lambda: now)
    with moments.answering():
        now += LONGEST - 1
        with moments.answering():
            assert not moments.take()
        now += 1
        assert moments.take()
        assert not moments.take()


def test_whoever_asks_for_a_page_waits(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    moments = QuietMoments(lambda: now)
    monkeypatch.setattr(middleware, "quiet_moments", moments)
    seen: list[bool] = []

    def look() -> bool:
        seen.append(moments.take())
        return False

    monkeypatch.setattr(memory_of_answers, "give_back", look)
    now += QUIET
    assert admin.get("/operators/").status_code == 200
    assert seen == [False]
    now += QUIET
    assert moments.take()


def test_garbage_is_looked_for_at_once_where_much_more_stays_than_after_the_last_time() -> None:
    left = iter(
        [300, 0, 300 + MUCH - 1, 200, 0, 200 + MUCH, 250, 250 + MUCH - 1, 250 + MUCH, 0, 250 + 2 * MUCH]
    )
    collected: list[int] = []
    memory = MemoryOfAnswers(lambda: next(left), lambda: collected.append(len(collected)))
    counts = []
    for _ in range(8):
        memory.give_back()
        counts.append(len(collected))
    assert counts == [0, 0, 0, 0, 0, 1, 1, 2]


COLLECTED = textwrap.dedent(
    """
    import gc, threading, weakref
    from configurator.web import memory

    class Knot:
        def __init__(self):
            self.itself = self
            self.gone = threading.Event()
            weakref.finalize(self, self.gone.set)

    memory.LOOK = memory.QUIET = 0.01
    gc.disable()
    memory.collect_in_quiet_moments()
    gone = Knot().gone
    with memory.quiet_moments.answering():
        pass
    print(gone.wait(PATIENCE), gc.get_threshold(), gc.get_freeze_count() > 1000)
    """
)


def test_a_thread_collects_then_and_what_was_read_at_the_start_is_looked_at_no_more() -> None:
    """In a process of its own, whose garbage nobody else collects."""
    code = COLLECTED.replace("PATIENCE", str(PATIENCE))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split(maxsplit=1) == ["True", "(2000, 10, 1000) True\n"], done.stderr
