"""What is told by the link to Asterisk, and to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from astcti_server.ami.wire.messages import AmiEvent

LinkState: TypeAlias = Literal["connecting", "logging-in", "up", "down"]


@dataclass(frozen=True, slots=True)
class LinkTimeLimits:
    """Time limits in seconds that nobody needs to configure."""

    connect: float = 10.0
    """TCP and TLS together."""
    login: float = 15.0
    """From there to the accepted login; Asterisk waits a second before it refuses one."""
    boot: float = 30.0
    """From the login until Asterisk is taken for fully started, where it does not say so itself."""
    farewell: float = 1.0
    """For the last bytes when stopping."""


class LinkListener(Protocol):
    """What the link tells, always on the AMI thread."""

    def link_up(self, banner_version: str) -> None:
        """Logged in. Nothing that was known before can be relied on."""

    def fully_booted(self) -> None:
        """Asterisk has loaded everything, after `link_up`: only now what it does not know is not there.

        Once a connection: at once as a rule, later where Asterisk is just starting.
        """

    def link_down(self, reason: str, quiet: float) -> None:
        """The connection is lost, after `link_up`. All actions have been answered. Not told when stopping.

        `quiet`: for how many seconds nothing had been read. What happened since then is not known.
        """

    def chunk_begins(self) -> None:
        """The events told until `chunk_over` were read at once."""

    def chunk_over(self) -> None:
        """What was read is told; the next `event` comes after another read."""

    def event(self, event: AmiEvent) -> None:
        """One event; those that list what an action asked for go to that action instead."""

    def gave_up(self, reason: str) -> None:
        """The last attempt failed. The thread goes on with timers and posted work, without a connection."""
