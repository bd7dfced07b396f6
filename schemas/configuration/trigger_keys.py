"""Which trigger of which service an event's trigger is, for clients that resume. Standard library only."""

from __future__ import annotations

import hashlib

from schemas.configuration.model import Trigger


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
