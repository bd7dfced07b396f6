"""What every test gets: no thread outlives its test."""

import threading
import time
from collections.abc import Iterator

import pytest

THREADS_MAY_TAKE = 5.0  # seconds a stopped thread may need to be gone


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    """Fail a test whose threads still live after it."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREADS_MAY_TAKE
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("pytest_timeout"):
            continue
        thread.join(max(0.0, deadline - time.monotonic()))
        assert not thread.is_alive(), f"thread {thread.name} outlived the test"
