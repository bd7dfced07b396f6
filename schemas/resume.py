"""What both ends of a resumed session have to agree about. Standard library only.

A client that says RESUME before it logs in gets numbered events. The numbers belong to an epoch: the time in
which one server kept what it told one operator at one seat. `docs/protocol.md` has the rules.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import Final

from schemas.configuration.model import Trigger

EPOCH: Final = re.compile(r"[0-9a-f]{16}")
"""An epoch, and a trigger's key: 16 hexadecimal digits."""
MOST_SEQ: Final = 2**31 - 1
"""No number of an event is larger."""
KEPT_FOR: Final = 180.0
"""Seconds for which a server keeps what it tells a client whose connection was lost."""


class TriggerFailure(StrEnum):
    """Why a client did not carry a trigger out, as SHOWN says it: one word."""

    NOT_ALLOWED = "not-allowed"
    """Its settings do not allow the program."""
    NOT_FOUND = "not-found"
    """There is no such program."""
    NO_BROWSER = "no-browser"
    """It found nothing to open a page with."""
    TRIGGERS_OFF = "triggers-off"
    """It is set to carry out none."""
    INTERRUPTED = "interrupted"
    """It ended while it began to, and does not try again by itself."""
    NOT_CONFIRMED = "not-confirmed"
    """It is set to ask first, and nobody said yes."""
    FAILED = "failed"
    """Something else."""


def trigger_key(service: str, trigger: Trigger) -> str:
    """Which trigger of which service: 16 hexadecimal digits.

    By what it does and when, not by its place: another one that is put before it changes nothing. Not
    remembered: that would keep old configurations' triggers, and takes 2 µs where one is sent.
    """
    parts = (
        service,
        trigger.type,
        trigger.on,
        trigger.os,
        trigger.application,
        trigger.parameters,
        trigger.url,
    )
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
