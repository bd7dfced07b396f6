"""What an operator asks for beside calls: PAUSE, SERVICES, REASONS."""

from __future__ import annotations

from astcti_server.audit.entries import AuditAction
from astcti_server.clients import replies
from astcti_server.clients.commands import parameters
from astcti_server.clients.commands.table import command
from astcti_server.clients.conversation import Conversation
from astcti_server.clients.ports import NotCarriedOut, PauseStep
from schemas.protocol import CommandName, Refusal
from schemas.wire import BadLine


@command(CommandName.SERVICES, stage="logged-in")
def tell_services(conversation: Conversation) -> bytes:
    """`SERVICES`: a line for each service of the operator, then `220 END`."""
    configuration = conversation.context.requests.configuration()
    return replies.services(configuration.services_of(conversation.session.username))


@command(CommandName.REASONS, stage="logged-in")
def tell_reasons(conversation: Conversation) -> bytes:
    """`REASONS`: a line for each pause reason, then `230 END`."""
    return replies.pause_reasons(conversation.context.requests.configuration().pause_reasons)


@command(CommandName.PAUSE, parameters.into_pause, parameters.pause_reason, stage="seated", to_end=True)
def change_pause(conversation: Conversation, wish: bool, reason: str) -> bytes | None:
    """`PAUSE IN [reason]`: `301 PAUSE PENDING`, then `300 OK` or `302 KO reason`; `PAUSE OUT`: no `301`."""
    if reason and not wish:
        raise BadLine(Refusal.WRONG_PARAMETER_COUNT.text(command=CommandName.PAUSE))
    session = conversation.session
    assert session.presence is not None  # the command's stage says so
    try:
        conversation.take_allowance()
    except NotCarriedOut as refused:
        _record(conversation, wish, reason, str(refused))
        return replies.pause_refused(str(refused))
    ticket = conversation.wait(replies.pause_refused(Refusal.PBX_SILENT.text()))
    progress = _PauseProgress(conversation, ticket, wish, reason)
    conversation.context.requests.pause(session.presence, wish, reason, progress)
    return None


def _record(conversation: Conversation, wish: bool, reason: str, result: str) -> None:
    """Put a pause, or its end, into the audit."""
    action = AuditAction.PAUSE if wish else AuditAction.UNPAUSE
    conversation.record(action, reason=reason, owner="operator", result=result)


class _PauseProgress:
    """Says what becomes of a pause request; see `ports.PauseStep`. Called on one thread at a time."""

    __slots__ = ("_conversation", "_deferred", "_reason", "_said_pending", "_ticket", "_wish")

    def __init__(self, conversation: Conversation, ticket: int, wish: bool, reason: str) -> None:
        self._conversation = conversation
        self._ticket = ticket
        self._wish = wish
        self._reason = reason
        self._said_pending = not wish
        self._deferred = False

    def __call__(self, step: PauseStep, text: str) -> None:
        session, ticket = self._conversation.session, self._ticket
        if step in ("pending", "deferred"):
            line = b"" if self._said_pending else replies.PAUSE_PENDING
            self._said_pending = True
            if step == "pending":
                session.say(ticket, line)
            elif session.complete(ticket, line):
                self._deferred = True
            return
        _record(self._conversation, self._wish, self._reason, "ok" if step == "done" else text)
        reply = replies.PAUSE_DONE if step == "done" else replies.pause_refused(text)
        if session.complete(ticket, reply):
            return
        if self._deferred:
            session.announce(reply)
        elif step == "done":  # after the client was told that there was no answer
            session.announce(replies.pause_state(self._wish, self._reason))
