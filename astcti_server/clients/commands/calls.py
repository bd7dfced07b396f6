"""What an operator does with calls: ORIG, ANSWER, HANGUP, TRANSFER. The client waits for Asterisk's answer.

With a colleague asked before a call is handed over: CONSULT, COMPLETE, CANCEL. And where calls may be
transferred to: TARGETS; what can be done with the seat's phone: PHONE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from astcti_server.audit.entries import AuditAction
from astcti_server.clients import replies
from astcti_server.clients.commands import parameters
from astcti_server.clients.commands.table import command
from astcti_server.clients.conversation import Conversation
from astcti_server.clients.ports import NotCarriedOut, Presence, ReplyCallback
from astcti_server.clients.transfer_contexts import outbound_contexts, transfer_contexts
from schemas.protocol import DIALLED_CALL, CommandName, Refusal


@command(
    CommandName.ORIG, parameters.exten, parameters.word, parameters.priority, stage="seated", also_split="|"
)
def originate(conversation: Conversation, exten: str, context: str, priority: int) -> None:
    """`ORIG exten cntxt prio` (or with `|` between): call from the operator's phone."""
    requests = conversation.context.requests
    own = requests.configuration().services_of(conversation.session.username)
    with _audited(conversation, AuditAction.ORIGINATE, exten=exten, context=context) as action:
        if context not in {service.context for service in own if service.type == "outbound"}:
            raise NotCarriedOut(Refusal.NOT_YOUR_SERVICE)
        # A later step would leave out what the administrator put before it: a limit, a PIN, a recording.
        if priority != 1 and not requests.settings().originate.any_priority:
            raise NotCarriedOut(Refusal.PRIORITY_NOT_ALLOWED)
        presence, done = action.ask()
        requests.originate(presence, exten, context, priority, done)


@command(CommandName.ANSWER, parameters.uniqueid, stage="seated")
def answer(conversation: Conversation, uniqueid: str) -> None:
    """`ANSWER uniqueid`: have the seat's phone answer the call that rings there."""
    with _audited(conversation, AuditAction.ANSWER, uniqueid=uniqueid) as action:
        presence, done = action.ask()
        conversation.context.requests.answer(presence, uniqueid, done)


@command(CommandName.HANGUP, parameters.uniqueid_or_dialled, stage="seated")
def hang_up(conversation: Conversation, uniqueid: str) -> None:
    """`HANGUP uniqueid`: end one of the operator's own legs. `HANGUP ORIG`: the call that ORIG asked for."""
    requests = conversation.context.requests
    with _audited(conversation, AuditAction.HANGUP, uniqueid=uniqueid) as action:
        presence, done = action.ask()
        if uniqueid == DIALLED_CALL:
            requests.cancel_call(presence, done)
        else:
            requests.hangup(presence, uniqueid, done)


@command(CommandName.TRANSFER, parameters.uniqueid, parameters.exten, parameters.word, stage="seated")
def transfer(conversation: Conversation, uniqueid: str, exten: str, context: str) -> None:
    """`TRANSFER uniqueid exten context`: hand the other party of an own call on, blind."""
    ask = conversation.context.requests.transfer
    _hand_over(conversation, AuditAction.TRANSFER, ask, uniqueid, exten, context)


@command(CommandName.CONSULT, parameters.uniqueid, parameters.exten, parameters.word, stage="seated")
def consult(conversation: Conversation, uniqueid: str, exten: str, context: str) -> None:
    """`CONSULT uniqueid exten context`: ask a colleague before an own call is handed over."""
    ask = conversation.context.requests.consult
    _hand_over(conversation, AuditAction.CONSULT, ask, uniqueid, exten, context)


@command(CommandName.COMPLETE, parameters.uniqueid, stage="seated")
def complete(conversation: Conversation, uniqueid: str) -> None:
    """`COMPLETE uniqueid`: hand the call over to the colleague who is asked."""
    with _audited(conversation, AuditAction.COMPLETE, uniqueid=uniqueid) as action:
        presence, done = action.ask()
        conversation.context.requests.complete(presence, uniqueid, done)


