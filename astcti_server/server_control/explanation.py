"""Why calls popped up or did not: EXPLAIN."""

from __future__ import annotations

from astcti_server.call_explanations import NotExplained
from astcti_server.control.ports import ControlDocument, NotObeyed
from astcti_server.explain.documents import document_of
from astcti_server.server_control.parts import ServerParts
from schemas.protocol import ControlRefusal, Refusal
from schemas.wire import BadLine, CommandLine


def explain(parts: ServerParts, line: CommandLine) -> ControlDocument:
    """`EXPLAIN what`: what is named to the end of the line; an answer for each phone of the call."""
    if not line.rest:
        raise BadLine(Refusal.WRONG_PARAMETER_COUNT.text(command=line.token))
    try:
        return document_of(parts.explanations.explain(line.rest))
    except NotExplained:
        raise NotObeyed(ControlRefusal.NOT_EXPLAINED.text()) from None
