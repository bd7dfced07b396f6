"""The lines of a log, for all three programs: a line for each record, and a full disk does no harm.

A name that somebody else chose (a file's, a user's, a header's value) could otherwise end a line and begin
another one that the program never wrote. Standard library only. Any thread.
"""

from __future__ import annotations

import logging
import sys
from io import FileIO
from typing import Final

from schemas.log_repeats import RepeatedLines

INDENT: Final = "    "
"""Before each line of a traceback: what stands at the left edge was written by the program itself."""
STANDARD_ERROR: Final = 2


def harmless(text: str) -> str:
    """The text with everything a terminal could obey, and every line break, written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "backslashreplace").decode()
        for character in text
    )


class LineFormatter(logging.Formatter):
    """Makes one line of a record; a traceback follows in lines of its own, each indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """The line, with every control character written as an escape."""
        return harmless(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 (logging's name)
        """The traceback. The text of an exception often has a name of somebody else's in it."""
        return _indented(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 (logging's name)
        """The stack, where a record asks for it."""
        return _indented(super().formatStack(stack_info))


class LineHandler(logging.Handler):
    """Appends each record to a file. What cannot be written is lost, and that is told when it can be again.

    Unbuffered: a buffer would keep the rest of a line, and bring the failure up again at the program's end.
    """

    def __init__(self, file: FileIO, what: str = "", repeats: RepeatedLines | None = None) -> None:
        """`file` is closed by `close`. `what` names it in the one line that standard error gets when it
        cannot be written; empty if it is standard error itself. `repeats` counts lines instead of writing.
        """
        super().__init__()
        self._file = file
        self._what = what
        self._repeats = repeats
        self._lost = 0
        self._cut = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, unless it is one of many and counted instead."""
        try:
            if self._repeats is not None:
                self._write_counts(self._repeats.due())
                if not self._repeats.passes(record):
                    return
            self._write(self.format(record))
        except Exception:  # noqa: BLE001 (it cannot be formatted: our mistake, shown as logging does)
            self.handleError(record)

    def tell_repeats(self) -> None:
        """Write the counts that are due. To be called now and then, or they wait for the next record."""
        if self._repeats is None:
            return
        self.acquire()
        try:
            self._write_counts(self._repeats.due())
        finally:
            self.release()

    def write_to(self, file: FileIO) -> None:
        """Go on with another file, and close the one before."""
        self.acquire()
        try:
            self._file.close()
            self._file, self._cut = file, False
        finally:
            self.release()

    def close(self) -> None:
        """Write the counts of what was not written, and close the file."""
        self.acquire()
        try:
            if not self._file.closed:
                if self._repeats is not None:
                    self._write_counts(self._repeats.all())
                self._file.close()
        finally:
            self.release()
        super().close()

    # -- under the handler's lock --------------------------------------------------------------------------

    def _write_counts(self, records: list[logging.LogRecord]) -> None:
        for record in records:
            self._write(self.format(record))

    def _write(self, text: str) -> None:
        if self._lost:
            text = f"{self.format(_lost_lines(self._lost))}\n{text}"
        data = f"{text}\n".encode("utf-8", "backslashreplace")
        if self._cut:
            data = b"\n" + data
        try:
            while data:
                written = self._file.write(data)
                if not written:  # None: it would block
                    raise BlockingIOError("nobody reads it")
                self._cut = written < len(data)
                data = data[written:]
        except (OSError, ValueError) as error:  # ValueError: closed, by whoever it belongs to
            self._lose(error)
        else:
            self._lost = 0

    def _lose(self, error: OSError | ValueError) -> None:
        self._lost += 1
        if self._lost == 1 and self._what and sys.stderr is not None:
            reason = getattr(error, "strerror", None) or error
            try:
                print(harmless(f"{self._what} cannot be written: {reason}"), file=sys.stderr, flush=True)
            except (OSError, ValueError):
                pass  # nobody is left to be told


def standard_error() -> FileIO:
    """Standard error without its buffer; closing it closes nothing."""
    try:
        return FileIO(sys.stderr.fileno(), "wb", closefd=False)
    except (AttributeError, OSError, ValueError):  # there is none, or something took its place
        return FileIO(STANDARD_ERROR, "wb", closefd=False)


def log_to_standard_error(level: int, line_format: str) -> None:
    """The simplest log, for a command: lines on standard error as its encoding has them."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(line_format))
    logging.basicConfig(level=level, handlers=[handler])


def _indented(text: str) -> str:
    return "\n".join(INDENT + harmless(line) for line in text.splitlines())


def _lost_lines(count: int) -> logging.LogRecord:
    text = "%d line%s of this log could not be written and %s lost"
    args = (count, "", "is") if count == 1 else (count, "s", "are")
    record = logging.LogRecord(__name__, logging.WARNING, "", 0, text, args, None)
    record.threadName = "log"
    return record
