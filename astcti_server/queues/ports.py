"""What this package needs of the AMI link and of the disk. AMI thread only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from astcti_server.ami.actions import AmiAction
    from astcti_server.ami.pending import ActionOutcome
    from astcti_server.queues.state_file import SavedQueues


class QueueTimer(Protocol):
    """Work that waits for its time."""

    def cancel(self) -> None:
        """Do not do it. Harmless if it was done already."""


class QueueLink(Protocol):
    """What is needed of the AMI link."""

    def submit(self, action: AmiAction, done: Callable[[ActionOutcome], None], /) -> object:
        """Send an action. `done` is called once, at the latest when the link ends or its time is over."""

    def later(self, seconds: float, work: Callable[[], None], /) -> QueueTimer:
        """Do `work` after so many seconds."""

    def now(self) -> float:
        """The time of the clock that `later` goes by, in seconds."""

    def post(self, work: Callable[[], None], /) -> None:
        """Have `work` done on the AMI thread. Any thread."""


class QueueStore(Protocol):
    """Where our own members, the pauses and which queues were left outlive the server."""

    def load(self) -> SavedQueues:
        """What was saved last. Raises StateError."""

    def save(self, saved: SavedQueues, done: Callable[[], None]) -> None:
        """Have it written, without waiting; `done` is called then, on any thread."""
