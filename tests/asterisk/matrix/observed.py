"""What happened in one call, as its telephones know it: facts in their order, all that the oracle reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

CUSTOMER: Final = "customer"


@dataclass(frozen=True)
class Came:
    """The customer's call is in the context of an inbound service without a queue."""

    service: str


@dataclass(frozen=True)
class Queued:
    """The party waits in the queue, or is there whom it rings for."""

    party: str
    queue: str


@dataclass(frozen=True)
class CalledOut:
    """An agent, or somebody for him, called the customer in the context of an outbound service."""

    agent: str
    service: str
    dialled: str


@dataclass(frozen=True)
class Rang:
    """The agent's telephone rings; for whom."""

    agent: str
    leg: int
    party: str


@dataclass(frozen=True)
class Met:
    """The agent's telephone and the party hear each other."""

    agent: str
    leg: int
    party: str


@dataclass(frozen=True)
class Ended:
    """The agent's leg is over: how, and whom it was connected with then (empty: nobody can say)."""

    agent: str
    leg: int
    end: str
    last: str = ""


Fact: TypeAlias = Came | Queued | CalledOut | Rang | Met | Ended


@dataclass
class ObservedCall:
    """The facts of one combination, and who its people are."""

    number: str  # by which the customer is known: his own, or the one that was dialled
    digits: str  # his calldata, or empty
    numbers: dict[str, str]  # of the agents, by letter
    facts: list[Fact] = field(default_factory=list)
    trouble: str = ""  # why the call did not go as it should have: then it says nothing about the server

    def lines(self) -> list[str]:
        """For people."""
        return [repr(fact) for fact in self.facts]
