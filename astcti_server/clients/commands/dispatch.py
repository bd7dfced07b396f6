"""From a client's line to its command. Importing this declares all commands of the protocol."""

from __future__ import annotations

import logging

from astcti_server.clients.commands import calls, explanation, login, resume, scram, seat, team
from astcti_server.clients.commands.table import rule_of
from astcti_server.clients.conversation import Conversation, UnansweredBadLine
from schemas.protocol import CommandName
from schemas.wire import BadLine, CommandLine

FAMILIES = (login, scram, seat, calls, explanation, resume, team)
logger = logging.getLogger(__name__)


def carry_out(conversation: Conversation, line: CommandLine) -> bytes | None:
    """Carry out a client's command. Returns its reply, or None if that comes later (or was sent).

    Raises BadLine for a line out of order (UnansweredBadLine if nothing is said to that), NotCarriedOut for
    one that is not carried out.
    """
    rule = rule_of(line.token)
    if rule.name not in (CommandName.PASS, CommandName.SCRAM):  # the password never gets into a log
        logger.debug("%s: %s %r", conversation.session.name, rule.name, line.rest)
    try:
        rule.check_stage(conversation)
        return rule.run(conversation, *rule.parameters_of(line))
    except BadLine as error:
        if rule.silent:
            raise UnansweredBadLine(str(error)) from None
        raise
