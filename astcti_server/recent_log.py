"""The last lines of the log, in memory, for reports: without what a report must not hold. Any thread."""

from __future__ import annotations

import logging
import re
from collections import deque
from typing import Final, NamedTuple

from schemas.log_lines import LineFormatter

MOST_LINES: Final = 2000
LONGEST: Final = 1000
"""Characters of a line; a traceback has some of them."""
_LEFT_OUT: Final = ("astcti_server.control.audit", "astcti_server.audit")
"""Who asked what of the server: no part of a report on a call."""
_SECRETS: Final = re.compile(
    r"(?i)(\b(?:PASS|SCRAM)[ ]+)\S+(?:[ ]+\S+)*"
    r"|(\b(?:secret|password|key|challenge)\b['\"]?[ ]*[:=][ ]*)['\"]?[^\s'\",)]+"
    r"|(\b(?:md5|scrypt):)[0-9A-Za-z+/=:$,.-]+"
    r"|(\b[0-9]{4,7}):[A-Za-z0-9+/=]{8,}:[A-Za-z0-9+/=]{20,}:[A-Za-z0-9+/=]{20,}"
)
_RAW_BYTES: Final = re.compile(r"\bb(['\"]).*?(?<!\\)\1")
"""A message of Asterisk's as Python writes it: it may hold any variable."""


class LogLine(NamedTuple):
    """One record."""

    time: float
    text: str
    """As the log has it, but for secrets."""
    template: str
    """The same without anything that varies, for who must not read numbers and names."""


class RecentLog(logging.Handler):
    """Keeps the last lines: some megabyte at most."""

    def __init__(self, line_format: str, most: int = MOST_LINES) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque(maxlen=most)
        self.setFormatter(LineFormatter(line_format))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        if record.name in _LEFT_OUT:
            return
        try:
            text = self.format(record)[:LONGEST]
        except Exception:  # noqa: BLE001 (the log itself says so)
            return
        template = f"{record.levelname} [{record.threadName}] {record.msg}"[:LONGEST]
        self._lines.append(LogLine(record.created, text, template))

    def between(self, begin: float, end: float, secrets: tuple[str, ...], *, mask: bool) -> list[str]:
        """The lines of a time (seconds since 1970), without these secrets and what looks like one.

        `mask`: only which messages came, not what was in them.
        """
        found = [line for line in self._lines.copy() if begin <= line.time <= end]
        if mask:
            return [_scrubbed(f"{line.time:.3f} {line.template}", secrets) for line in found]
        return [_scrubbed(line.text, secrets) for line in found]


def _scrubbed(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = _RAW_BYTES.sub("b'***'", text)
    return _SECRETS.sub(lambda found: next((group for group in found.groups() if group), "") + "***", text)
