"""The one action that a place has under way. AMI thread only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from astcti_server.ami.link import Timer

Kind: TypeAlias = Literal["add", "remove", "weigh", "pause", "read"]


@dataclass(slots=True)
class Errand:
    """Which action it is, which event ends it, and what came so far."""

    kind: Kind
    after: Kind | None = None
    """For a reading: the action whose event did not come."""
    answered: bool = False
    seen: bool = False
    timer: Timer | None = None
