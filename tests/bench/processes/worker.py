"""Processes of the bench: each owns one object, whose methods the bench calls over a pipe.

While no method runs, the process serves the object's sockets, so that a fake Asterisk answers actions and
clients read their lines in between.
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from selectors import BaseSelector
from typing import Any, Protocol

JOIN_WITHIN = 5.0  # seconds


class Served(Protocol):
    """An object that lives in a process of its own."""

    selector: BaseSelector
    """What the object waits for."""

    def turn(self) -> None:
        """Serve the sockets that are ready; never waits."""

    def close(self) -> None:
        """Close everything; called once, at the end."""


class WorkerFailed(Exception):
    """A method failed in the other process; the text is its traceback."""


class Worker:
    """The bench's end of the pipe; a context manager. One call at a time; several workers may be busy."""

    def __init__(self, make: Callable[..., Served], *arguments: Any) -> None:
        """Start the process; `make(*arguments)` builds its object there."""
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_work, args=(there, make, arguments), daemon=True)
        self._process.start()
        there.close()

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process.pid is not None  # it was started
        return self._process.pid

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def begin(self, method: str, *arguments: Any) -> None:
        """Start a call."""
        self._pipe.send((method, arguments))

    def result(self, timeout: float = 120.0) -> Any:
        """What the call that was started returned. Raises WorkerFailed."""
        if not self._pipe.poll(timeout):
            raise WorkerFailed(f"no answer in {timeout:.0f} s")
        try:
            ok, value = self._pipe.recv()
        except EOFError:
            raise WorkerFailed("the process died") from None
        if not ok:
            raise WorkerFailed(value)
        return value

    def call(self, method: str, *arguments: Any, timeout: float = 120.0) -> Any:
        """Call and wait."""
        self.begin(method, *arguments)
        return self.result(timeout)

    def stop(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(JOIN_WITHIN)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


def _work(pipe: Connection, make: Callable[..., Served], arguments: tuple[Any, ...]) -> None:
    served = make(*arguments)
    try:
        while True:
            for ready in wait([pipe, served.selector]):  # type: ignore[list-item]  # an epoll has a descriptor
                if ready is pipe:
                    method, given = pipe.recv()
                    pipe.send(_call(served, method, given))
                else:
                    served.turn()
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        pass
    finally:
        served.close()


def _call(served: Served, method: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    try:
        return True, getattr(served, method)(*arguments)
    except Exception:
        return False, traceback.format_exc()
