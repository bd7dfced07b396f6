"""What the control socket needs of the rest of the server. The daemon hands an implementation in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

StatusDocument: TypeAlias = Mapping[str, Any]
"""What the server is doing, ready for JSON; docs/operations.md lists its fields. Never changed again."""


class ControlRequests(Protocol):
    """What may be asked for. Every method is called on a connection's own thread, which may wait."""

    def status(self) -> StatusDocument:
        """What the server is doing, as far as it can be known within a few seconds. Never raises."""

    def accept(self, sha256: str, who: str) -> str:
        """Take up the held configuration with this SHA-256 (any, if empty).

        `who` asks, in words for the log. Returns why it is not done, as a refusal's text; empty if it is.
        """

    def stop(self, keep_members: bool, who: str) -> None:
        """Begin to stop in order, as SIGTERM does; returns at once. `who` as in `accept`.

        `keep_members`: queue members stay, whatever `on-stop` says.
        """
