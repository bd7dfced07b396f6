"""The kinds of parameters that commands take: text to value, or BadLine with what is wrong."""

from __future__ import annotations

import re

from astcti_server.clients.ports import ResumePoint, ShownReport
from schemas import mac_address
from schemas.protocol import (
    EPOCH,
    MOST_SEQ,
    NO_MORE,
    RESUME_NEW,
    CommandName,
    PauseWord,
    QueueWord,
    Refusal,
    Word,
)
from schemas.wire import BadLine, clean

MAX_PRIORITY = 9999
"""Beyond any dialplan written by hand."""
MAX_REASON = 200
"""Bytes of a pause reason: it goes into an AMI line and onto a supervisor's screen."""

_EXTEN = re.compile(r"[0-9A-Za-z*#+]{1,40}")
# Where Asterisk goes by itself: hung up, invalid, timeouts, exception (pbx.c). Who is sent there is cut off.
_PLACES = frozenset("hiteT")
_PRIORITY = re.compile(r"[0-9]{1,4}")
_MD5 = re.compile(r"[0-9A-Fa-f]{32}")
_SEQ = re.compile(r"[0-9]{1,10}")
_MILLISECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_REASON = re.compile(r"[a-z][a-z-]{0,31}")
_UNIQUEID = re.compile(r"[!-~]{1,150}")


def word(text: str) -> str:
    """Any text without blanks."""
    if not text:
        raise BadLine(Refusal.EMPTY_PARAMETER.text())
    return text


def exten(text: str) -> str:
    """A number to dial."""
    if not _EXTEN.fullmatch(text):
        raise BadLine(Refusal.BAD_EXTENSION.text())
    if text in _PLACES:
        raise BadLine(Refusal.NOT_A_NUMBER.text())
    return text


def priority(text: str) -> int:
    """A priority of the dialplan."""
    if not _PRIORITY.fullmatch(text) or int(text) == 0:
        raise BadLine(Refusal.BAD_PRIORITY.text(highest=MAX_PRIORITY))
    return int(text)


def uniqueid(text: str) -> str:
    """Asterisk's id of a channel."""
    if not _UNIQUEID.fullmatch(text):
        raise BadLine(Refusal.BAD_UNIQUEID.text())
    return text


def mac(text: str) -> str:
    """A MAC address, as the configuration writes it."""
    try:
        return mac_address.canonical(text)
    except ValueError:
        raise BadLine(Refusal.BAD_MAC.text()) from None


def password_hash(text: str) -> str:
    """The hex MD5 of a password, in lower case."""
    if not _MD5.fullmatch(text):
        raise BadLine(Refusal.BAD_PASSWORD_HASH.text())
    return text.lower()


def into_pause(text: str) -> bool:
    """Into a pause, or out of it."""
    try:
        return PauseWord(text.upper()) is PauseWord.IN
    except ValueError:
        raise BadLine(Refusal.BAD_PAUSE_WORD.text()) from None


def into_queue(text: str) -> bool:
    """Into a queue, or out of it."""
    if text.upper() not in (QueueWord.IN, QueueWord.OUT):
        raise BadLine(Refusal.BAD_QUEUE_WORD.text())
    return text.upper() == QueueWord.IN


def colleagues_wanted(text: str) -> bool:
    """Whether changes are to be told: nothing, or `OFF`."""
    if text and text.upper() != NO_MORE:
        raise BadLine(Refusal.BAD_COLLEAGUES_WORD.text())
    return not text


def pause_reason(text: str) -> str:
    """A reason to the end of the line: control characters become blanks, what is too long is cut."""
    return clean(text).encode("utf-8")[:MAX_REASON].decode("utf-8", "ignore").strip()


def resume_point(text: str) -> ResumePoint:
    """What a client knows of what was told before: `NEW`, or an epoch and a number."""
    match text.split():
        case [word] if word.upper() == RESUME_NEW:
            return ResumePoint("", 0)
        case [epoch, number] if EPOCH.fullmatch(epoch) and _SEQ.fullmatch(number) and int(number) <= MOST_SEQ:
            return ResumePoint(epoch, int(number))
    raise BadLine(Refusal.BAD_RESUME.text())


def shown_report(text: str) -> ShownReport:
    """What became of an event: its number, alone, with milliseconds, or with `KO`, a key and a reason."""
    number, *rest = text.split() or [""]
    if _SEQ.fullmatch(number) and 0 < int(number) <= MOST_SEQ:
        match rest:
            case []:
                return ShownReport(int(number))
            case [milliseconds] if _MILLISECONDS.fullmatch(milliseconds):
                return ShownReport(int(number), float(milliseconds))
            case [Word.KO, key, reason] if EPOCH.fullmatch(key) and _REASON.fullmatch(reason):
                return ShownReport(int(number), None, key, reason)
    raise BadLine(Refusal.WRONG_PARAMETER_COUNT.text(command=CommandName.SHOWN))
