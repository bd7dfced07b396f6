"""A fake Asterisk, and a link to it, for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.fake.asterisk import FakeAsterisk
from tests.fake.link_listener import FakeListener
from tests.fake.running_link import Ami, running


@pytest.fixture
def asterisk() -> Iterator[FakeAsterisk]:
    with FakeAsterisk() as fake:
        yield fake


@pytest.fixture
def listener() -> FakeListener:
    return FakeListener()


@pytest.fixture
def run(asterisk: FakeAsterisk, listener: FakeListener) -> Callable[..., AbstractContextManager[Ami]]:
    """Run a link to the fake Asterisk; keyword arguments as for `Ami`."""

    def run_link(**more: Any) -> AbstractContextManager[Ami]:
        return running(asterisk.port, listener, **more)

    return run_link
