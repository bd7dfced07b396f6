"""Why a call popped up at this seat, or did not: WHY."""

from __future__ import annotations

from astcti_server.clients import replies
from astcti_server.clients.commands import parameters
from astcti_server.clients.commands.table import command
from astcti_server.clients.conversation import Conversation
from schemas.protocol import CommandName


@command(CommandName.WHY, parameters.uniqueid, stage="seated")
def tell_why(conversation: Conversation, uniqueid: str) -> bytes:
    """`WHY uniqueid`: verdict, story and what is odd of one of the seat's own calls, then `250 END`."""
    presence = conversation.session.presence
    assert presence is not None  # the command's stage says so
    conversation.take_allowance()
    return replies.explanation(conversation.context.requests.explain(presence, uniqueid).lines())
