"""Events to the seats they are for. AMI thread; never waits."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Final

from astcti_server.calls.notification import Notification
from astcti_server.clients.registry import Registry
from schemas import event_xml

_EXTENSION: Final = attrgetter("extension")


class Router:
    """Encodes an event only if somebody sits there to read it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def deliver(self, notifications: Iterable[Notification]) -> None:
        """Send events to the sessions at their extensions, in order; none where nobody sits.

        Those that follow one another for the same seat go out in one piece, for it is sending that costs.
        """
        for extension, group in groupby(notifications, _EXTENSION):
            session = self._registry.at_extension(extension)
            if session is not None:
                session.announce(b"".join([event_xml.encode(notification.event) for notification in group]))
