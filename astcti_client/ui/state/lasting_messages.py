"""What the user must not miss: texts that stay until they are put away. No Tk. Main thread."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

MOST_KEPT: Final = 4
"""Of more the oldest go: who has not read those for so long will not."""

LOST_PAUSE: Final = "lost-pause"
"""The topic of a pause that was lost and asked for again; it is of no interest once that pause is over."""


@dataclass(frozen=True, slots=True)
class LastingMessage:
    """A text in the main window, and in a corner of the screen while that window is not to be seen."""

    topic: str
    """A message takes the place of an earlier one of its topic."""
    text: str
    """For the user, in the language of the moment."""
    detail: str = ""
    """What an administrator needs to know, if there is more."""


class LastingMessages:
    """Those that nobody has put away yet, the newest last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, LastingMessage] = OrderedDict()

    @property
    def all(self) -> tuple[LastingMessage, ...]:
        """The oldest first."""
        return tuple(self._kept.values())

    def add(self, message: LastingMessage) -> None:
        """Keep one; the oldest may have to go."""
        self._kept.pop(message.topic, None)
        self._kept[message.topic] = message
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def put_away(self, topic: str) -> None:
        """It was read, or is of no interest any more. Harmless if there is none."""
        self._kept.pop(topic, None)

    def clear(self) -> None:
        """Nobody's session is left that they belonged to."""
        self._kept.clear()
