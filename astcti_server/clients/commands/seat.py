"""What an operator asks for beside calls: PAUSE, SERVICES, REASONS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astcti_server.clients.commands import parameters
from astcti_server.clients.commands.table import command
from astcti_server.clients.ports import PauseStep
from schemas import wire

if TYPE_CHECKING:
    from astcti_server.clients.conversation import Conversation
    from astcti_server.clients.session import Session

PENDING = wire.reply(301, "PAUSE PENDING")
GRANTED = wire.reply(300, "OK")
NO_ANSWER = wire.reply(302, "KO", "no answer from the PBX")


@command("SERVICES", state="logged-in")
def services(conversation: Conversation) -> bytes:
    """`SERVICES`: a line for each service of the operator, then `220 END`."""
    configuration = conversation.reception.desk.configuration()
    own = configuration.services_of(conversation.session.username)
    lines = [wire.reply(220, service.type, service.context, service.name) for service in own]
    return b"".join([*lines, wire.reply(220, "END")])


@command("REASONS", state="logged-in")
def reasons(conversation: Conversation) -> bytes:
    """`REASONS`: a line for each pause reason, then `230 END`."""
    names = conversation.reception.desk.configuration().pause_reasons
    return b"".join([*[wire.reply(230, name) for name in names], wire.reply(230, "END")])


@command("PAUSE", parameters.direction, parameters.reason, state="seated", to_end=True)
def pause(conversation: Conversation, wish: bool, reason: str) -> None:
    """`PAUSE IN [reason]`: `301 PAUSE PENDING`, then `300 OK` or `302 KO reason`; `PAUSE OUT`: no `301`."""
    if reason and not wish:
        raise wire.BadLine("wrong number of parameters for PAUSE")
    session = conversation.session
    assert session.presence is not None  # the command's state says so
    progress = _Progress(session, conversation.wait(NO_ANSWER), wish, reason)
    conversation.reception.desk.pause(session.presence, wish, reason, progress)


class _Progress:
    """Says what becomes of a pause request; see `desk.PauseStep`. Called on one thread at a time."""

    __slots__ = ("_deferred", "_reason", "_said_pending", "_session", "_ticket", "_wish")

    def __init__(self, session: Session, ticket: int, wish: bool, reason: str) -> None:
        self._session = session
        self._ticket = ticket
        self._wish = wish
        self._reason = reason
        self._said_pending = not wish
        self._deferred = False

    def __call__(self, step: PauseStep, text: str) -> None:
        session, ticket = self._session, self._ticket
        if step in ("pending", "deferred"):
            line = b"" if self._said_pending else PENDING
            self._said_pending = True
            if step == "pending":
                session.say(ticket, line)
            elif session.complete(ticket, line):
                self._deferred = True
            return
        reply = GRANTED if step == "done" else wire.reply(302, "KO", text)
        if session.complete(ticket, reply):
            return
        if self._deferred:
            session.announce(reply)
        elif step == "done":  # after the client was told that there was no answer
            session.announce(wire.reply(310, "IN", self._reason) if self._wish else wire.reply(310, "OUT"))
