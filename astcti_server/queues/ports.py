"""What the parts of this package need of the AMI link and of one another. AMI thread only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from astcti_server.ami.actions import Action
    from astcti_server.ami.link import Outcome, Timer
    from astcti_server.queues.membership import Place
    from astcti_server.queues.state_file import MemberKey


class Link(Protocol):
    """What is needed of the AMI link."""

    def submit(self, action: Action, done: Callable[[Outcome], None], *, timeout: float = ...) -> str: ...

    def later(self, seconds: float, work: Callable[[], None]) -> Timer: ...

    def post(self, work: Callable[[], None]) -> None: ...


class State(Protocol):
    """Where the list of members outlives the server."""

    def load(self) -> dict[MemberKey, str]: ...

    def save(self, members: Mapping[MemberKey, str], done: Callable[[], None]) -> None:
        """Have the list written, without waiting; `done` is called then, on any thread."""


class Ward(Protocol):
    """What a place asks of its keeper."""

    link: Link
    penalty_known: bool
    """False once Asterisk said that it has no QueuePenalty (1.4)."""

    def list_before(self, place: Place, go: Callable[[], None]) -> None:
        """Write the place into the state file, then call `go`."""

    def unlist(self, place: Place) -> None:
        """Asterisk has no such member any more, or it is not ours."""

    def removable(self, place: Place) -> bool:
        """Whether the queue is (or was, in this run) one that a service names."""

    def held(self, place: Place) -> bool:
        """Whether an action for all queues of the interface is under way."""

    def settled(self, place: Place) -> None:
        """An action is over, or a change was seen: tell the client, go on with what waited for this."""
