"""Has the server call a number from this seat's phone. For the thread that takes messages from the queue."""

from __future__ import annotations

from collections.abc import Callable

from astcti_client.hand_over.requests import DialReply
from astcti_client.net.connection import NOT_CONNECTED, NotConnected
from astcti_client.net.messages import ConnectionMessage, IssuedCommand, ServerReply, Services, Unanswered
from schemas.protocol import CommandName, ReplyCode
from schemas.sentences import said

FIRST_PRIORITY = 1  # where an extension of the dialplan begins


class Dialler:
    """Sends ORIG commands and gives each reply to the one who asked."""

    def __init__(self, send: Callable[[str], IssuedCommand]) -> None:
        """`send` is that of the connection."""
        self._send = send
        self._context = ""
        self._replies: dict[IssuedCommand, DialReply] = {}

    def hear(self, message: ConnectionMessage) -> None:
        """Take notice of a message: services and replies matter here."""
        match message:
            case Services(services=services):
                self._context = next(
                    (service.context for service in services if service.type == "outbound"), ""
                )
            case ServerReply(reply=reply, answers=IssuedCommand() as command, final=True):
                if tell := self._replies.pop(command, None):
                    begun = reply.number == ReplyCode.OK
                    tell("" if begun else reply.text or said("the server refused the call"))
            case Unanswered(command=command):
                if tell := self._replies.pop(command, None):
                    tell(said("the connection to the server was lost; nobody knows whether it calls"))

    def dial(self, number: str, reply: DialReply, context: str = "") -> None:
        """Call a number, through `context` or the operator's first outbound service.

        `reply` is called in any case.
        """
        context = context or self._context
        if not context:
            reply(said("this operator has no outbound service to call with, or is not logged in"))
            return
        try:
            command = self._send(f"{CommandName.ORIG} {number} {context} {FIRST_PRIORITY}")
        except NotConnected:
            reply(NOT_CONNECTED)
            return
        self._replies[command] = reply
