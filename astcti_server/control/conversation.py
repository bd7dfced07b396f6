"""One peer's lines on the control socket: each to its command, and the replies. No sockets.

The lines are those of the client protocol (docs/protocol.md, "The control socket").
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Set
from typing import Final

from astcti_server.control.ports import ControlRequests, StatusDocument
from schemas import wire
from schemas.protocol import (
    KEEP_MEMBERS,
    CommandName,
    ControlCommand,
    ControlRefusal,
    Refusal,
    ReplyCode,
    Word,
)
from schemas.wire import BadLine, CommandLine, Oversize

WELCOME: Final = wire.reply(ReplyCode.OK, Word.WELCOME)
OK: Final = wire.reply(ReplyCode.OK, Word.OK)
LOGGED_OUT: Final = wire.reply(ReplyCode.LOGGED_OUT, Word.OK)
MAX_BAD_LINES: Final = 10
"""One after the other; a program that speaks the protocol sends none."""
_SHA256: Final = re.compile("[0-9A-Fa-f]{64}")

logger = logging.getLogger(__name__)


def refused(reason: str) -> bytes:
    """The command is not carried out."""
    return wire.reply(ReplyCode.REFUSED, Word.KO, reason)


def status_lines(document: StatusDocument) -> Iterator[bytes]:
    """A document in lines: `260 NAME JSON`; for each entry of a list `260 NAME[] JSON`; then `260 END`."""
    for name, value in document.items():
        whole = isinstance(value, list | tuple)
        yield _status_line(name, [] if whole else value)
        if whole:
            for entry in value:
                yield _status_line(f"{name}[]", entry)
    yield wire.reply(ReplyCode.SERVER_STATUS, Word.END)


def _status_line(name: str, value: object) -> bytes:
    return wire.reply(ReplyCode.SERVER_STATUS, name, json.dumps(value))  # in ASCII: `reply` changes nothing


class ControlConversation:
    """What one peer says. One thread at a time."""

    def __init__(
        self, rights: Set[ControlCommand], who: Callable[[], str], requests: ControlRequests
    ) -> None:
        """`rights` is what the peer may ask for, `who` says who that is, in words for the log."""
        self.over = False
        """Nothing more is to be read: the connection is to be closed once the replies are out."""
        self._rights = rights
        self._who = who
        self._requests = requests
        self._bad_lines = 0

    def answer(self, line: bytes | Oversize) -> Iterator[bytes]:
        """Carry out a line; its reply, in one piece or several."""
        try:
            if isinstance(line, Oversize):
                raise BadLine(Refusal.LINE_TOO_LONG.text(limit=line.limit))
            replies = self._obey(wire.parse_command(line))
        except BadLine as error:
            self._bad_lines += 1
            self.over = self._bad_lines >= MAX_BAD_LINES
            replies = iter((refused(str(error)),))
        else:
            self._bad_lines = 0
        return replies

    def _obey(self, line: CommandLine) -> Iterator[bytes]:
        match line.token:
            case CommandName.NOOP:
                return self._simply(line, OK)
            case CommandName.QUIT:
                self.over = True
                return self._simply(line, LOGGED_OUT)
            case CommandName.CAPA:
                may = sorted(self._rights, key=list(ControlCommand).index)
                return self._simply(line, wire.reply(ReplyCode.CAPABILITIES, Word.CAPABILITIES, *may))
            case ControlCommand.STATUS | ControlCommand.ACCEPT | ControlCommand.STOP:
                return self._control(ControlCommand(line.token), line)
        raise BadLine(Refusal.UNKNOWN_COMMAND.text())

    def _simply(self, line: CommandLine, reply: bytes) -> Iterator[bytes]:
        _check_count(line, 0)
        return iter((reply,))

    def _control(self, command: ControlCommand, line: CommandLine) -> Iterator[bytes]:
        if command not in self._rights:
            logger.warning("Control: %s may not use %s", self._who(), command)
            return iter((refused(ControlRefusal.NOT_ALLOWED.text(command=command)),))
        match command:
            case ControlCommand.STATUS:
                _check_count(line, 0)
                return status_lines(self._requests.status())
            case ControlCommand.ACCEPT:
                return self._accept(line)
            case ControlCommand.STOP:
                return self._stop(line)

    def _accept(self, line: CommandLine) -> Iterator[bytes]:
        _check_count(line, 1)
        if line.rest and not _SHA256.fullmatch(line.rest):
            raise BadLine(ControlRefusal.BAD_SHA256.text())
        who = self._who()
        reason = self._requests.accept(line.rest.lower(), who)
        logger.info("Control: %s accepts the held configuration: %s", who, reason or "done")
        return iter((refused(reason) if reason else OK,))

    def _stop(self, line: CommandLine) -> Iterator[bytes]:
        _check_count(line, 1)
        if line.rest.upper() not in ("", KEEP_MEMBERS):
            raise BadLine(ControlRefusal.BAD_STOP_WORD.text())
        self._requests.stop(bool(line.rest), self._who())
        return iter((OK,))


def _check_count(line: CommandLine, most: int) -> None:
    if len(line.args) > most:
        raise BadLine(Refusal.WRONG_PARAMETER_COUNT.text(command=line.token))
