"""An operator at a seat, as the queues see it, and what the configuration desires for it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from astcti_server.queues.pause_request import PauseRequest, PauseState
from schemas.configuration.model import Configuration, OperatorsQueue

if TYPE_CHECKING:
    from astcti_server.clients.ports import Presence
    from astcti_server.queues.ports import QueueTimer


class SeatedOperator:
    """One logged-in operator at one seat, from the login until QUIT, or until the grace time is over.

    AMI thread only. `pause` is the wish that later joins carry: the operator's own, or what Asterisk was
    last seen to say. `request` is the client's own request that is under way, at most one: while there is
    one, it alone sees to the pause of all queues, and nothing that Asterisk says is taken for a change by
    somebody else.
    """

    __slots__ = (
        "_grace",
        "_known_member",
        "_known_pause",
        "_known_refusals",
        "left",
        "logged_out",
        "pause",
        "presence",
        "request",
    )

    def __init__(self, presence: Presence, pause: PauseState, left: Set[str] = frozenset()) -> None:
        self.presence = presence
        self.pause = pause
        self.left = left
        """The keys of the queues that this operator left for now. Never changed in place."""
        self.request: PauseRequest | None = None
        self.logged_out = False
        """Said QUIT: whatever is heard of its pause from here on concerns nobody."""
        self._grace: QueueTimer | None = None
        self._known_pause: PauseState | None = None
        self._known_member: dict[str, str] = {}
        self._known_refusals: dict[str, str] = {}

    # -- its session --------------------------------------------------------------------------------------

    def begin_grace(self, timer: QueueTimer) -> None:
        """Its connection is lost; `timer` ends its time in the queues unless it comes back."""
        self.end_grace()
        self._grace = timer

    @property
    def in_grace(self) -> bool:
        """Whether its connection is lost, and it may come back."""
        return self._grace is not None

    def log_out(self) -> None:
        """It said QUIT."""
        self.logged_out = True

    def end_grace(self) -> None:
        """It is gone for good, or another session took over: nobody waits any longer."""
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None

    # -- its queues ---------------------------------------------------------------------------------------

    def leaves_queue(self, key: str) -> None:
        """The operator wants to be out of it until further notice."""
        self.left = frozenset((*self.left, key))

    def wants_queue(self, key: str) -> None:
        """The operator wants to be in it, as after each login."""
        self.left = frozenset(self.left - {key})

    def may_only_leave(self, keys: Set[str]) -> None:
        """The configuration lets it be out of these alone: it belongs in the others."""
        self.left = frozenset(self.left & keys)

    # -- its pause ----------------------------------------------------------------------------------------

    def asked_for_pause(self, wish: PauseState, request: PauseRequest) -> None:
        """The client asked; an earlier request must be over (`take_request`)."""
        assert self.request is None
        self.pause, self.request = wish, request

    def take_request(self) -> PauseRequest | None:
        """The request under way, which is not this operator's any more."""
        request, self.request = self.request, None
        return request

    def pause_granted(self) -> None:
        """The client hears `300` for what it asked for: that needs no `310`."""
        self._known_pause = self.pause

    def pause_changed(self, pause: PauseState) -> None:
        """Asterisk says so, or a wish was refused and this is what was before it."""
        self.pause = pause

    # -- what its client knows ----------------------------------------------------------------------------

    def tell_pause(self) -> bool:
        """Whether the client has yet to hear of the pause as it is; from here on it knows."""
        news, self._known_pause = self._known_pause != self.pause, self.pause
        return news

    def knows_member(self, key: str) -> bool:
        """Whether the client was told that it is a member of this queue."""
        return key in self._known_member

    def tell_member(self, key: str, queue: str) -> None:
        """The client is told `200`, with the queue's name in this spelling."""
        self._known_member[key] = queue
        self._known_refusals.pop(key, None)

    def tell_not_member(self, key: str) -> str:
        """The client is told `210`: returns the queue's name in the spelling that it was told before."""
        return self._known_member.pop(key)

    def tell_refusal(self, key: str, refusal: str) -> bool:
        """Whether the client has yet to hear why it cannot join this queue; from here on it knows."""
        news = self._known_refusals.get(key) != refusal
        self._known_refusals[key] = refusal
        return news


@dataclass(frozen=True, slots=True)
class DesiredMembership:
    """That an interface is to be a member of a queue, for whom and how."""

    operator: SeatedOperator
    penalty: int

    @property
    def username(self) -> str:
        """The operator's, by which the state file lists whose it is."""
        return self.operator.presence.username


def desired_queues(
    configuration: Configuration, username: str, left: Set[str] = frozenset()
) -> dict[str, OperatorsQueue]:
    """The queues that an operator belongs in, by their keys, but for those that he `left` and may leave."""
    operator = configuration.operator_by_username.get(username)
    if operator is None or not operator.enabled:
        return {}
    queues = configuration.queues_of(username)
    return {key: queue for key, queue in queues.items() if key not in left or not queue.may_leave}
