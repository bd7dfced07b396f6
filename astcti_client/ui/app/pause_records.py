"""Keeps the pause for the next run of the client, and brings back that of the last one. Main thread."""

from __future__ import annotations

from collections.abc import Callable

from astcti_client.ui.state.pause_file import LeftPause, PauseFile
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.state.seat_state import Pause


class PauseRecords:
    """Writes when the pause is another one, which is seldom."""

    def __init__(self, file: PauseFile, model: SeatModel, clock: Callable[[], float]) -> None:
        """`clock` is the model's."""
        self._file, self._model, self._clock = file, model, clock
        self._place = ""
        self._noted: Pause | None = None

    def begin(self, place: str) -> None:
        """A session begins with this server, for this user."""
        self._place = place
        if left := self._file.load(place):
            self._model.pause_left(left.reason, left.lasts)
        self._noted = self._model.kept_pause

    def note(self) -> None:
        """Look whether the pause is another one. Any number of times."""
        kept = self._model.kept_pause
        if kept == self._noted or not self._place:
            return
        self._noted = kept
        lasts = self._clock() - kept.since if kept is not None else 0.0
        self._file.save(self._place, LeftPause(kept.reason, lasts) if kept is not None else None)

    def log_out(self) -> None:
        """The session is over, and its pause with it."""
        if self._place:
            self._file.save(self._place, None)
        self._place, self._noted = "", None
