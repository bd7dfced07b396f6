"""One request of a client to begin or end its pause, from the action to its events. AMI thread only."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple

from astcti_server.ami import actions
from astcti_server.queues.asterisk_text import NOT_ANSWERED, short_reason, stored_text
from astcti_server.queues.ports import QueueLink, QueueTimer

if TYPE_CHECKING:
    from astcti_server.ami.pending import ActionOutcome
    from astcti_server.clients.ports import PauseCallback, PauseStep

PAUSE_TIME = 5.0  # seconds for Asterisk to answer and to say of each queue that it is done


class PauseState(NamedTuple):
    """In pause or not, and why, as far as anybody said."""

    paused: bool
    reason: str = ""


class PauseRequest:
    """`start` it when nothing else is under way for the interface. It answers through `progress`.

    `over` is called once at the end, before the last word of `progress`, with whether it worked. While the
    link is down it waits, without limit.
    """

    def __init__(
        self,
        link: QueueLink,
        interface: str,
        wish: PauseState,
        progress: PauseCallback,
        over: Callable[[bool], None],
    ) -> None:
        self._link = link
        self._interface = interface
        self._wish = wish
        self._progress = progress
        self._over = over
        self._timer: QueueTimer | None = None
        self._missing: set[str] = set()
        """The keys of the queues whose paused event is awaited."""
        self._acknowledged = False
        self._deferred = False
        self._attempt = 0
        self.started = False
        """Whether the action was written and is not over."""
        self._answered = False
        self._ended = False

    def link_up(self) -> None:
        """From here on the time counts."""
        if self._timer is None and not self._ended:
            self._timer = self._link.later(PAUSE_TIME, lambda: self.refuse(NOT_ANSWERED))

    def link_down(self) -> None:
        """Begin (again), and be patient, once the link is back."""
        self.started = False
        self._attempt += 1  # an answer that still comes belongs to the lost connection
        self._cancel_timer()
        if not self._deferred and not self._ended:
            self._acknowledged = self._deferred = True  # the client is not to wait for the link
            self._progress("deferred", "")

    def start(self, queues: Collection[str]) -> None:
        """Write the action; the paused event of each queue (its key) is awaited. No queues: it is granted."""
        if not queues:
            self._end(True, "done", "")
            return
        self.started = True
        self._answered = False
        self._attempt += 1
        attempt = self._attempt
        # Without a queue's name one action is for all of them. app_queue (1.4 to 22) then sends one
        # paused event for each queue that the interface is in, also where it was in that state before: so
        # each can be awaited.
        self._missing = set(queues)
        reason = stored_text(self._wish.reason)
        action = actions.queue_pause(self._interface, paused=self._wish.paused, reason=reason)
        self._link.submit(action, lambda outcome: self._answer(attempt, outcome))
        if self.started:  # not if the link turned out to be down
            self._acknowledge("pending")

    def saw(self, queue: str, paused: bool) -> None:
        """Asterisk said of one queue (its key) that the member is paused now, or not."""
        if self.started and paused == self._wish.paused:
            self.no_member_of(queue)

    def no_member_of(self, queue: str) -> None:
        """No word of this queue (its key) is awaited any more."""
        self._missing.discard(queue)
        self._check()

    def refuse(self, reason: str) -> None:
        """End the request without success."""
        self._end(False, "failed", reason)

    def _acknowledge(self, step: PauseStep) -> None:
        if not self._acknowledged and not self._ended:
            self._acknowledged = True
            self._progress(step, "")

    def _answer(self, attempt: int, outcome: ActionOutcome) -> None:
        if self._ended or attempt != self._attempt:
            return
        if outcome.failure == "down":
            self.link_down()
        elif outcome.ok:
            self._answered = True
            self._check()
        else:
            self.refuse(NOT_ANSWERED if outcome.failure == "timeout" else short_reason(outcome.message))

    def _check(self) -> None:
        if self.started and self._answered and not self._missing:
            self._end(True, "done", "")

    def _end(self, worked: bool, step: PauseStep, text: str) -> None:
        if self._ended:
            return
        self._ended = True
        self._cancel_timer()
        self._over(worked)
        self._progress(step, text)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
