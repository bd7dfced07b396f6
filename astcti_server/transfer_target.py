"""Whether the dialplan has what a call is to be transferred to: asked before, for afterwards it is too late.

`Redirect` answers Success also where there is no such extension, and the call is gone (Asterisk 16 and 22).
AMI thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from astcti_server.ami import actions
from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.requests import AmiRequests

CHECK_WITHIN = 2.0  # seconds, for all that is asked about one target
MOST_CONTEXTS = 20
"""Contexts looked into for a `switch`. Each is listed as a whole, and the client waits meanwhile."""

# What ShowDialPlan says of a number or a context that is not there (pbx.c, from 1.6 to 22).
_NOT_FOUND = ("did not find extension", "did not find context")


class TransferTarget(Enum):
    """What is known of an extension in a context."""

    THERE = auto()
    MISSING = auto()
    UNKNOWN = auto()
    """A `switch` decides, no answer in time, the manager user may not ask, or Asterisk is a 1.4."""


class TransferTargetCheck:
    """One question, answered once through `done`, after `CHECK_WITHIN` at the latest."""

    def __init__(
        self, requests: AmiRequests, context: str, exten: str, done: Callable[[TransferTarget], None]
    ) -> None:
        self._requests = requests
        self._done = done
        self._over = False
        self._waiting: list[str] = [context]
        """Contexts that have yet to be looked into for a `switch`."""
        self._met = {context}
        self._deadline = requests.later(CHECK_WITHIN, lambda: self._end(TransferTarget.UNKNOWN))
        requests.submit(actions.show_dialplan(context, exten), self._answered, timeout=CHECK_WITHIN)

    def _answered(self, outcome: ActionOutcome) -> None:
        if outcome.ok:
            self._end(TransferTarget.THERE)
        elif outcome.failure != "refused" or not outcome.message.lower().startswith(_NOT_FOUND):
            self._end(TransferTarget.UNKNOWN)
        elif not outcome.message.lower().startswith(_NOT_FOUND[0]):
            self._end(TransferTarget.MISSING)  # no context, nothing to look into
        elif _has_switch(outcome):
            self._end(TransferTarget.UNKNOWN)
        else:
            self._look_for_switch()

    def _look_for_switch(self) -> None:
        """Asked for a number, Asterisk looks into included contexts, but does not tell of their switches."""
        if not self._waiting:
            self._end(TransferTarget.MISSING)
        elif len(self._met) > MOST_CONTEXTS:
            self._end(TransferTarget.UNKNOWN)
        else:
            action = actions.show_dialplan(self._waiting.pop())
            self._requests.submit(action, self._listed, timeout=CHECK_WITHIN)

    def _listed(self, outcome: ActionOutcome) -> None:
        if self._over:
            return
        absent = outcome.message.lower().startswith(_NOT_FOUND)  # included, but nowhere defined
        if _has_switch(outcome) or not (outcome.ok or absent):
            self._end(TransferTarget.UNKNOWN)
            return
        # `tenant|9:00-17:00|...`: an include may hold at certain times only.
        included = [event.get("IncludeContext").partition("|")[0] for event in outcome.events]
        for context in included:
            if context and context not in self._met:
                self._met.add(context)
                self._waiting.append(context)
        self._look_for_switch()

    def _end(self, target: TransferTarget) -> None:
        if not self._over:
            self._over = True
            self._deadline.cancel()
            self._done(target)


def _has_switch(outcome: ActionOutcome) -> bool:
    """Whether a context asks a database or another Asterisk for the numbers that it does not know."""
    return any(event.get("Switch") for event in outcome.events)
