"""The pause of each operator: what a client asks for, and what Asterisk says unasked. AMI thread only.

Asterisk is right: what it says becomes the operator's state and is told to the client, unless the client's
own wish is still on its way there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from astcti_server.queues.announcements import Announcements
from astcti_server.queues.asterisk_text import is_same_reason, plain_text
from astcti_server.queues.lookup import Memberships, SeatedOperators
from astcti_server.queues.membership import Membership
from astcti_server.queues.pause_request import PauseRequest, PauseState
from astcti_server.queues.ports import QueueLink
from astcti_server.queues.seated_operator import SeatedOperator
from schemas.protocol import Refusal

if TYPE_CHECKING:
    from astcti_server.clients.ports import PauseCallback


class PauseControl:
    """One request of a client at a time; the last one counts."""

    def __init__(
        self,
        link: QueueLink,
        announcements: Announcements,
        operators: SeatedOperators,
        memberships: Memberships,
        over: Callable[[SeatedOperator, bool], None],
        keep: Callable[[SeatedOperator], None],
    ) -> None:
        """`over` is called after each request that was not given up, with whether it worked.

        `keep` is called when an operator's pause is another one: it outlives the server.
        """
        self._link = link
        self._announcements = announcements
        self._operators = operators
        self._memberships = memberships
        self._over = over
        self._keep = keep
        self._up = False
        self._state_read = False

    def link_up(self) -> None:
        """After each login: the time of requests that wait counts from here on."""
        self._up = True
        for operator in self._operators:
            if operator.request is not None:
                operator.request.link_up()

    def state_read(self) -> None:
        """What Asterisk has is known: requests that waited for this can go."""
        self._state_read = True
        for operator in self._operators:
            self.proceed(operator)

    def link_down(self) -> None:
        """Nothing is known any more, and nothing can be asked."""
        self._up = self._state_read = False
        for operator in self._operators:
            if operator.request is not None:
                operator.request.link_down()

    def ask(
        self, operator: SeatedOperator, wish: PauseState, progress: PauseCallback, *, by_client: bool = True
    ) -> None:
        """A client's wish, or somebody else's for it. Later joins carry it from now on."""
        self.give_up(operator, Refusal.ANOTHER_REQUEST.text())
        before = operator.pause
        wish = wish._replace(reason=plain_text(wish.reason) if wish.paused else "")
        request = PauseRequest(
            self._link,
            operator.presence.queue_interface,
            wish,
            progress,
            lambda worked: self._ended(operator, before, worked, by_client),
        )
        operator.asked_for_pause(wish, request)
        if wish.paused:  # its end is kept once it is real: until then a crash had better leave the pause
            self._keep(operator)
        if self._up:
            request.link_up()
        else:
            request.link_down()
        self.proceed(operator)

    def give_up(self, operator: SeatedOperator, why: str) -> None:
        """End a request that is under way, without success."""
        request = operator.take_request()
        if request is not None:
            request.refuse(why)

    def leave_unanswered(self, operator: SeatedOperator, why: str) -> None:
        """Its session is over: nobody hears any longer what comes of a request.

        A pause that was asked for stays the wish, for who asked for it is gone from the desk.
        """
        if operator.request is None:
            return
        wish = operator.pause
        self.give_up(operator, why)
        if wish.paused:
            operator.pause_changed(wish)
            self._keep(operator)
            for membership in self._memberships.of(operator.presence.queue_interface):
                membership.pause_to_make_real()

    def unmet(self, operator: SeatedOperator) -> bool:
        """Whether the operator is to be in pause, and is so in no queue."""
        return operator.pause.paused and not self._paused_anywhere(operator.presence.queue_interface)

    def proceed(self, operator: SeatedOperator) -> None:
        """Start a waiting request, once nothing else is under way for the interface.

        An addition that is under way carries the wish from before or the new one, nobody knows which: the
        action for all queues has to come after it.
        """
        request = operator.request
        if request is None or request.started or not self._state_read:
            return
        memberships = self._memberships.of(operator.presence.queue_interface)
        if not any(membership.busy for membership in memberships):
            request.start([membership.key for membership in memberships if membership.actual is not None])

    def under_way(self, interface: str) -> bool:
        """Whether a pause action for all queues of the interface was written and is not over."""
        operator = self._operators.at(interface)
        return operator is not None and operator.request is not None and operator.request.started

    def see(self, membership: Membership, paused: bool, reason: str) -> None:
        """Asterisk says what a member's pause is.

        The same event tells of the console, of another manager's action and of autopause (`Auto-Pause` is
        the reason then): nothing says who did it, and all are taken over.
        """
        if membership.desired is None:
            return
        operator = membership.desired.operator
        pause = operator.pause
        if operator.request is not None:
            operator.request.saw(membership.key, paused)
            return
        if membership.enforce_pause:
            return
        # The client keeps the operator's own words.
        if paused and not (pause.paused and is_same_reason(pause.reason, reason)):
            self._change(operator, PauseState(True, reason))
        elif not paused and pause.paused and not self._paused_anywhere(membership.interface):
            self._change(operator, PauseState(False))
        self._announcements.pause(operator)

    def _change(self, operator: SeatedOperator, pause: PauseState) -> None:
        operator.pause_changed(pause)
        self._keep(operator)

    def _paused_anywhere(self, interface: str) -> bool:
        """Asterisk pauses in each queue apart (autopause does so in one): out of pause is out of all."""
        memberships = self._memberships.of(interface)
        return any(membership.actual is not None and membership.actual.paused for membership in memberships)

    def _ended(self, operator: SeatedOperator, before: PauseState, worked: bool, by_client: bool) -> None:
        given_up = operator.take_request() is None
        if worked:
            if by_client:
                operator.pause_granted()
            else:
                self._announcements.pause(operator)
            for membership in self._memberships.of(operator.presence.queue_interface):
                membership.pause_made_real()
        else:
            operator.pause_changed(before)
        self._keep(operator)
        if not given_up:
            self._over(operator, worked)
