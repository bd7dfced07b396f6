"""Actions under way: who waits for which answer. AMI thread only.

Asterisk carries out one action of a connection after the other, and sends events between two of them
(manager.c, process_message): so a response comes before the events that its action caused, and one without an
ActionID, which 1.4 and 1.6 send now and then (ListCommands, errors), answers the oldest action that has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from astcti_server.ami.actions import AmiAction
from astcti_server.ami.timers import AmiTimer, Timers
from astcti_server.ami.wire.messages import AmiEvent, AmiResponse

ActionFailure = Literal["", "down", "timeout", "refused"]

MOST_LISTED: Final = 100_000  # entries of a list; a large PBX has some thousand channels
FORGOTTEN_KEPT: Final = 1000  # unanswered ActionIDs remembered for the order of responses


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """What became of an action."""

    ok: bool
    message: str
    """Asterisk's words, or why there are none."""
    response: AmiResponse | None = None
    events: tuple[AmiEvent, ...] = ()
    """What an action that lists something listed, its last event included; also before a refusal."""
    failure: ActionFailure = ""
    """`down`: no connection, or lost meanwhile; `timeout`: no whole answer in time; `refused` by Asterisk."""


OutcomeCallback = Callable[[ActionOutcome], None]


class _WaitingAction:
    __slots__ = ("action", "done", "events", "response", "timer")

    def __init__(self, action: AmiAction, done: OutcomeCallback, timer: AmiTimer) -> None:
        self.action = action
        self.done = done
        self.timer = timer
        self.response: AmiResponse | None = None
        self.events: list[AmiEvent] = []

    def answered_by(self, response: AmiResponse) -> None:
        """The response is here; of an action that lists something the events are still to come."""
        self.response = response


class PendingActions:
    """Every action is answered exactly once: by Asterisk, by its time limit, or by the end of the link."""

    def __init__(
        self, timers: Timers, answered: Callable[[AmiAction, ActionOutcome, OutcomeCallback], None]
    ) -> None:
        """`answered` is told of each outcome and has to call what is done with it."""
        self._timers = timers
        self._answered = answered
        self._waiting: dict[str, _WaitingAction] = {}
        self._unanswered: dict[str, None] = {}
        self.lists = 0
        """How many actions that list something are under way."""

    def add(self, action_id: str, action: AmiAction, done: OutcomeCallback, timeout: float) -> None:
        """Register an action before its bytes leave."""
        timer = self._timers.later(timeout, partial(self._expired, action_id, timeout))
        self._waiting[action_id] = _WaitingAction(action, done, timer)
        self._unanswered[action_id] = None
        while len(self._unanswered) > FORGOTTEN_KEPT:
            del self._unanswered[next(iter(self._unanswered))]
        self.lists += bool(action.list_end)

    def take_response(self, response: AmiResponse) -> None:
        """Give a response to whom it belongs."""
        action_id = response.action_id or next(iter(self._unanswered), "")
        self._unanswered.pop(action_id, None)
        waiting = self._waiting.get(action_id)
        if waiting is None:
            return
        waiting.answered_by(response)
        if not response.ok:
            self._finish(
                action_id,
                ActionOutcome(False, response.message, response, tuple(waiting.events), failure="refused"),
            )
        elif not waiting.action.list_end:
            self._finish(action_id, ActionOutcome(True, response.message, response))

    def take_event(self, event: AmiEvent) -> bool:
        """Collect an event that an action of ours asked for; False if the event is not of that kind."""
        action_id = event.action_id
        waiting = self._waiting.get(action_id) if action_id else None
        if waiting is None or not waiting.action.list_end:
            return False
        if len(waiting.events) >= MOST_LISTED:
            self._finish(action_id, ActionOutcome(False, "the list has no end", failure="refused"))
            return True
        waiting.events.append(event)
        # `EventList: Complete` is from 1.6 on, and not in every list; the last event's name is known anyway.
        if event.name == waiting.action.list_end or event.get("EventList").lower() == "complete":
            message = waiting.response.message if waiting.response is not None else ""
            self._finish(action_id, ActionOutcome(True, message, waiting.response, tuple(waiting.events)))
        return True

    def fail_all(self, reason: str) -> None:
        """The link is down: nobody gets an answer any more."""
        self._unanswered.clear()
        for action_id in list(self._waiting):
            self._finish(action_id, ActionOutcome(False, reason, failure="down"))

    def _expired(self, action_id: str, timeout: float) -> None:
        waiting = self._waiting.get(action_id)
        if waiting is not None:
            message = f"Asterisk did not answer within {timeout:g} s"
            events = tuple(waiting.events)
            self._finish(
                action_id, ActionOutcome(False, message, waiting.response, events, failure="timeout")
            )

    def _finish(self, action_id: str, outcome: ActionOutcome) -> None:
        waiting = self._waiting.pop(action_id)
        waiting.timer.cancel()
        self.lists -= bool(waiting.action.list_end)
        self._answered(waiting.action, outcome, waiting.done)
