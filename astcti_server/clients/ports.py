"""What the commands of the clients need from the rest of the server, and the values that pass between.

No implementation here: the daemon hands one in, tests hand in a fake. Every method may be called from any
thread and returns at once; the callbacks are called on the AMI thread (or before the method returns, when
the answer is known already) and must not block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from astcti_server.explain.explanations import Explanation
from schemas.configuration.model import Configuration
from schemas.protocol import Refusal
from schemas.server.settings import ServerSettings


class NotCarriedOut(Exception):
    """A command in order that is not carried out: its text becomes `101 KO text`."""

    def __init__(self, refusal: Refusal, **values: object) -> None:
        super().__init__(refusal.text(**values))


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """What a client that said RESUME knows: the events of this epoch up to this number."""

    epoch: str
    """Empty if it knows of none."""
    seq: int


@dataclass(frozen=True, slots=True)
class ShownReport:
    """What a client says with SHOWN of the event with this number."""

    seq: int
    milliseconds: float | None = None
    """From the event's arrival at the client until it was shown, if it says so."""
    failed_key: str = ""
    """The key of a trigger that was not carried out; empty if it is about the event as a whole."""
    reason: str = ""
    """Why not, in one word."""


@dataclass(frozen=True, slots=True)
class Presence:
    """An operator who sits on a seat. `session_id` grows: a clean-up for a smaller one comes too late."""

    session_id: int
    username: str
    full_name: str
    extension: str
    queue_interface: str
    state_interface: str
    begin_in_pause: bool
    resume: ResumePoint | None = None
    """None for a client that did not say RESUME."""


class ReplyCallback(Protocol):
    """Called once, with what became of a command."""

    def __call__(self, reason: str, *, unchecked: bool = False) -> None:
        """`reason` is empty for success, else why not. `unchecked`: done, but it may have no effect."""


PauseStep = Literal["pending", "deferred", "done", "failed"]
"""`pending`: written to Asterisk, the client hears 301 and its next lines wait. `deferred`: the PBX is down,
the client hears 301 and goes on; what becomes of it follows later. `done`: 300. `failed`: 302 and the text.
The last step is `done` or `failed`. Coming back from pause, 301 is not said."""

PauseCallback: TypeAlias = Callable[[PauseStep, str], None]
"""Called for each step of a pause request, with the reason if it is `failed`."""


class ClientRequestsPort(Protocol):
    """What clients ask of the server, and what the server is to know of them."""

    def configuration(self) -> Configuration:
        """The configuration in force."""

    def settings(self) -> ServerSettings:
        """The server's settings in force."""

    def pbx_up(self) -> bool:
        """Whether the connection to Asterisk is logged in. The session says `901` after `102 OK` if not."""

    def arrived(self, presence: Presence) -> None:
        """The operator is logged in on a seat: join the queues, tell `310` and `200` through the registry."""

    def logged_out(self, session_id: int) -> None:
        """The operator said QUIT: the pause is over with the session; `left` follows."""

    def left(self, session_id: int, at_once: bool) -> None:
        """The session is over. `at_once`: for good (QUIT, taken over, disabled), so no grace."""

    def shown(self, presence: Presence, report: ShownReport, at: float) -> None:
        """The client says what became of an event that it was told; it came at this time of the clock."""

    def originate(
        self, presence: Presence, exten: str, context: str, priority: int, done: ReplyCallback
    ) -> None:
        """Call `exten` in `context` from the operator's phone. Done when Asterisk took the action."""

    def pause(self, presence: Presence, wish: bool, reason: str, progress: PauseCallback) -> None:
        """Pause the operator in every queue joined, or end the pause."""

    def ask_queue(self, presence: Presence, key: str, inside: bool, done: ReplyCallback) -> None:
        """Have the operator in a queue (by its key) or out of it. Done when noted; 200 or 210 follow."""

    def colleagues(self, presence: Presence, done: Callable[[bytes], object]) -> None:
        """Tell what the operator's colleagues do: `done` gets all lines, and later changes are announced."""

    def colleagues_no_more(self, presence: Presence) -> None:
        """Announce no changes any more."""

    def cancel_call(self, presence: Presence, done: ReplyCallback) -> None:
        """End the call that the operator asked for: its phone still rings, or nobody has answered."""

    def hangup(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        """Hang up a leg; refused unless it is the operator's own."""

    def answer(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        """Have the operator's phone answer; refused unless an own call rings there and the phone can."""

    def explain(self, presence: Presence, uniqueid: str) -> Explanation:
        """Why a call of the operator's own seat popped up, or did not; `uniqueid` is that of the seat's leg.

        The only method that waits: for the AMI thread, two seconds at most. Raises NotCarriedOut.
        """

    def transfer(
        self, presence: Presence, uniqueid: str, exten: str, context: str, done: ReplyCallback
    ) -> None:
        """Send the other party of the operator's own call to `exten` in `context`, blind."""

    def introduce(self, presence: Presence, told: Callable[[bytes], object]) -> None:
        """The client said PHONE: `told` gets the lines of the answer. From then on changes are announced."""

    def consult(
        self, presence: Presence, uniqueid: str, exten: str, context: str, done: ReplyCallback
    ) -> None:
        """Call `exten` in `context` for the operator, while the other party of the own call waits."""

    def complete(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        """Connect the other party of the own call with the colleague who is asked; the operator is out."""

    def cancel(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        """Give the colleague up who is asked about the own call."""
