"""What an operator does with calls: ORIG, HANGUP, TRANSFER. Asterisk answers; the client waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astcti_server.clients import replies
from astcti_server.clients.commands import parameters
from astcti_server.clients.commands.table import Refused, command
from astcti_server.clients.ports import Done, Presence
from schemas.protocol import CommandName, Refusal

if TYPE_CHECKING:
    from astcti_server.clients.conversation import Conversation


@command(
    CommandName.ORIG, parameters.exten, parameters.word, parameters.priority, state="seated", also_split="|"
)
def originate(conversation: Conversation, exten: str, context: str, priority: int) -> None:
    """`ORIG exten cntxt prio` (or with `|` between): call from the operator's phone."""
    desk = conversation.reception.desk
    own = desk.configuration().services_of(conversation.session.username)
    if context not in {service.context for service in own if service.type == "outbound"}:
        raise Refused(Refusal.NOT_YOUR_SERVICE.text())
    presence, done = _ask(conversation)
    desk.originate(presence, exten, context, priority, done)


@command(CommandName.HANGUP, parameters.uniqueid, state="seated")
def hangup(conversation: Conversation, uniqueid: str) -> None:
    """`HANGUP uniqueid`: end one of the operator's own legs."""
    presence, done = _ask(conversation)
    conversation.reception.desk.hangup(presence, uniqueid, done)


@command(CommandName.TRANSFER, parameters.uniqueid, parameters.exten, parameters.word, state="seated")
def transfer(conversation: Conversation, uniqueid: str, exten: str, context: str) -> None:
    """`TRANSFER uniqueid exten context`: hand the other party of an own call on, blind."""
    desk = conversation.reception.desk
    own = desk.configuration().services_of(conversation.session.username)
    if context not in {*desk.settings().transfer, *[service.context for service in own]}:
        raise Refused(Refusal.NOT_FOR_TRANSFERS.text())
    presence, done = _ask(conversation)
    desk.transfer(presence, uniqueid, exten, context, done)


def _ask(conversation: Conversation) -> tuple[Presence, Done]:
    """Begin to wait for Asterisk. Returns who asks, and whom to tell the answer."""
    session = conversation.session
    assert session.presence is not None  # the commands' state says so
    if not conversation.reception.desk.pbx_up():
        raise Refused(Refusal.PBX_DOWN.text())
    ticket = conversation.wait(replies.refused(Refusal.PBX_SILENT.text()))

    def done(reason: str) -> None:
        session.complete(ticket, replies.refused(reason) if reason else replies.OK)

    return session.presence, done
