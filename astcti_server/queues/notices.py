"""What a client is told about its queues and its pause: each thing once, in the words of the protocol."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from astcti_server.clients import replies
from astcti_server.queues.seated_operator import plain_text

if TYPE_CHECKING:
    from astcti_server.queues.membership import Place
    from astcti_server.queues.seated_operator import Attendance

logger = logging.getLogger(__name__)

Announce: TypeAlias = Callable[[int, bytes], object]
"""Send a line to a session by its id; one that is gone is ignored."""


class Notices:
    """Remembers in the attendance what was told, so that nothing is said twice."""

    def __init__(self, announce: Announce) -> None:
        self._announce = announce

    def place(self, attendance: Attendance, place: Place) -> None:
        """`200` once a member, `210` once no longer, `211` when it cannot be."""
        key, queue, who = place.key, place.queue, attendance.presence.username
        if not place.known or place.unsettled:
            return
        if place.joined and key not in attendance.joined:
            attendance.joined[key] = queue
            attendance.refused.pop(key, None)
            logger.info("%s (%s) is a member of queue %s", who, place.interface, queue)
            self._tell(attendance, replies.queue_joined(queue))
        elif place.actual is None and key in attendance.joined:
            queue = attendance.joined.pop(key)
            logger.info("%s (%s) is no longer a member of queue %s", who, place.interface, queue)
            self._tell(attendance, replies.queue_left(queue))
        if place.refusal and place.actual is None and place.wanted is not None:
            self._refused(attendance, place)

    def pause(self, attendance: Attendance) -> None:
        """`310`, if the pause state is not the one that the client knows."""
        if attendance.told == attendance.pause:
            return
        attendance.told = attendance.pause
        paused, reason = attendance.pause
        self._tell(attendance, replies.pause_state(paused, reason if paused else ""))

    def _refused(self, attendance: Attendance, place: Place) -> None:
        if attendance.refused.get(place.key) == place.refusal:
            return
        attendance.refused[place.key] = place.refusal
        logger.warning(
            "%s (%s) cannot join queue %s: %s",
            attendance.presence.username,
            place.interface,
            place.queue,
            place.refusal,
        )
        self._tell(attendance, replies.queue_refused(place.queue, plain_text(place.refusal)))

    def _tell(self, attendance: Attendance, line: bytes) -> None:
        self._announce(attendance.presence.session_id, line)
