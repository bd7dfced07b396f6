"""Texts that come from Asterisk or go there, and what it does to them. Pure."""

from __future__ import annotations

from schemas.protocol import Refusal

_SEPARATORS = str.maketrans(";,|", "  /")
NOT_ANSWERED = Refusal.ASTERISK_SILENT.text()

TEXT_LIMIT = 79
"""Bytes of a member's name, its state interface or a pause reason.

app_queue keeps each in an array of 80 bytes (`membername`, `state_interface`, from 13 on `reason_paused`).
It cuts what is longer at that byte, also in the middle of a character. We cut first, at a character, so
that nobody reads half of one.
"""


def short_reason(message: str) -> str:
    """Asterisk's `Unable to add interface to queue: No such queue` as `No such queue`."""
    return message.rpartition(": ")[2].strip() or Refusal.ASTERISK_REFUSED.text()


def plain_text(text: str) -> str:
    """A name or a reason fit for an AMI line: no control characters, no longer than Asterisk keeps."""
    clean = "".join(character if character.isprintable() else " " for character in text).strip()
    return kept(clean).rstrip()


def stored_text(text: str) -> str:
    """A name or a reason as it is sent: without the separators of Asterisk's own database.

    With `persistentmembers` app_queue writes `interface;penalty;paused;name;state interface;reason|...`
    into astdb, escapes nothing, and takes a comma for a `|` when it reads (reload_queue_members; seen with 16
    and 22). A reason `Lunch|PJSIP/203;0;0;Ghost` would be a member after a restart, and of `Rossi, Mario` the
    second half.
    """
    return " ".join(plain_text(text).translate(_SEPARATORS).split())


def is_same_reason(own: str, told: str) -> bool:
    """Whether Asterisk's reason is the one that we sent for the operator's own words, as far as it tells it.

    Before 13 no list has a reason, 1.4 has none at all, and app_queue may cut it.
    """
    return stored_text(own).startswith(told)


def kept(text: str) -> str:
    """As much of a text as fits into the arrays of app_queue."""
    return text.encode()[:TEXT_LIMIT].decode(errors="ignore")
