"""All commands of the protocol: importing this declares them (section 2.2.3.2 of the specification)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from astcti_server.clients.commands import calls, login, seat
from astcti_server.clients.commands.table import check_state, find
from schemas.protocol import CommandName
from schemas.wire import CommandLine

if TYPE_CHECKING:
    from astcti_server.clients.conversation import Conversation

FAMILIES = (login, seat, calls)
logger = logging.getLogger(__name__)


def carry_out(conversation: Conversation, command: CommandLine) -> bytes | None:
    """Carry out a client's command. Returns its reply, or None if that comes later (or was sent).

    Raises BadLine for a line out of order, Refused for one that is not carried out.
    """
    rule = find(command.token)
    if rule.token != CommandName.PASS:
        logger.debug("%s: %s %r", conversation.session.name, rule.token, command.rest)
    check_state(rule, conversation)
    return rule.run(conversation, *rule.arguments(command))
