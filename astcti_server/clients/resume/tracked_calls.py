"""What telling clients of calls needs from the tracking of calls. No implementation here. AMI thread."""

from __future__ import annotations

from typing import Protocol

from astcti_server.calls.notification import Notification
from schemas.events import CallEvent


class TrackedCalls(Protocol):
    """The tracker, or what a test has instead."""

    def is_over(self, extension: str, uniqueid: str) -> bool:
        """Whether no leg of the seat is known by this id."""

    def not_delivered(self, notification: Notification) -> None:
        """It did not get to the client, and will not."""

    def written(self, notification: Notification) -> None:
        """An event with triggers went to a client that never says what became of it."""

    def resumed(self, notification: Notification) -> None:
        """An event with triggers that was missed goes to its operator now."""

    def shown(self, extension: str, event: CallEvent, milliseconds: float | None) -> None:
        """It is on the screen, and its triggers are carried out; after how long, if the client says so."""

    def trigger_failed(self, extension: str, event: CallEvent, key: str, reason: str) -> None:
        """A trigger was not carried out."""
