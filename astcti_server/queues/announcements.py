"""What a client is told about its queues and its pause: each thing once, in the words of the protocol."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

from astcti_server.clients import replies
from astcti_server.queues.asterisk_text import plain_text
from astcti_server.queues.membership import Membership
from astcti_server.queues.seated_operator import SeatedOperator

logger = logging.getLogger(__name__)

Announce: TypeAlias = Callable[[int, bytes], object]
"""Send a line to a session by its id; one that is gone is ignored."""


class Announcements:
    """The seated operator remembers what its client knows, so that nothing is said twice. AMI thread only."""

    def __init__(self, announce: Announce, pause_lasts: Callable[[str], float]) -> None:
        """`pause_lasts` gives the seconds since the pause of an operator, by user name, began."""
        self._announce, self._pause_lasts = announce, pause_lasts

    def membership(self, operator: SeatedOperator, membership: Membership) -> None:
        """`200` once a member, `210` once no longer, `211` when it cannot be."""
        key, queue, who = membership.key, membership.queue, operator.presence.username
        if not membership.known or membership.unsettled:
            return
        if membership.joined and not operator.knows_member(key):
            operator.tell_member(key, queue)
            logger.info("%s (%s) is a member of queue %s", who, membership.interface, queue)
            self._tell(operator, replies.queue_joined(queue))
        elif membership.actual is None and operator.knows_member(key):
            queue = operator.tell_not_member(key)
            logger.info("%s (%s) is no longer a member of queue %s", who, membership.interface, queue)
            self._tell(operator, replies.queue_left(queue))
        if membership.refusal and membership.actual is None and membership.desired is not None:
            self._refused(operator, membership)

    def left_before(self, operator: SeatedOperator, queue: str) -> None:
        """`210` to who comes back to a queue that he left himself: nothing else tells that he is not in."""
        self._tell(operator, replies.queue_left(queue))

    def pause(self, operator: SeatedOperator) -> None:
        """`310`, if the pause state is not the one that the client knows.

        `311` before it, since when it lasts: for clients alone that said RESUME. Others get what the
        specification knows, and nothing that depends on the order of two lines.
        """
        if not operator.tell_pause():
            return
        paused, reason = operator.pause
        lasts = self._pause_lasts(operator.presence.username) if paused else 0.0
        if lasts >= 1.0 and operator.presence.resume is not None:
            self._tell(operator, replies.pause_lasts(lasts))
        self._tell(operator, replies.pause_state(paused, reason if paused else ""))

    def _refused(self, operator: SeatedOperator, membership: Membership) -> None:
        """A queue that does not exist is refused again at each comparison: that is news only once."""
        if not operator.tell_refusal(membership.key, membership.refusal):
            return
        logger.warning(
            "%s (%s) cannot join queue %s: %s",
            operator.presence.username,
            membership.interface,
            membership.queue,
            membership.refusal,
        )
        self._tell(operator, replies.queue_refused(membership.queue, plain_text(membership.refusal)))

    def _tell(self, operator: SeatedOperator, line: bytes) -> None:
        self._announce(operator.presence.session_id, line)
