"""Waking a thread that polls, on systems with an eventfd and on those without."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

import pytest

from astcti_server.clients.wake import Wake


@pytest.fixture(params=["eventfd", "pipe"])
def wake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wake]:
    if request.param == "pipe":
        monkeypatch.delattr(os, "eventfd", raising=False)
    elif not hasattr(os, "eventfd"):
        pytest.skip("no eventfd on this system")
    made = Wake()
    yield made
    made.close()


def is_woken(wake: Wake) -> bool:
    return bool(select.select([wake.fileno()], [], [], 0)[0])


def test_one_or_many_wake_ups_are_one(wake: Wake) -> None:
    assert not is_woken(wake)
    wake.set()
    wake.set()
    assert is_woken(wake)
    wake.drain()
    assert not is_woken(wake)
    wake.drain()  # nothing is there, and nobody waits for it
    wake.set()
    assert is_woken(wake)


def test_a_thread_that_never_looks_makes_nobody_wait(wake: Wake) -> None:
    for _ in range(20_000):  # more than a pipe holds
        wake.set()
    assert is_woken(wake)
    wake.drain()
