"""What the tracking of calls hands to the router: an event, and the extension it is for."""

from __future__ import annotations

from typing import NamedTuple

from schemas.events import CallEvent


class Notification(NamedTuple):
    """One event for the seat with this extension (`PJSIP/201`)."""

    extension: str
    event: CallEvent
