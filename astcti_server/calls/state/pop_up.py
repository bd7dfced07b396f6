"""What is known of whether an operator had the pop-up of an answered call. AMI thread only."""

from __future__ import annotations

from schemas.configuration.model import Service
from schemas.events import Action
from schemas.protocol import KEPT_FOR


class PopUp:
    """The triggers of an answer, as they were sent to one operator at one phone."""

    __slots__ = ("_had", "began", "operator", "service", "triggers")

    def __init__(self, operator: str, service: Service, triggers: tuple[Action, ...], began: float) -> None:
        """`began`: when the conversation did, or the earliest moment at which it can have, in seconds."""
        self.operator = operator
        self.service = service
        self.triggers = triggers
        self.began = began
        self._had = False

    def reached(self) -> bool:
        """Its client said what became of it; or was sent it, and is one that never says so. True if news."""
        news, self._had = not self._had, True
        return news

    def is_missing(self, operator: str, now: float) -> bool:
        """Whether this operator is to get it once more: it is recent, and nothing says that he had it."""
        return not self._had and operator == self.operator and now - self.began < KEPT_FOR
