"""What is written into the audit: the actions, and one entry. Standard library only."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

AuditValue: TypeAlias = str | int | float | bool | list[str]


class AuditAction(StrEnum):
    """Everything that is audited. The table in docs/operations.md says which fields each has."""

    START = "start"
    STOP = "stop"
    LOGIN = "login"
    LOGIN_FAILED = "login-failed"
    SEAT = "seat"
    LOGOUT = "logout"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    QUEUE_JOIN = "queue-join"
    QUEUE_LEAVE = "queue-leave"
    ORIGINATE = "originate"
    HANGUP = "hangup"
    TRANSFER = "transfer"
    CONSULT = "consult"
    COMPLETE = "complete"
    CANCEL = "cancel"
    ANSWER = "answer"
    CONFIGURATION = "configuration"
    CONFIGURATION_HELD = "configuration-held"
    CONFIGURATION_REFUSED = "configuration-refused"
    CONTROL = "control"
    LINES_LOST = "lines-lost"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One action. Nobody changes the details any more: it crosses threads."""

    action: AuditAction
    details: Mapping[str, AuditValue]
    """What is known of it, by the names of docs/operations.md. No password, whatever its form."""
    at: float = field(default_factory=time.time)
    """When, in seconds since 1970."""

    def line(self) -> bytes:
        """The entry as one line of JSON, UTF-8: time and action first."""
        seconds, milliseconds = divmod(int(self.at * 1000), 1000)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        content = {"time": f"{moment}.{milliseconds:03d}Z", "action": self.action, **self.details}
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


Audit: TypeAlias = Callable[[AuditRecord], None]
"""Takes an entry. Any thread; never waits."""


def not_audited(_entry: AuditRecord) -> None:
    """The audit of a program that keeps none."""
