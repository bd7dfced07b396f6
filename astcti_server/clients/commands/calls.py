"""What an operator does with calls: ORIG, HANGUP, TRANSFER. Asterisk answers; the client waits for it.

And where calls may be transferred to: TARGETS.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
    requests = conversation.context.requests
    configuration, listed = requests.configuration(), requests.settings().transfer
    details = {"uniqueid": uniqueid, "exten": exten, "context": context}
    with _audited(conversation, AuditAction.TRANSFER, **details) as action:
        if context not in transfer_contexts(configuration, listed, conversation.session.username):
            outbound = context in outbound_contexts(configuration)
            raise NotCarriedOut(Refusal.NOT_TRANSFERRED_OUT if outbound else Refusal.NOT_FOR_TRANSFERS)
        presence, done = action.ask()
        requests.transfer(presence, uniqueid, exten, context, done)


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
