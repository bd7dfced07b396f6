"""Puts calls that are over into the history, and why they popped up or not. Main thread."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from astcti_client.net.connection import NotConnected
from astcti_client.ui.state.history import History, entry_of
from astcti_client.ui.state.preferences import Preferences
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.state.seat_session import SeatSession
from astcti_client.ui.state.verdicts import own_verdict
from schemas.protocol import CommandName

MOST_ASKED: Final = 100
"""Calls whose answer is awaited; of more the oldest is let go of."""


class CallRecords:
    """The server is asked of those that nothing popped up for: of the others the client knows."""

    def __init__(
        self, history: History, preferences: Preferences, model: SeatModel, session: SeatSession
    ) -> None:
        self._history, self._preferences = history, preferences
        self._model, self._session = model, session
        self._asked: dict[str, int] = {}
        """The number in the history of each call that the server was asked of."""
        self.count_missed()

    def add(self, call: SeatCall) -> None:
        """Keep a call that is over."""
        now, wall = time.monotonic(), time.time()
        why = own_verdict(
            call,
            self._model.extension,
            self._model.username,
            triggers=self._preferences.now.triggers,
            now=now,
            wall=wall,
        )
        entry = replace(entry_of(call, now, wall), why=why)
        number = self._history.add(entry)
        if entry.kind == "missed":
            self.count_missed()
        if not why and number and self._model.explains and not call.unconfirmed:
            self._ask(call.key, number)

    def count_missed(self) -> None:
        """Have the model know how many missed calls nobody looked at yet."""
        self._model.missed_counted(self._history.missed_unseen())

    def explain(self, key: str, verdict: str) -> None:
        """The server's answer."""
        number = self._asked.pop(key, 0)
        if number:
            self._history.explain(number, verdict)

    def _ask(self, key: str, number: int) -> None:
        try:
            self._session.send(f"{CommandName.WHY} {key}")
        except (NotConnected, ValueError):
            return
        if len(self._asked) >= MOST_ASKED:
            del self._asked[next(iter(self._asked))]
        self._asked[key] = number
