"""What is asked of Asterisk: every action gets a number, is sent, and is answered exactly once.

`AmiRequests` is what the rest of the server has of the AMI thread: it is there before the link, and outlives
each connection.
"""

from __future__ import annotations

import itertools
import logging
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from astcti_server.ami.actions import AmiAction
from astcti_server.ami.loop import AmiLoop
from astcti_server.ami.pending import ActionFailure, ActionOutcome, OutcomeCallback, PendingActions
from astcti_server.ami.privileges import Privileges
from astcti_server.ami.timers import AmiTimer, AmiWork
from astcti_server.ami.wire.event_filter import LIST_ENTRIES
from astcti_server.ami.wire.messages import AmiEvent, AmiResponse

logger = logging.getLogger(__name__)

OWN_ANSWER_WITHIN: Final = 30.0  # seconds, for what the link itself asks


class AmiRequests:
    """Actions, posted work and timers of one link. `submit`, `post` and `up` are for any thread.

    While there is no connection each action is answered with `down`.
    """

    def __init__(
        self,
        username: str,
        clock: Callable[[], float] = time.monotonic,
        timed: Callable[[ActionFailure, float], None] | None = None,
    ) -> None:
        """`username` is the manager user, for what the log says of its privileges.

        `timed` is told of each action that was sent what came of it, and after how many seconds.
        """
        self.loop = AmiLoop(clock)
        """For the link, which runs it."""
        self.privileges = Privileges(username)
        """For the link; told here what was carried out or refused."""
        self._pending = PendingActions(self.loop.timers, self._answered)
        self._timed = timed
        self._write: Callable[[bytes], None] | None = None
        # Asterisk sends an OriginateResponse to every manager, with the ActionID of whoever asked: a prefix
        # of our own keeps other programs' numbers from being taken for ours.
        self._prefix = f"astcti-{secrets.token_hex(4)}-"
        self._numbers = itertools.count(1)

    # -- any thread ----------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Whether there is a connection that is logged in."""
        return self._write is not None

    def post(self, work: AmiWork) -> None:
        """Have `work` run on the AMI thread, in order, whatever the state of the link; not after its end."""
        if not self.loop.post(work):
            logger.debug("The AMI thread is over: %r is not run", work)

    def submit(self, action: AmiAction, done: OutcomeCallback, *, timeout: float = 5.0) -> str:
        """Send an action; returns its ActionID.

        `done` is called exactly once, on the AMI thread and never before this returns: with the answer, with
        failure `timeout` after `timeout` seconds, or with `down` when there is no connection or it is lost.
        (After the thread's end it is called at once, on the calling thread.) Raises ValueError, and calls
        nothing, for values that cannot be sent.
        """
        action_id = self._next_id()
        data = action.encode(action_id)
        if self.loop.is_here and self.up:
            # Most of what is submitted comes from work that was posted: it need not wait in the inbox again.
            self._send(action_id, action, data, done, timeout)
        elif not self.loop.post(partial(self._send, action_id, action, data, done, timeout)):
            done(ActionOutcome(False, "the server stops", failure="down"))
        return action_id

    # -- AMI thread ----------------------------------------------------------------------------------------

    def now(self) -> float:
        """The time of the thread's clock, in seconds."""
        return self.loop.clock()

    def later(self, seconds: float, work: AmiWork) -> AmiTimer:
        """Have `work` run after so many seconds, whatever the state of the link."""
        return self.loop.timers.later(seconds, work)

    def next_login_id(self) -> str:
        """The ActionID of one of the login's own actions."""
        return f"{self._next_id()}-login"

    @property
    def logoff_id(self) -> str:
        """The ActionID of the farewell."""
        return f"{self._prefix}logoff"

    def begin(self, write: Callable[[bytes], None]) -> None:
        """Logged in: from now on actions go out through `write`, which raises nothing."""
        self._write = write

    def end(self, reason: str) -> None:
        """The connection is gone: nobody gets an answer any more."""
        self._write = None
        self._pending.fail_all(reason)

    def ask(self, action: AmiAction, done: OutcomeCallback, timeout: float = OWN_ANSWER_WITHIN) -> None:
        """Send an action at once, before what is posted."""
        action_id = self._next_id()
        self._send(action_id, action, action.encode(action_id), done, timeout)

    def take_response(self, response: AmiResponse) -> None:
        """Give a response to whom it belongs."""
        self._pending.take_response(response)

    def take_event(self, event: AmiEvent) -> bool:
        """Keep an event that is part of an answer, or of one that nobody waits for any more; else False."""
        listed = event.name in LIST_ENTRIES
        if (listed or self._pending.lists) and self._pending.take_event(event):
            return True
        return listed and bool(event.action_id)

    def _next_id(self) -> str:
        return f"{self._prefix}{next(self._numbers)}"

    def _send(
        self, action_id: str, action: AmiAction, data: bytes, done: OutcomeCallback, timeout: float
    ) -> None:
        if self._write is None:
            self._answered(action, ActionOutcome(False, "Asterisk is not connected", failure="down"), done)
            return
        logger.debug("Action %s: %r", action_id, action)
        if self._timed is not None:
            done = _timing(done, self._timed, self.loop.clock)
        self._pending.add(action_id, action, done, timeout)
        self._write(data)

    def _answered(self, action: AmiAction, outcome: ActionOutcome, done: OutcomeCallback) -> None:
        if outcome.ok:
            self.privileges.carried_out(action.name)
        elif outcome.failure == "refused":
            self.privileges.refused(action.name, outcome.message)
        self.loop.guarded(partial(done, outcome))


def _timing(
    done: OutcomeCallback, timed: Callable[[ActionFailure, float], None], clock: Callable[[], float]
) -> OutcomeCallback:
    begun = clock()

    def timed_and_done(outcome: ActionOutcome) -> None:
        timed(outcome.failure, clock() - begun)
        done(outcome)

    return timed_and_done
