"""Where log lines go: standard error, or a file that can be reopened. Main thread.

Each line names its thread, so that it is clear at once which part of the server speaks.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TextIO

from astcti_server.threads import thread_name

LOG_FORMAT = "%(asctime)s %(levelname)s [%(threadName)s] %(message)s"


def name_thread(record: logging.LogRecord) -> bool:
    """Tell a record which thread made it: the logging filter of every handler here."""
    record.threadName = thread_name()
    return True


class ReopenableFile(logging.StreamHandler[TextIO]):
    """Appends to a file; `reopen` follows a file that was moved away by log rotation."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8")
        super().__init__(self._file)

    def reopen(self) -> None:
        """Open the path anew. If that fails, lines go on into the old file and the reason is logged."""
        try:
            fresh = self.path.open("a", encoding="utf-8")
        except OSError as error:
            logging.getLogger(__name__).error("Cannot reopen the log file %s: %s", self.path, error.strerror)
            return
        old = self.setStream(fresh)
        self._file = fresh
        if old is not None:
            old.close()

    def close(self) -> None:
        """Close the file."""
        super().close()
        self._file.close()


class Logs:
    """The program's one log: level and place as the settings say."""

    def __init__(self) -> None:
        self._handler: logging.Handler | None = None
        self._file: str | None = None

    def apply(self, level: str, file: str) -> None:
        """Use this level and file (empty for standard error) from now on. Raises OSError for a bad file."""
        root = logging.getLogger()
        root.setLevel(level.upper())
        if self._handler is not None and file == self._file:
            return
        handler: logging.Handler = ReopenableFile(Path(file)) if file else logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter(LOG_FORMAT))
        handler.addFilter(name_thread)
        self.close()
        _leave_out_what_no_line_shows()
        root.addHandler(handler)
        self._handler, self._file = handler, file

    def reopen(self) -> None:
        """After log rotation: SIGUSR1."""
        if isinstance(self._handler, ReopenableFile):
            self._handler.reopen()
            logging.getLogger(__name__).info("Log file %s reopened", self._file)

    def close(self) -> None:
        """Detach from the root logger; the last thing a stop does."""
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()
            self._handler = None


def _leave_out_what_no_line_shows() -> None:
    """A record's place in the source, process and thread object cost more than the rest of it together."""
    logging._srcfile = None  # all four are logging's documented switches
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
