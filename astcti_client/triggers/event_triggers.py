"""From an event to its triggers, and to what the server is told of them. No Tk; for one thread.

A server that resumes hears for each event with triggers, and for each new conversation, when it is on the
screen (SHOWN), and why a trigger was not carried out. After that the event counts as handled, on disk too:
a client that is killed before hears of it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from astcti_client.resume_position import ResumePosition
from astcti_client.triggers.runner import DueTrigger, TriggerOutcome, TriggerRunner
from astcti_client.triggers.trigger_memory import TriggerMemory
from schemas.events import Action, CallEvent
from schemas.protocol import CommandName, TriggerFailure

MOST_BEHIND: Final = 128
"""Events that are told again to a new process, for the sake of calls that go on; the server keeps 256."""


@dataclass(slots=True)
class _Report:
    """What is to be said of an event."""

    event: CallEvent
    epoch: str
    arrived: float
    open: int
    """Triggers that nobody decided about yet."""
    asked: bool = False
    """Somebody was asked: then the time until it was shown is his."""
    drawn: bool = False
    done: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What is being put on the screen at one time."""

    reports: tuple[_Report, ...]
    place: str
    epoch: str
    seq: int
    first: int


class EventTriggers:
    """Hands out what events ask for, and says what became of it."""

    def __init__(
        self,
        runner: TriggerRunner,
        memory: TriggerMemory,
        say: Callable[[str, str], None],
        clock: Callable[[], float],
    ) -> None:
        """`memory` is that of `runner`. `say` sends a line for an epoch; it never waits.

        `clock` is the one of `hear`'s `arrived`.
        """
        self._runner, self._memory = runner, memory
        self._say, self._clock = say, clock
        self._reports: dict[tuple[str, int], _Report] = {}
        self._to_draw: list[_Report] = []
        self._drawings: deque[_Drawing] = deque()
        self._last = ("", "", 0)

    def use(self, runner: TriggerRunner) -> None:
        """Another runner does it from now on, with the same memory."""
        self._runner = runner

    def hear(self, event: CallEvent, *, trusted: bool, epoch: str, arrived: float) -> list[DueTrigger]:
        """The triggers that are due with this event: each goes to `do` or `refuse`, once, perhaps later."""
        due = self._runner.due(event, trusted=trusted, epoch=epoch)
        if not epoch:
            return due
        if epoch != self._last[1]:  # of the one before nobody wants to hear any more
            self._reports.clear()
        self._last = (self._memory.place, epoch, event.seq)
        if event.triggers or (event.id == "Link" and not event.repeat):
            report = _Report(event, epoch, arrived, len(due))
            self._reports[epoch, event.seq] = report
            self._to_draw.append(report)
            if self._runner.concerns_others(event):
                report.failed = len(event.triggers)
                for action in event.triggers:
                    self._say_failed(epoch, event, action, TriggerFailure.OTHER_SYSTEM)
        return due

    def do(self, due: DueTrigger) -> TriggerOutcome:
        """Carry it out, or say that it was interrupted."""
        outcome = self._runner.do(due)
        self._decided(due, outcome.failure)
        return outcome

    def refuse(self, due: DueTrigger, failure: TriggerFailure) -> None:
        """It is not carried out, now or later."""
        self._runner.refuse(due)
        self._decided(due, failure)

    def asks(self, due: DueTrigger) -> None:
        """The user is asked whether to carry it out."""
        if report := self._reports.get((due.epoch, due.event.seq)):
            report.asked = True

    def finished(self) -> list[TriggerOutcome]:
        """As `TriggerRunner.finished`."""
        outcomes = self._runner.finished()
        for outcome in outcomes:
            if outcome.due is not None:
                self._say_due_failed(outcome.due, outcome.failure)
        return outcomes

    def shows(self, first: int = 0) -> None:
        """Everything heard so far is being put on the screen; `drawn` is called for it once it is there.

        `first` is the number of the first event of the calls that go on, 0 if there is none: from there a
        new process has to be told again to show them.
        """
        self._drawings.append(_Drawing(tuple(self._to_draw), *self._last, first))
        self._to_draw = []

    def drawn(self) -> None:
        """It is there: for each `shows`, in their order."""
        drawing = self._drawings.popleft()
        for report in drawing.reports:
            report.drawn = True
            if not report.open:
                self._say_shown(report)
        if not drawing.epoch:
            return
        before = self._memory.position(drawing.place)
        known = drawing.seq
        if before is not None and before.epoch == drawing.epoch:
            known = max(known, before.known)
        undecided = [report.event.seq for report in self._reports.values() if report.epoch == drawing.epoch]
        least = min((seq for seq in (drawing.first, *undecided) if seq), default=drawing.seq + 1)
        start = min(least - 1, drawing.seq)
        if known - start > MOST_BEHIND:
            start = drawing.seq
        self._memory.handled(drawing.place, ResumePosition(drawing.epoch, start, known))

    def _decided(self, due: DueTrigger, failure: TriggerFailure | None) -> None:
        report = self._reports.get((due.epoch, due.event.seq))
        if report is None:
            return
        report.open -= 1
        if failure is None:
            report.done += 1
        else:
            report.failed += 1
            self._say_due_failed(due, failure)
        if not report.open and report.drawn:
            self._say_shown(report)

    def _say_due_failed(self, due: DueTrigger, failure: TriggerFailure | None) -> None:
        self._say_failed(due.epoch, due.event, due.action, failure or TriggerFailure.FAILED)

    def _say_failed(self, epoch: str, event: CallEvent, action: Action, why: TriggerFailure) -> None:
        if epoch and action.key:
            self._say(epoch, f"{CommandName.SHOWN} {event.seq} KO {action.key} {why}")

    def _say_shown(self, report: _Report) -> None:
        self._reports.pop((report.epoch, report.event.seq), None)
        if report.failed and not report.done:
            return
        line = f"{CommandName.SHOWN} {report.event.seq}"
        if not report.asked and not report.event.late:
            line += f" {max(0.0, self._clock() - report.arrived) * 1000:.0f}"
        self._say(report.epoch, line)
