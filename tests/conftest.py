"""What every test gets: no thread outlives its test, and no property is judged by how long it took."""

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.fake.patience import PATIENCE
from tests.needed import IN_CI

# In CI the same examples every time: what is found there has to be found again.
settings.register_profile(
    "facts",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=IN_CI,
    database=None if IN_CI else settings.default.database,
)
settings.load_profile("facts")


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    """Fail a test whose threads still live after it."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + PATIENCE
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("pytest_timeout"):
            continue
        thread.join(max(0.0, deadline - time.monotonic()))
        assert not thread.is_alive(), f"thread {thread.name} outlived the test"
