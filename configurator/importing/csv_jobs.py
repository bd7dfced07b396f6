"""Imports that compute many passwords: they run in a thread of their own, and say how far they are.

A job lives in this process alone. Where the process ends before it is done, nothing is stored: all rows or
none.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from django.db import connections
from django.utils import translation

logger = logging.getLogger(__name__)
MOST_JOBS = 20
"""Jobs that are remembered, the outcome of the older ones being forgotten first."""
MOST_AT_ONCE = 2
"""Jobs that run: each keeps all processors busy."""

Progress = Callable[[int, int], None]
_running = threading.BoundedSemaphore(MOST_AT_ONCE)


class ImportJob:
    """One import on its way. Any thread."""

    def __init__(self, userid: str) -> None:
        self.key = secrets.token_urlsafe(12)
        self.userid = userid
        """Whose it is: nobody else is told of it."""
        self._lock = threading.Lock()
        self._done, self._total = 0, 0
        self._outcome: dict[str, Any] | None = None

    def advance(self, done: int, total: int) -> None:
        """So many of so many passwords are computed."""
        with self._lock:
            self._done, self._total = done, total

    def finish(self, outcome: dict[str, Any]) -> None:
        """There is an outcome, as the page shows it."""
        with self._lock:
            self._outcome = outcome

    def progress(self) -> tuple[int, int]:
        """How many of how many."""
        with self._lock:
            return self._done, self._total

    def outcome(self) -> dict[str, Any] | None:
        """What came of it; None while it runs."""
        with self._lock:
            return self._outcome


class ImportJobs:
    """The jobs of this process. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, ImportJob] = OrderedDict()

    def start(self, userid: str, run: Callable[[Progress], dict[str, Any]], failed: str) -> ImportJob:
        """Let `run` work in a thread, in this thread's language; `failed` is what is said if it cannot."""
        job = ImportJob(userid)
        language = translation.get_language()
        with self._lock:
            self._jobs[job.key] = job
            while len(self._jobs) > MOST_JOBS:
                self._jobs.popitem(last=False)

        def work() -> None:
            with _running, translation.override(language):
                try:
                    job.finish(run(job.advance))
                except Exception:
                    logger.exception("an import failed")
                    job.finish({"error": failed})
                finally:
                    connections.close_all()

        threading.Thread(target=work, name="csv-import", daemon=True).start()
        return job

    def find(self, key: str, userid: str) -> ImportJob | None:
        """A job of this user."""
        with self._lock:
            job = self._jobs.get(key)
        return job if job is not None and job.userid == userid else None


JOBS = ImportJobs()
