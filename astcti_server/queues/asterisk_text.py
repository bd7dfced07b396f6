"""Texts that come from Asterisk or go there, and what it does to them. Pure."""

from __future__ import annotations

from schemas.protocol import Refusal

NOT_ANSWERED = Refusal.ASTERISK_SILENT.text()

TEXT_LIMIT = 79
"""Bytes of a member's name or a pause reason.

app_queue keeps both in arrays of 80 bytes (`membername`, from 13 on also `reason_paused`). It cuts what
is longer at that byte, also in the middle of a character. We cut first, at a character, so that nobody
reads half of one.
"""


def short_reason(message: str) -> str:
    """Asterisk's `Unable to add interface to queue: No such queue` as `No such queue`."""
    return message.rpartition(": ")[2].strip() or Refusal.ASTERISK_REFUSED.text()


def plain_text(text: str) -> str:
    """A name or a reason fit for an AMI line: no control characters, no longer than Asterisk keeps."""
    clean = "".join(character if character.isprintable() else " " for character in text).strip()
    return clean.encode()[:TEXT_LIMIT].decode(errors="ignore").rstrip()
