"""Has the server call a number from this seat's phone. For the thread that takes messages from the queue."""

from __future__ import annotations

from collections.abc import Callable

from astcti_client.hand_over import Answer
from astcti_client.net.connection import NOT_CONNECTED, NotConnected
from astcti_client.net.messages import Command, Message, ServerReply, Services, Unanswered
from schemas.protocol import CommandName, ReplyCode
from schemas.sentences import said

FIRST_PRIORITY = 1  # where an extension of the dialplan begins


class Dialler:
    """Sends ORIG commands and gives each reply to the one who asked."""

    def __init__(self, send: Callable[[str], Command]) -> None:
        """`send` is that of the connection."""
        self._send = send
        self._context = ""
        self._open: dict[Command, Answer] = {}

    def heard(self, message: Message) -> None:
        """Take notice of a message: services and replies matter here."""
        match message:
            case Services(services=services):
                self._context = next((one.context for one in services if one.type == "outbound"), "")
            case ServerReply(reply=reply, answers=Command() as command, final=True):
                if answer := self._open.pop(command, None):
                    begun = reply.number == ReplyCode.OK
                    answer("" if begun else reply.text or said("the server refused the call"))
            case Unanswered(command=command):
                if answer := self._open.pop(command, None):
                    answer(said("the connection to the server was lost; nobody knows whether it calls"))

    def dial(self, number: str, answer: Answer, context: str = "") -> None:
        """Call a number, through `context` or the operator's first outbound service.

        `answer` is called in any case.
        """
        context = context or self._context
        if not context:
            answer(said("this operator has no outbound service to call with, or is not logged in"))
            return
        try:
            command = self._send(f"{CommandName.ORIG} {number} {context} {FIRST_PRIORITY}")
        except NotConnected:
            answer(NOT_CONNECTED)
            return
        self._open[command] = answer
