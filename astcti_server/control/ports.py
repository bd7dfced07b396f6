"""What the control socket needs of the rest of the server. The daemon hands an implementation in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from schemas.protocol import ControlCommand
from schemas.wire import CommandLine

ControlDocument: TypeAlias = Mapping[str, Any]
"""An answer ready for JSON; docs/operations.md lists the fields of each. Never changed again."""

ControlHandler: TypeAlias = Callable[[CommandLine], ControlDocument | None]
"""What one command does, and its answer; None stands for `100 OK`.

Called on a connection's own thread, which may wait a few seconds. Who asks may ask it, and is in the audit: a
handler need not look. Raises NotObeyed, and BadLine for a line that is not in order.
"""

ControlHandlers: TypeAlias = Mapping[ControlCommand, ControlHandler]
"""Every command that this server has; any other one is unknown to it."""


class NotObeyed(Exception):
    """A command in order that is not carried out: the text becomes `101 KO text`."""
