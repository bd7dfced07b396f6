"""Where log lines go: standard error, or a file that can be reopened. Main thread.

Each line names its thread, so that it is clear at once which part of the server speaks.
"""

from __future__ import annotations

import logging
import threading
from io import FileIO
from pathlib import Path

from astcti_server.recent_log import RecentLog
from astcti_server.threads import thread_name
from schemas.log_lines import LineFormatter, LineHandler, standard_error
from schemas.log_repeats import RepeatedLines
from schemas.own_files import open_appended

LEVELS = ("debug", "info", "warning", "error")
LOG_FORMAT = "%(asctime)s %(levelname)s [%(threadName)s] %(message)s"


def name_thread(record: logging.LogRecord) -> bool:
    """Tell a record which thread made it: the logging filter of every handler here."""
    record.threadName = thread_name()
    return True


class ReopenableFile(LineHandler):
    """Appends to a file; `reopen` follows a file that was moved away by log rotation."""

    def __init__(self, path: Path) -> None:
        """Raises OSError if it cannot be opened."""
        super().__init__(_appending(path), f"astcti-server: the log file {path}", RepeatedLines())
        self._path = path

    def reopen(self) -> None:
        """Open the path anew. If that fails, lines go on into the old file and the reason is logged."""
        try:
            fresh = _appending(self._path)
        except OSError as error:
            logging.getLogger(__name__).error("Cannot reopen the log file %s: %s", self._path, error.strerror)
            return
        self.write_to(fresh)


class Logs:
    """The program's one log: level and place as the settings say."""

    def __init__(self) -> None:
        self.recent = RecentLog(LOG_FORMAT)
        """The last lines, for reports. Attached with the first `apply`."""
        self.recent.addFilter(name_thread)
        self._handler: LineHandler | None = None
        self._file: str | None = None
        self._lock = threading.Lock()
        self._configured = ""
        self._override = ""

    @property
    def level(self) -> str:
        """The level in force: one of `LEVELS`. Any thread."""
        with self._lock:
            return self._override or self._configured

    @property
    def configured(self) -> str:
        """The level that is in force unless another one was asked for. Any thread."""
        return self._configured

    def override(self, level: str) -> None:
        """Use this level, whatever is configured, until `end_override`. Any thread."""
        with self._lock:
            self._override = level
            self._use_level()

    def end_override(self) -> None:
        """Use the configured level again. Any thread."""
        self.override("")

    def _use_level(self) -> None:
        logging.getLogger().setLevel((self._override or self._configured).upper())

    def apply(self, level: str, file: str) -> None:
        """Use this level (of `LEVELS`) and file (empty for standard error) from now on.

        Raises OSError for a bad file. Main thread, as all that follows.
        """
        with self._lock:
            self._configured = level.lower()
            self._use_level()
        root = logging.getLogger()
        if self._handler is not None and file == self._file:
            return
        if file:
            handler: LineHandler = ReopenableFile(Path(file))
        else:
            handler = LineHandler(standard_error(), repeats=RepeatedLines())
        handler.setFormatter(LineFormatter(LOG_FORMAT))
        handler.addFilter(name_thread)
        self.close()
        _leave_out_what_no_line_shows()
        root.addHandler(handler)
        root.addHandler(self.recent)  # adding it once more does nothing
        self._handler, self._file = handler, file

    def reopen(self) -> None:
        """After log rotation: SIGUSR1."""
        if isinstance(self._handler, ReopenableFile):
            self._handler.reopen()
            logging.getLogger(__name__).info("Log file %s reopened", self._file)

    def tell_repeats(self) -> None:
        """Write how often lines came that were not written. To be called every few seconds."""
        if self._handler is not None:
            self._handler.tell_repeats()

    def close(self) -> None:
        """Detach from the root logger; the last thing a stop does."""
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()
            self._handler = None
        logging.getLogger().removeHandler(self.recent)


def _appending(path: Path) -> FileIO:
    """Open the log: callers' numbers are in it, for its user and group alone."""
    return open(path, "ab", buffering=0, opener=lambda name, _flags: open_appended(name))


def _leave_out_what_no_line_shows() -> None:
    """A record's place in the source, process and thread object cost more than the rest of it together."""
    logging._srcfile = None  # all four are logging's documented switches
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
