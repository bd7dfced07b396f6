"""What every test gets: no thread outlives its test, and no property is judged by how long it took."""

import _thread
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

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
    database=None if IN_CI else settings().database,
)
settings.load_profile("facts")

# A program that is started with SIGHUP ignored (nohup) goes on ignoring it, as it should. Some tests send it
# to programs that they start: these must not inherit how the tests themselves were started.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

if (trace := threading.gettrace()) is not None:
    # Coverage hears of the threads that `threading` starts. The handlers of clients are started without it.
    start_new_thread = _thread.start_new_thread

    def start_traced_thread(function: Callable[..., object], arguments: tuple[object, ...]) -> int:
        def traced() -> None:
            sys.settrace(trace)
            function(*arguments)

        return start_new_thread(traced, ())

    _thread.start_new_thread = start_traced_thread  # type: ignore[assignment]


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
