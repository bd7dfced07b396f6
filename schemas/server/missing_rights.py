"""What the server's user in manager.conf may not do or see, in words. Standard library only.

The server writes these sentences into its log and its status file, in English; who shows them in another
language finds here which one a text is.
"""

from __future__ import annotations

from enum import Enum

from schemas.sentences import Sentence, said, template_pattern


class MissingRight(Enum):
    """A template: `{action}` is one of Asterisk's, `{classes}` the word to add, both without blanks."""

    ASK = "may not ask for {action}: add {classes} to its write = line in manager.conf"
    ASK_BY_VERSION = (
        "may not ask for {action}: add {classes} (in Asterisk 1.4: call) to its write = line in manager.conf"
    )
    ASK_UNKNOWN = (
        "may not ask for {action}: add the class that `manager show command` names "
        "to its write = line in manager.conf"
    )
    MEMBERS = "sees no events of queue members: add agent to its read = line in manager.conf"
    DIALPLAN = (
        "sees calls but no steps of the dialplan, so no variables: "
        "add dialplan to its read = line in manager.conf"
    )
    CALLS = "sees queues but no calls: add call to its read = line in manager.conf"

    def text(self, **values: str) -> str:
        """The sentence, to stand after the user's name. Raises KeyError if a value is missing."""
        template: str = self.value
        return template.format(**values)

    @classmethod
    def of(cls, text: str) -> Sentence | None:
        """The sentence that a text is, with its template; None for that of a newer server."""
        for right in cls:
            if found := template_pattern(right.value).fullmatch(text):
                return said(right.value, **found.groupdict())
        return None
