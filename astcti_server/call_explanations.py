"""Explains calls of the running server to other threads: asks the AMI thread for trails, judges them itself.

The AMI thread only hands out references and copies, and never waits. Whoever asks waits for it, two seconds
at most.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from astcti_server.calls.tracker import Tracker
from astcti_server.explain.explanations import CallsOfAMoment, Explanation
from astcti_server.explain.heard_names import nothing_kept
from astcti_server.explain.kept_names import NamesKept
from astcti_server.explain.packed_trails import unpack
from astcti_server.explain.server_marks import MarksView, ServerMarks
from astcti_server.explain.trail import related_to

WITHIN: Final = 2.0  # seconds that one waits for the AMI thread

T = TypeVar("T")


class NotExplained(Exception):
    """The AMI thread did not answer in time."""


class CallExplanations:
    """Any thread but the AMI thread, which would wait for itself."""

    def __init__(
        self,
        post: Callable[[Callable[[], None]], object],
        tracker: Tracker,
        marks: ServerMarks,
        dialplan_heard: Callable[[], bool],
        kept: Callable[[], Iterable[bytes]] | None = None,
        encoding: str = "cp1252",
        *,
        within: float = WITHIN,
    ) -> None:
        """`post` has work done on the AMI thread. `dialplan_heard`: see `ServerMarks.view`.

        `kept`: each block of what Asterisk said that is still there, the oldest first; None: nothing is.
        """
        self._kept = kept
        self._encoding = encoding
        self._post = post
        self._tracker = tracker
        self._marks = marks
        self._dialplan_heard = dialplan_heard
        self._within = within

    def explain(self, what: str) -> list[Explanation]:
        """See `CallsOfAMoment.explain`. Raises NotExplained."""
        return self._ask(self._everything).explain(what)

    def explain_leg(self, extension: str, uniqueid: str) -> Explanation | None:
        """The answer for a seat's own leg; None if it is not known as that seat's. Raises NotExplained."""
        calls = self._ask(lambda: self._of_leg(extension, uniqueid))
        return calls.explain_leg(extension, uniqueid)

    def _ask(self, question: Callable[[], T]) -> T:
        answered = threading.Event()
        answers: list[T] = []

        def answer() -> None:
            try:
                answers.append(question())
            finally:
                answered.set()

        self._post(answer)
        if not answered.wait(self._within) or not answers:
            raise NotExplained
        return answers[0]

    # -- on the AMI thread ---------------------------------------------------------------------------------

    def _everything(self) -> CallsOfAMoment:
        trails = self._tracker.trails
        trails.kept.forget_old(trails.clock())
        heard = NamesKept(self._kept, self._encoding) if self._kept is not None else nothing_kept
        return CallsOfAMoment(trails.kept.all(), self._tracker.running_trails(), self._view(), heard)

    def _of_leg(self, extension: str, uniqueid: str) -> CallsOfAMoment:
        """The leg, whom it names, and nobody else: a copy of everything is not needed for one call.

        Clients ask for this at each end of a call: kept bytes are not looked through for it.
        """
        kept_trails = self._tracker.trails.kept
        running = self._tracker.trail_of(extension, uniqueid)
        packed = kept_trails.find(uniqueid)
        own = running[:1] or ([unpack(packed)] if packed is not None else [])
        wanted = [uniqueid, *(name for record in own for name in related_to(record))]
        kept = {name: found for name in wanted if (found := kept_trails.find(name)) is not None}
        running += self._tracker.trails_with([name for name in wanted if name not in kept])
        return CallsOfAMoment(kept, running, self._view())

    def _view(self) -> MarksView:
        return self._marks.view(dialplan_heard=self._dialplan_heard())
