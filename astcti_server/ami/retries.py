"""How often, and when, to try to connect, and what the log says of it. AMI thread only."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from schemas.server.settings import AmiSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionFailure:
    """Why there is no connection to Asterisk: what the last attempt said."""

    reason: str
    since: float
    """When an attempt said so first, with no other reason in between; seconds since 1970."""
    attempts: int
    """How many failed since the last link that worked, whatever the reason."""


class Retries:
    """Counts failed attempts, anew after each link that worked. Each reason is logged once, however often.

    A link that lived for less than `pause` counts as a failed attempt too: an Asterisk that lets us in and
    throws us out again and again is to be left in peace between two of them.
    """

    def __init__(self, settings: AmiSettings) -> None:
        self._settings = settings
        self._failures = 0
        self._told = ""
        self._began = 0.0
        self.failure: ConnectionFailure | None = None
        """None since the last login, or before the first attempt. Replaced as a whole, for any thread."""

    def succeeded(self, now: float) -> None:
        """Logged in, at this time of the loop's clock."""
        self._began = now
        self.failure = None

    def lost(self, now: float, reason: str) -> float | None:
        """A link that was logged in is lost. Returns as `failed`; 0 if it worked: Asterisk may be there."""
        lasted = now - self._began
        if lasted < self._settings.pause:
            return self.failed(f"{reason}, soon after the login")
        self._failures = 0
        self._told = ""
        return 0.0

    def failed(self, reason: str) -> float | None:
        """An attempt failed, for whatever reason. Returns the seconds until the next one; None: no more."""
        self._failures += 1
        before = self.failure
        since = before.since if before is not None and before.reason == reason else time.time()
        self.failure = ConnectionFailure(reason, since, self._failures)
        retries = self._settings.retries
        if retries is not None and self._failures > retries:
            logger.error("No connection to Asterisk after %d attempts: %s", self._failures, reason)
            return None
        level = logging.DEBUG if reason == self._told else logging.WARNING
        logger.log(level, "No connection to Asterisk, next try in %g s: %s", self._settings.pause, reason)
        self._told = reason
        return self._settings.pause
