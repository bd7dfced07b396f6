"""What `doctor` finds: a severity, what is wrong, where, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """The worst first."""

    ERROR = "error"
    """Something does not work, or will not."""
    WARNING = "warning"
    """It works, but badly, not for long, or not safely."""
    NOTE = "note"
    """Nothing is wrong: what was not seen yet, and what could not be looked at."""


class FindingCode(StrEnum):
    """One kind of finding each, for programs: docs/operations.md lists them. A code keeps its meaning."""

    CONFIGURATION_INVALID = "configuration-invalid"
    CONFIGURATION_REFUSED = "configuration-refused"
    CONFIGURATION_HELD = "configuration-held"
    CONFIGURATION_WARNING = "configuration-warning"
    CERTIFICATE_INVALID = "certificate-invalid"
    CERTIFICATE_ENDS = "certificate-ends"
    FILE_OPEN = "file-open"
    FILE_CLOSED = "file-closed"
    STATE_DIRECTORY = "state-directory"
    SERVER_NOT_RUNNING = "server-not-running"
    SERVER_SILENT = "server-silent"
    SERVER_HANGS = "server-hangs"
    SERVER_ROOT = "server-root"
    SERVER_OLD = "server-old"
    SERVER_RESTART = "server-restart"
    SERVER_DESCRIPTORS = "server-descriptors"
    SERVER_NOT_CONNECTED = "server-not-connected"
    MEMBER_MISSING = "member-missing"
    HOST_NAME = "host-name"
    NOT_REACHED = "not-reached"
    TLS = "tls"
    NO_ANSWER = "no-answer"
    LOGIN = "login"
    VERSION = "version"
    READ_CLASS = "read-class"
    WRITE_CLASS = "write-class"
    NOT_SEEN_YET = "not-seen-yet"
    WRITE_TIMEOUT = "writetimeout"
    EVENT_FILTER = "event-filter"
    DISABLED_EVENTS = "disabled-events"
    CLOCK = "clock"
    SECOND_SERVER = "second-server"
    QUEUE_UNKNOWN = "queue-unknown"
    QUEUE_OPTION = "queue-option"
    CONSULT = "consult"
    ANSWER = "answer"
    STATIC_MEMBER = "static-member"
    FOREIGN_MEMBER = "foreign-member"
    CONTEXT_UNKNOWN = "context-unknown"
    PHONE_UNKNOWN = "phone-unknown"
    NOT_LOOKED = "not-looked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what `doctor` says."""

    code: FindingCode
    severity: Severity
    where: str
    """A file with its line, a setting, a queue, a seat: what to look at."""
    what: str
    """What is the matter, in one clause."""
    todo: str = ""
    """What to change; empty where `what` says it already, or nothing is to be done."""

    @property
    def text(self) -> str:
        """All of it in words, on one line."""
        return f"{self.where}: {self.what}" + (f". {self.todo}" if self.todo else "")


def error(code: FindingCode, where: str, what: str, todo: str = "") -> Finding:
    """Make a finding of something that does not work."""
    return Finding(code, Severity.ERROR, where, what, todo)


def warning(code: FindingCode, where: str, what: str, todo: str = "") -> Finding:
    """Make a finding of something that does harm."""
    return Finding(code, Severity.WARNING, where, what, todo)


def note(code: FindingCode, where: str, what: str, todo: str = "") -> Finding:
    """Make a note: nothing is wrong, as far as is known."""
    return Finding(code, Severity.NOTE, where, what, todo)


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, the worst first; among equals the order in which they were found."""
    order = list(Severity)
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: order.index(finding.severity)))
