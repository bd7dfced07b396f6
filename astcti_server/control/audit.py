"""Who did what through the control socket: told in one place, for each command that changes something."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from schemas.protocol import ControlCommand

LOOKING: Final = frozenset(
    {
        ControlCommand.STATUS,
        ControlCommand.EXPLAIN,
        ControlCommand.SESSIONS,
        ControlCommand.CALLS,
        ControlCommand.QUEUES,
        ControlCommand.SEEN,
    }
)
"""Commands that change nothing: nobody is told who said them."""
LOOKING_ALONE: Final = frozenset({ControlCommand.LOG_LEVEL})
"""Commands that change nothing if nothing follows them."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ControlAction:
    """One command that changes something, or that somebody may not use."""

    user: int
    """The user id of whoever asked."""
    name: str
    """That user's name, empty if the system knows none."""
    process: int
    """Whose process id; 0 if it is in a container of its own."""
    command: ControlCommand
    arguments: str
    """What followed the command, as it was said."""
    refusal: str
    """Why it was not carried out; empty if it was."""


ControlAudit: TypeAlias = Callable[[ControlAction], None]
"""Told of each action after it was tried and before its answer is sent. On a connection's own thread."""


def changes_something(command: ControlCommand, arguments: str) -> bool:
    """Whether it has to be known who said this."""
    return command not in LOOKING and not (command in LOOKING_ALONE and not arguments)


def log_action(action: ControlAction) -> None:
    """Put it into the log, in one line."""
    who = f"{action.name or 'somebody'} (user id {action.user}, process {action.process})"
    asked = f"{action.command} {action.arguments}".rstrip()
    if action.refusal:
        logger.warning("Control: %s asked for %s: refused: %s", who, asked, action.refusal)
    else:
        logger.info("Control: %s asked for %s: done", who, asked)
