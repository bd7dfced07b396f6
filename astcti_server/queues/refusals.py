"""Why Asterisk did not do what was asked of it, in the few words that a client is told."""

NOT_ANSWERED = "Asterisk did not answer"


def short_reason(message: str) -> str:
    """Asterisk's `Unable to add interface to queue: No such queue` as `No such queue`."""
    return message.rpartition(": ")[2].strip() or "refused"
