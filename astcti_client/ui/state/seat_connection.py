"""Whether the server and, behind it, the PBX can be reached, as the seat hears it. No Tk, no I/O."""

from __future__ import annotations

from collections.abc import Callable

from astcti_client.net.messages import ConnectionState


class SeatConnection:
    """The connection of one operator, over all its attempts."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never go back."""
        self._clock = clock
        self.state = ConnectionState("connecting", "")
        self.pbx_up = True
        self.trouble: ConnectionState | None = None
        """Why there is, or was last, no connection; None once there is one."""
        self.retry_at: float | None = None
        """When the next attempt to connect begins, by the clock; None while nobody waits for it."""

    @property
    def up(self) -> bool:
        """Whether commands are welcome."""
        return self.state.phase == "up"

    def changed(self, state: ConnectionState) -> None:
        """It is so now."""
        self.state = state
        self.retry_at = self._clock() + state.retry_in if state.phase == "waiting" else None
        if state.phase in ("up", "waiting", "ended"):
            self.trouble = state if state.phase != "up" else None
        if state.phase == "logging-in":
            self.pbx_up = True

    def pbx_lost(self) -> None:
        """The server says that the PBX cannot be reached."""
        self.pbx_up = False

    def pbx_back(self) -> None:
        """The server says that it is there again."""
        self.pbx_up = True
