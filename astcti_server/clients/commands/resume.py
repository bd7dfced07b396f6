"""A session that goes on after its connection was lost: RESUME before the login, SHOWN of what was told."""

from __future__ import annotations

from astcti_server.clients import replies
from astcti_server.clients.commands import parameters
from astcti_server.clients.commands.table import command
from astcti_server.clients.conversation import Conversation
from astcti_server.clients.ports import ResumePoint, ShownReport
from schemas.protocol import CommandName, Refusal
from schemas.wire import BadLine


@command(CommandName.RESUME, parameters.resume_point, stage="before-login", to_end=True)
def take_resume_point(conversation: Conversation, point: ResumePoint) -> bytes:
    """`RESUME NEW`, `RESUME epoch seq`: from the login on events are numbered, and what was missed comes."""
    conversation.session.resume_from(point)
    return replies.OK


@command(CommandName.SHOWN, parameters.shown_report, stage="seated", to_end=True, silent=True)
def take_shown(conversation: Conversation, report: ShownReport) -> None:
    """`SHOWN seq [ms]`, `SHOWN seq KO key reason`: what became of an event. Never answered."""
    presence = conversation.session.presence
    assert presence is not None  # the command's stage says so
    if presence.resume is None:  # it knows no numbers
        raise BadLine(Refusal.UNKNOWN_COMMAND.text())
    conversation.take_shown_allowance()
    conversation.context.requests.shown(presence, report, conversation.context.clock())
