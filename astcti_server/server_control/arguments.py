"""What follows a command of the control socket."""

from __future__ import annotations

from schemas.protocol import Refusal
from schemas.wire import BadLine, CommandLine


def check_count(line: CommandLine, most: int, least: int = 0) -> None:
    """Raise BadLine unless so many words follow."""
    if not least <= len(line.args) <= most:
        raise BadLine(Refusal.WRONG_PARAMETER_COUNT.text(command=line.token))
