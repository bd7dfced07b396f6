"""What is noted between Asterisk's bytes, at the byte where it was: all else that decides who is told what.

Frozen; made on the AMI thread, read on any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from astcti_server.calls.originations import Origination
from schemas.configuration.model import Configuration


class ConfiguredMark(NamedTuple):
    """A configuration is used from here on."""

    configuration: Configuration
    all_calls: bool
    """`events="all"`."""
    encoding: str
    late_pop_up: float
    """In seconds."""


class SeatsMark(NamedTuple):
    """Who sits where changed."""

    taken: Mapping[str, str]
    """User names by extension."""
    left: tuple[str, ...]
    """Extensions where nobody sits any more."""


class ArrivedMark(NamedTuple):
    """A client at this phone was told of the calls that were going on there."""

    extension: str
    resumes: bool = False
    """It says RESUME: it may have been told of an answer once more."""


class HadMark(NamedTuple):
    """The pop-up of an answer is known to have reached the operator at this phone."""

    extension: str
    uniqueid: str
    """By which the client knows the seat's leg."""
    other: str
    """By which it knows the other party."""


class LinkUpMark(NamedTuple):
    """Logged in to Asterisk, which greeted with this version of its manager interface."""

    banner_version: str


class LinkDownMark(NamedTuple):
    """The connection was lost, so many seconds after the last word."""

    quiet: float


class UnreadMark(NamedTuple):
    """The list of channels did not come in time after a login: calls that waited for it were told."""


class OriginatedMark(NamedTuple):
    """A client asked for a call, by an action with this ActionID."""

    action_id: str
    asked: Origination


class EndedUnheardMark(NamedTuple):
    """A channel was found to be gone though its hang-up was never told."""

    uniqueid: str


class LostMark(NamedTuple):
    """So many bytes were not kept: they came faster than they could be compressed."""

    size: int


KeptMark: TypeAlias = (
    ConfiguredMark
    | SeatsMark
    | ArrivedMark
    | HadMark
    | LinkUpMark
    | LinkDownMark
    | UnreadMark
    | OriginatedMark
    | EndedUnheardMark
    | LostMark
)


class KeptState(NamedTuple):
    """What holds where kept bytes begin."""

    configured: ConfiguredMark | None = None
    operators: Mapping[str, str] = {}
    """User names by extension."""
    banner_version: str | None = None
    """None: the connection was down."""
    resuming: frozenset[str] = frozenset()
    """Extensions: the last client that arrived there resumes."""

    def after(self, mark: KeptMark) -> KeptState:
        """What holds after a mark."""
        match mark:
            case ConfiguredMark():
                return self._replace(configured=mark)
            case SeatsMark(taken, left):
                stayed = {phone: name for phone, name in self.operators.items() if phone not in left}
                return self._replace(operators=stayed | dict(taken))
            case ArrivedMark(extension, resumes):
                others = self.resuming - {extension}
                return self._replace(resuming=others | {extension} if resumes else others)
            case LinkUpMark(version):
                return self._replace(banner_version=version)
            case LinkDownMark():
                return self._replace(banner_version=None)
        return self
