"""An operator at a seat, as the queues see it, and what the configuration wants of it. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from schemas.configuration.model import Configuration, queue_key

if TYPE_CHECKING:
    from astcti_server.ami.link import Timer
    from astcti_server.clients.ports import Presence
    from astcti_server.queues.pause_request import PauseRequest

TEXT_LIMIT = 79
"""Bytes of a member's name or a pause reason: Asterisk keeps no more, and cuts anywhere."""


class PauseState(NamedTuple):
    """In pause or not, and why, as far as anybody said."""

    paused: bool
    reason: str = ""


@dataclass(eq=False, slots=True)
class Attendance:
    """One logged-in operator at one seat, from the login until QUIT, or until the grace time is over."""

    presence: Presence
    pause: PauseState
    """The wish that later joins carry: the operator's own, or what Asterisk was last seen to say."""
    told: PauseState | None = None
    """The pause state that the client knows."""
    grace: Timer | None = None
    request: PauseRequest | None = None
    joined: dict[str, str] = field(default_factory=dict)
    """The queues that the client was told it is a member of, by their keys, in the spelling it was told."""
    refused: dict[str, str] = field(default_factory=dict)
    """Why each queue, by its key, could not be joined, as told to the client."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """That an interface is to be a member, for whom and how."""

    attendance: Attendance
    penalty: int

    @property
    def username(self) -> str:
        return self.attendance.presence.username


class WantedQueue(NamedTuple):
    """A queue that an operator belongs in."""

    name: str
    """As the first service that names it spells it."""
    penalty: int


def wanted_queues(configuration: Configuration, username: str) -> dict[str, WantedQueue]:
    """The queues that an operator belongs in, by their keys: the lowest penalty where services share one."""
    operator = configuration.operator_by_username.get(username)
    if operator is None or not operator.enabled:
        return {}
    queues: dict[str, WantedQueue] = {}
    services, penalties = configuration.services_of(username), configuration.penalties_of(username)
    for service, penalty in zip(services, penalties, strict=True):
        if not service.queue or service.type != "inbound":
            continue
        key = queue_key(service.queue)
        known = queues.get(key, WantedQueue(service.queue, penalty))
        queues[key] = known._replace(penalty=min(penalty, known.penalty))
    return queues


def plain_text(text: str) -> str:
    """A name or a reason fit for an AMI line: no control characters, no longer than Asterisk keeps."""
    clean = "".join(one if one.isprintable() else " " for one in text).strip()
    return clean.encode()[:TEXT_LIMIT].decode(errors="ignore").rstrip()
