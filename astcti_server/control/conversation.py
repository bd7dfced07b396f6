"""One peer's lines on the control socket: each to its command, and the replies. No sockets.

The lines are those of the client protocol (docs/protocol.md, "The control socket").
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from typing import Final

from astcti_server.control.audit import ControlAction, ControlAudit, changes_something
from astcti_server.control.peer import Peer, name_of
from astcti_server.control.ports import ControlDocument, ControlHandlers, NotObeyed
from schemas import wire
from schemas.protocol import CommandName, ControlCommand, ControlRefusal, Refusal, ReplyCode, Word
from schemas.wire import BadLine, CommandLine, Oversize

WELCOME: Final = wire.reply(ReplyCode.OK, Word.WELCOME)
OK: Final = wire.reply(ReplyCode.OK, Word.OK)
LOGGED_OUT: Final = wire.reply(ReplyCode.LOGGED_OUT, Word.OK)
MAX_BAD_LINES: Final = 10
"""One after the other; a program that speaks the protocol sends none."""


def refused(reason: str) -> bytes:
    """The command is not carried out."""
    return wire.reply(ReplyCode.REFUSED, Word.KO, reason)


def document_lines(document: ControlDocument) -> Iterator[bytes]:
    """A document in lines: `260 NAME JSON`; for each entry of a list `260 NAME[] JSON`; then `260 END`."""
    for name, value in document.items():
        whole = isinstance(value, list | tuple)
        yield _document_line(name, [] if whole else value)
        if whole:
            for entry in value:
                yield _document_line(f"{name}[]", entry)
    yield wire.reply(ReplyCode.DOCUMENT_PART, Word.END)


def _document_line(name: str, value: object) -> bytes:
    return wire.reply(ReplyCode.DOCUMENT_PART, name, json.dumps(value))  # in ASCII: `reply` changes nothing


class ControlConversation:
    """What one peer says. One thread at a time."""

    def __init__(
        self, peer: Peer, rights: Set[ControlCommand], handlers: ControlHandlers, audit: ControlAudit
    ) -> None:
        """`rights` is what the peer may ask for."""
        self.over = False
        """Nothing more is to be read: the connection is to be closed once the replies are out."""
        self._peer = peer
        self._rights = rights
        self._handlers = handlers
        self._audit = audit
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
                may = [word for word in ControlCommand if word in self._rights and word in self._handlers]
                return self._simply(line, wire.reply(ReplyCode.CAPABILITIES, Word.CAPABILITIES, *may))
        if line.token not in self._handlers:
            raise BadLine(Refusal.UNKNOWN_COMMAND.text())
        return self._control(ControlCommand(line.token), line)

    def _simply(self, line: CommandLine, reply: bytes) -> Iterator[bytes]:
        if line.rest:
            raise BadLine(Refusal.WRONG_PARAMETER_COUNT.text(command=line.token))
        return iter((reply,))

    def _control(self, command: ControlCommand, line: CommandLine) -> Iterator[bytes]:
        document: ControlDocument | None = None
        refusal = ""
        if command not in self._rights:
            refusal = ControlRefusal.NOT_ALLOWED.text(command=command)
        else:
            try:
                document = self._handlers[command](line)
            except NotObeyed as error:
                refusal = str(error)
        if command not in self._rights or changes_something(command, line.rest):
            peer = self._peer
            self._audit(ControlAction(peer.user, name_of(peer), peer.process, command, line.rest, refusal))
        if refusal:
            return iter((refused(refusal),))
        return iter((OK,)) if document is None else document_lines(document)
