"""The few threads that compute what is slow on purpose: scrypt, and the keys of SCRAM.

A client's own thread never computes it: a thousand of them at once would take 16 MiB each, and the one with
the right password would wait for all the wrong ones. It asks here, waits in its `poll`, and is woken.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from astcti_server.clients.password_checks.fair_queue import FairQueue
from astcti_server.threads import Died, ServiceThread

MOST_THREADS: Final = 4
"""However many processors there are: each computes with 16 MiB (128 at most), and calls come first."""

ComputedT = TypeVar("ComputedT")


class Computation(Generic[ComputedT]):
    """One thing to compute, and what came of it. Made by `PasswordPool.compute`; any thread."""

    def __init__(
        self, address: str, name: str, work: Callable[[], ComputedT], finished: Callable[[], None]
    ) -> None:
        self.address = address
        self.name = name
        self._work = work
        self._finished = finished
        self._result: ComputedT | None = None
        self._error: Exception | None = None
        self._done = False

    @property
    def done(self) -> bool:
        """Whether `result` has something to say."""
        return self._done

    def result(self) -> ComputedT:
        """What was computed. Raises what the computing raised; RuntimeError before it is done."""
        if not self._done:
            raise RuntimeError("this is not computed yet")
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # set whenever it is done without an error

    def run(self) -> None:
        """Compute, then tell who waits. An error belongs to who waits, not to the thread that computes."""
        try:
            self._result = self._work()
        except Exception as error:  # noqa: BLE001  # raised again where the result is asked for
            self._error = error
        self._done = True
        self._finished()


class PasswordPool:
    """Computes for the clients' threads, in fair turns by address and user name. Any thread.

    What waits is bounded by the connections: each waits for one thing at a time, and what nobody waits for
    any more is taken out with `forget`.
    """

    def __init__(self, died: Died | None = None, threads: int = 0) -> None:
        """`died` is told if a thread dies. `threads`: how many; 0 is one a processor, a few at most."""
        self._changed = threading.Condition()
        self._queue: FairQueue[Computation[Any]] = FairQueue()
        count = threads or min(os.cpu_count() or 1, MOST_THREADS)
        self.threads = tuple(
            _PasswordThread(f"password-{number}", self, died) for number in range(1, count + 1)
        )
        """To be started, stopped and joined by whoever made the pool."""

    def start(self) -> None:
        """Begin to compute. Once."""
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Begin nothing more. What is being computed goes on to its end; what waits is never computed."""
        for thread in self.threads:
            thread.stop()

    @property
    def waiting(self) -> int:
        """How many computations wait for their turn."""
        with self._changed:
            return len(self._queue)

    def compute(
        self,
        address: str,
        name: str,
        work: Callable[[], ComputedT],
        finished: Callable[[], None],
        *,
        suspect: bool = False,
    ) -> Computation[ComputedT]:
        """Have `work` done by one of the threads, then `finished` called there, which has to be quick.

        A `suspect` comes after the others: wrong passwords came from there.
        """
        computation = Computation(address, name, work, finished)
        with self._changed:
            self._queue.put(address, name, computation, suspect=suspect)
            self._changed.notify()
        return computation

    def forget(self, computation: Computation[ComputedT]) -> None:
        """Nobody waits for it any more."""
        with self._changed:
            self._queue.remove(computation.address, computation.name, computation)

    # -- the pool's threads ----------------------------------------------------------------------------------

    def next(self, stopping: threading.Event) -> Computation[Any] | None:
        """Wait for the one whose turn it is; None once `stopping` is set."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._queue) or stopping.is_set())
            if stopping.is_set():
                return None
            return self._queue.take()

    def rouse(self) -> None:
        """Have each thread look whether it shall stop."""
        with self._changed:
            self._changed.notify_all()


class _PasswordThread(ServiceThread):
    def __init__(self, name: str, pool: PasswordPool, died: Died | None) -> None:
        super().__init__(name, died)
        self._pool = pool

    def serve(self) -> None:
        while (computation := self._pool.next(self.stopping)) is not None:
            computation.run()

    def wake(self) -> None:
        self._pool.rouse()