@command(CommandName.CANCEL, parameters.uniqueid, stage="seated")
def cancel(conversation: Conversation, uniqueid: str) -> None:
    """`CANCEL uniqueid`: give the colleague up who is asked."""
    with _audited(conversation, AuditAction.CANCEL, uniqueid=uniqueid) as action:
        presence, done = action.ask()
        conversation.context.requests.cancel(presence, uniqueid, done)


@command(CommandName.PHONE, stage="seated")
def tell_phone(conversation: Conversation) -> None:
    """`PHONE`: what can be done with the seat's phone now, and which colleagues are asked through it."""
    session = conversation.session
    assert session.presence is not None  # the command's stage says so
    ticket = conversation.wait(replies.phone_abilities(()))
    conversation.context.requests.introduce(session.presence, partial(session.complete, ticket))


def _hand_over(
    conversation: Conversation,
    audited: AuditAction,
    ask: Callable[[Presence, str, str, str, ReplyCallback], None],
    uniqueid: str,
    exten: str,
    context: str,
) -> None:
    with _audited(conversation, audited, uniqueid=uniqueid, exten=exten, context=context) as action:
        _check_target(conversation, context)
        presence, done = action.ask()
        ask(presence, uniqueid, exten, context, done)


def _check_target(conversation: Conversation, context: str) -> None:
    """Raise NotCarriedOut for a context that this operator's calls may not be handed to."""
    requests = conversation.context.requests
    configuration, listed = requests.configuration(), requests.settings().transfer
    if context not in transfer_contexts(configuration, listed, conversation.session.username):
        outbound = context in outbound_contexts(configuration)
        raise NotCarriedOut(Refusal.NOT_TRANSFERRED_OUT if outbound else Refusal.NOT_FOR_TRANSFERS)


@command(CommandName.TARGETS, stage="logged-in")
def tell_targets(conversation: Conversation) -> bytes:
    """`TARGETS`: a line for each context that TRANSFER takes, then `222 END`."""
    requests = conversation.context.requests
    listed, username = requests.settings().transfer, conversation.session.username
    return replies.transfer_targets(transfer_contexts(requests.configuration(), listed, username))


class _AuditedAction:
    """What an operator wants done by Asterisk; what came of it goes into the audit, once."""

    __slots__ = ("_action", "_conversation", "_details")

    def __init__(self, conversation: Conversation, action: AuditAction, details: dict[str, str]) -> None:
        self._conversation = conversation
        self._action = action
        self._details = details

    def ask(self) -> tuple[Presence, ReplyCallback]:
        """Begin to wait for Asterisk. Returns who asks, and whom to tell the answer."""
        conversation, session = self._conversation, self._conversation.session
        assert session.presence is not None  # the commands' stage says so
        if not conversation.context.requests.pbx_up():
            raise NotCarriedOut(Refusal.PBX_DOWN)
        conversation.take_allowance()
        ticket = conversation.wait(replies.refused(Refusal.PBX_SILENT.text()))

        def done(reason: str, *, unchecked: bool = False) -> None:
            success = replies.OK_UNCHECKED if unchecked else replies.OK
            session.complete(ticket, replies.refused(reason) if reason else success)
            self.ended(reason or ("unchecked" if unchecked else "ok"))

        return session.presence, done

    def ended(self, result: str) -> None:
        """Say in the audit what came of it: `ok`, `unchecked` or why not."""
        self._conversation.record(self._action, **self._details, result=result)


@contextmanager
def _audited(conversation: Conversation, action: AuditAction, **details: str) -> Iterator[_AuditedAction]:
    """Around a command: one that is refused is in the audit, too."""
    audited = _AuditedAction(conversation, action, details)
    try:
        yield audited
    except NotCarriedOut as refused:
        audited.ended(str(refused))
        raise
