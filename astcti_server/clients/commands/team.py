"""What an operator asks about the team: his own queues, and who else is there."""

from __future__ import annotations

from astcti_server.audit.entries import AuditAction
from astcti_server.clients import replies
from astcti_server.clients.commands import parameters
from astcti_server.clients.commands.table import command
from astcti_server.clients.conversation import Conversation
from astcti_server.clients.ports import NotCarriedOut
from schemas.configuration.model import queue_key
from schemas.protocol import CommandName, Refusal


@command(CommandName.QUEUES, stage="logged-in")
def tell_queues(conversation: Conversation) -> bytes:
    """`QUEUES`: a line for each queue of the operator's services, then `223 END`."""
    configuration = conversation.context.requests.configuration()
    return replies.operators_queues(configuration.queues_of(conversation.session.username).values())


@command(CommandName.QUEUE, parameters.word, parameters.into_queue, stage="seated")
def change_queue(conversation: Conversation, queue: str, inside: bool) -> None:
    """`QUEUE name IN|OUT`: join one queue of the operator's services, or leave it."""
    requests, session = conversation.context.requests, conversation.session
    action = AuditAction.QUEUE_JOIN if inside else AuditAction.QUEUE_LEAVE
    assert session.presence is not None  # the command's stage says so

    def over(result: str) -> None:
        conversation.record(action, queue=queue, result=result)

    try:
        own = requests.configuration().queues_of(session.username).get(queue_key(queue))
        if own is None:
            raise NotCarriedOut(Refusal.NOT_YOUR_QUEUE)
        if not inside and not own.may_leave:
            raise NotCarriedOut(Refusal.MAY_NOT_LEAVE)
        conversation.take_allowance()
    except NotCarriedOut as refused:
        over(str(refused))
        raise
    ticket = conversation.wait(replies.refused(Refusal.SERVER_BUSY.text()))

    def done(reason: str, *, unchecked: bool = False) -> None:
        session.complete(ticket, replies.refused(reason) if reason else replies.OK)
        over(reason or "ok")

    requests.ask_queue(session.presence, queue_key(queue), inside, done)


@command(CommandName.COLLEAGUES, parameters.colleagues_wanted, stage="seated", to_end=True)
def tell_colleagues(conversation: Conversation, wanted: bool) -> bytes | None:
    """`COLLEAGUES`: a line for each, then `242 END`, and later each change; `COLLEAGUES OFF`: no more."""
    requests, session = conversation.context.requests, conversation.session
    assert session.presence is not None  # the command's stage says so
    if not wanted:
        requests.colleagues_no_more(session.presence)
        return replies.OK
    conversation.take_allowance()
    ticket = conversation.wait(replies.refused(Refusal.SERVER_BUSY.text()))
    requests.colleagues(session.presence, lambda lines: session.complete(ticket, lines))
    return None
