"""Why Asterisk did not do what was asked of it, in the few words that a client is told."""

from __future__ import annotations

from schemas.protocol import Refusal

NOT_ANSWERED = Refusal.ASTERISK_SILENT.text()


def short_reason(message: str) -> str:
    """Asterisk's `Unable to add interface to queue: No such queue` as `No such queue`."""
    return message.rpartition(": ")[2].strip() or Refusal.ASTERISK_REFUSED.text()
