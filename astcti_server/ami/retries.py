"""How often to try to connect, and what the log says of it. AMI thread only."""

from __future__ import annotations

import logging

from schemas.server.settings import AmiSettings

logger = logging.getLogger(__name__)


class Retries:
    """Counts failed attempts, anew after each login. The log has each reason once, however often it comes."""

    def __init__(self, settings: AmiSettings) -> None:
        self._settings = settings
        self._failures = 0
        self._told = ""

    def succeeded(self) -> None:
        """Logged in."""
        self._failures = 0
        self._told = ""

    def failed(self, reason: str) -> bool:
        """An attempt failed, for whatever reason; returns whether there may be another."""
        self._failures += 1
        retries = self._settings.retries
        if retries is not None and self._failures > retries:
            logger.error("No connection to Asterisk after %d attempts: %s", self._failures, reason)
            return False
        level = logging.DEBUG if reason == self._told else logging.WARNING
        logger.log(level, "No connection to Asterisk, next try in %g s: %s", self._settings.pause, reason)
        self._told = reason
        return True
