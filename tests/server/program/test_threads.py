"""Service threads end in order, or say that they did not."""

import logging
import queue
import threading

import pytest

from astcti_server.threads import ServiceThread
from tests.fake.patience import PATIENCE


class Waiting(ServiceThread):
    """Serves until stopped."""

    def serve(self) -> None:
        assert self.stopping.wait(PATIENCE)


class Failing(ServiceThread):
    """Dies of what it is given."""

    def __init__(self, error: BaseException, died=None) -> None:
        super().__init__("failing", died)
        self.error = error

    def serve(self) -> None:
        raise self.error


class Idle(ServiceThread):
    """Returns at once."""

    def serve(self) -> None:
        return None


def test_a_thread_is_named_by_its_role_and_is_not_a_daemon() -> None:
    thread = Waiting("config")
    assert (thread.name, thread.daemon) == ("config", False)


def test_a_stopped_thread_ends_without_a_report() -> None:
    deaths: queue.SimpleQueue[tuple[str, BaseException]] = queue.SimpleQueue()
    thread = Waiting("config", lambda name, error: deaths.put((name, error)))
    thread.start()
    thread.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert deaths.empty()


def test_stopping_before_the_start_makes_the_thread_end_at_once() -> None:
    thread = Waiting("config")
    thread.stop()
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize("error", [ValueError("no such call"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_ends_a_thread_is_logged_with_its_traceback_and_reported(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    deaths: queue.SimpleQueue[tuple[str, BaseException]] = queue.SimpleQueue()
    with caplog.at_level(logging.CRITICAL):
        thread = Failing(error, lambda name, error: deaths.put((name, error)))
        thread.start()
        thread.join(PATIENCE)
    assert deaths.get(timeout=PATIENCE) == ("failing", error)
    (record,) = caplog.records
    assert record.levelno == logging.CRITICAL
    assert record.exc_info is not None and record.exc_info[1] is error


def test_a_thread_that_returns_unasked_is_reported_as_dead() -> None:
    deaths: queue.SimpleQueue[tuple[str, BaseException]] = queue.SimpleQueue()
    thread = Idle("idle", lambda name, error: deaths.put((name, error)))
    thread.start()
    thread.join(PATIENCE)
    name, error = deaths.get(timeout=PATIENCE)
    assert name == "idle"
    assert "nobody asked" in str(error)


def test_stop_wakes_a_thread_that_waits_on_something_else() -> None:
    class Mailbox(ServiceThread):
        def __init__(self) -> None:
            super().__init__("mailbox")
            self.post: queue.SimpleQueue[None] = queue.SimpleQueue()
            self.entered = threading.Event()

        def serve(self) -> None:
            self.entered.set()
            self.post.get()

        def wake(self) -> None:
            self.post.put(None)

    thread = Mailbox()
    thread.start()
    assert thread.entered.wait(PATIENCE)
    thread.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()
