"""Says in the log what is in force, and what stays so. Any thread."""

from __future__ import annotations

import logging
from pathlib import Path

from astcti_server.config.store import ConfigSnapshot
from schemas.configuration.directory import SETTINGS_NAME

logger = logging.getLogger(__name__)


def log_in_force(loaded: ConfigSnapshot, before: ConfigSnapshot | None = None) -> None:
    """Say which file is in force and how much is in it; `before` is what it takes the place of."""
    found = loaded.configuration
    counts = [
        _count(len(found.services), "service"),
        _count(len(found.seats), "seat"),
        _count(len(found.operators), "operator"),
    ]
    instead = f"; before: {before.path.name}" if before is not None and before.path != loaded.path else ""
    logger.info("%s is in force now (%s%s)", loaded.path.name, ", ".join(counts), instead)


def log_settings_in_force() -> None:
    """Say that changed settings of server.xml apply from now on."""
    logger.info("%s: its new settings are in force now", SETTINGS_NAME)


def log_refused(refused: Path, in_force: Path) -> None:
    """Say what goes on to be in force although this file was refused."""
    if refused.name == SETTINGS_NAME:
        logger.warning("%s is refused, the settings read before stay in force", refused)
    elif refused == in_force:
        logger.warning("%s is refused, what it said before stays in force", refused)
    else:
        logger.warning("%s is refused, %s stays in force", refused, in_force)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
