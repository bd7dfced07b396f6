"""File events of one directory, turned into a single sign that something may have changed.

The only module that imports watchdog. Its own threads only give that sign: an exception in a handler would
end them unnoticed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

logger = logging.getLogger(__name__)

THREADS_NAME = "config-events"
"""The name of all of watchdog's threads."""

_OF_READING = ("opened", "closed_no_write")
"""Files that are only read cause these: looking would cause the next look."""
_OF_THE_DIRECTORY = (events.DirDeletedEvent, events.DirMovedEvent)


class _Handler(events.FileSystemEventHandler):
    def __init__(self, directory: str, notice: Callable[[], None]) -> None:
        self._directory = directory
        self._notice = notice
        self.lost = threading.Event()
        """Set once the directory itself is gone; another one may have its inode."""

    def on_any_event(self, event: events.FileSystemEvent) -> None:
        if event.src_path == self._directory and isinstance(event, _OF_THE_DIRECTORY):
            self.lost.set()
        if event.event_type not in _OF_READING:
            self._notice()


class FileEvents:
    """Watches a directory as long as it can; one thread at a time calls it."""

    def __init__(self, directory: Path, notice: Callable[[], None]) -> None:
        """`notice` is called on watchdog's thread, has to be quick and may not raise."""
        logging.getLogger("watchdog").setLevel(logging.WARNING)  # it logs every event, reading included
        self._directory = directory
        self._handler = _Handler(str(directory), notice)
        self._observer: BaseObserver | None = None
        self._identity: tuple[int, int] | None = None

    def follow(self, identity: tuple[int, int] | None) -> None:
        """Watch the directory of this identity, if it is not the one being watched. None: there is none."""
        if identity == self._identity and not self._handler.lost.is_set():
            return
        self.stop()
        self._handler.lost.clear()
        self._identity = identity
        if identity is None:
            return
        try:
            self._start()
        except Exception as error:  # noqa: BLE001 - whatever watchdog raises, looking now and then goes on
            self.stop()
            self._identity = identity
            logger.warning(
                "no file events for %s (%s): looking at it twice a second instead; "
                "more inotify instances help (sysctl fs.inotify.max_user_instances)",
                self._directory,
                error,
            )

    def stop(self) -> None:
        """End watchdog's threads."""
        observer, self._observer, self._identity = self._observer, None, None
        if observer is None:
            return
        observer.stop()
        if observer.is_alive():
            observer.join()

    def _start(self) -> None:
        observer = self._observer = Observer()
        observer.schedule(self._handler, str(self._directory))
        observer.start()
        for thread in threading.enumerate():
            if type(thread).__module__.startswith("watchdog."):
                thread.name = THREADS_NAME
