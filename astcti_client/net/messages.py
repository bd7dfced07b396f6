"""What the network thread tells the rest of the client: frozen values, put into one queue.

Whoever shows them (a terminal, a window) takes them from the queue on its own thread, in the order in which
things happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from schemas.configuration.model import ServiceType
from schemas.events import CallEvent
from schemas.protocol import ResumeMode
from schemas.wire import Reply

Phase = Literal["connecting", "logging-in", "up", "waiting", "ended"]
Ending = Literal["", "stopped", "taken-over", "disabled", "refused", "unencrypted", "failed"]

Protection = Literal["verified", "unverified", "loopback", "plain"]
"""What keeps others out of a connection: TLS with a checked certificate, TLS without that check, that it does
not leave this PC, or nothing."""


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """Where the connection stands. `detail` is a sentence for people.

    `retry_in` (seconds) belongs to "waiting"; `ending` to "ended", after which nothing follows:
    "refused" is a wrong user name or password, "unencrypted" a connection that the settings do not allow,
    "failed" an error of the client itself. `protection` belongs to "logging-in" and "up".
    """

    phase: Phase
    detail: str
    retry_in: float = 0.0
    ending: Ending = ""
    protection: Protection | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class IssuedCommand:
    """A command on its way to the server. `number` tells equal ones apart; no password is in `line`."""

    number: int
    line: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A command was handed to the network."""

    command: IssuedCommand


@dataclass(frozen=True, slots=True)
class ServerReply:
    """A numbered line. `answers` is the command it belongs to, None for an announcement.

    `line` is what may be shown of it: without what helps to guess the password.
    `final` is true for the last line that a command gets, and for announcements.
    """

    line: str
    reply: Reply
    answers: IssuedCommand | None = None
    final: bool = True


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """A telephone event, with the line it came in.

    `trusted`: the server is known to be the right one, since its certificate was checked or it runs on this
    PC. Nobody else may name a program to run.
    """

    line: str
    event: CallEvent
    trusted: bool = False
    epoch: str = ""
    """What its number belongs to; empty if the server does not resume."""
    arrived: float = 0.0
    """When the line came, in seconds of the connection's clock."""
    known: bool = False
    """An earlier run of this client handled it: it is told again for the calls that go on since."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The server begins to tell what goes on: what was missed (`from`), or all that is there (`state`).

    The number of the next event is one more than `seq`.
    """

    mode: ResumeMode
    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class ResumeOver:
    """That is told now. After `state`, calls that were not in it are over."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that follows no rule of the protocol; it is skipped."""

    line: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The connection was lost before this command got its last reply: nobody knows whether it was done."""

    command: IssuedCommand


@dataclass(frozen=True, slots=True)
class SeatFound:
    """The server knows this PC by `mac`, and its phone is `extension`."""

    mac: str
    extension: str


@dataclass(frozen=True, slots=True)
class SeatUnknown:
    """No address of this PC belongs to a seat. Harmless for an operator who is bound to a seat."""

    tried: tuple[tuple[str, str], ...]
    """Each address with the server's reason, in the order tried."""


@dataclass(frozen=True, slots=True)
class OfferedService:
    """A service of this operator."""

    type: ServiceType
    context: str
    name: str


@dataclass(frozen=True, slots=True)
class Services:
    """The operator's services: after each login, and again when they changed."""

    services: tuple[OfferedService, ...]


@dataclass(frozen=True, slots=True)
class OfferedTarget:
    """A context that calls may be transferred to, with the names of services there."""

    context: str
    name: str


@dataclass(frozen=True, slots=True)
class OfferedTargets:
    """Where calls may be transferred to: after `Services`, each time."""

    targets: tuple[OfferedTarget, ...]


@dataclass(frozen=True, slots=True)
class OwnQueue:
    """A queue of this operator's services, with their names."""

    name: str
    may_leave: bool
    services: str


@dataclass(frozen=True, slots=True)
class OwnQueues:
    """The queues of this operator's services: after `OfferedTargets`, each time, if the server can tell."""

    queues: tuple[OwnQueue, ...]


@dataclass(frozen=True, slots=True)
class OperatorFound:
    """Who is logged in where, as the server knows it. Servers that cannot tell are not asked.

    `extension` is empty as long as no seat is known.
    """

    username: str
    extension: str
    full_name: str


@dataclass(frozen=True, slots=True)
class PauseReasons:
    """The reasons for a pause that the server offers."""

    reasons: tuple[str, ...]


ConnectionMessage = (
    ConnectionState
    | Sent
    | ServerReply
    | ServerEvent
    | Resumed
    | ResumeOver
    | Unreadable
    | Unanswered
    | SeatFound
    | SeatUnknown
    | Services
    | OfferedTargets
    | OwnQueues
    | OperatorFound
    | PauseReasons
)


class ConnectionInbox(Protocol):
    """Where messages go: `queue.Queue` or `queue.SimpleQueue`. It must never make the caller wait."""

    def put(self, item: ConnectionMessage, /) -> None:
        """Take one message."""
