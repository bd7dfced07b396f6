"""What the dialplan, its queues and its events taught of a party. AMI thread only."""

from __future__ import annotations

from typing import Final

CONTEXTS_KEPT = 32  # a caller who wanders through more contexts than this is in a dialplan loop
PLACES: Final = frozenset("sithoeTa")
"""Extensions that are places of the dialplan (start, invalid, timeout, hang-up ...), never a number: inside
of a Gosub or Macro Asterisk writes them into the called end's caller ID (`dialed.number`, from 1.8 on)."""


class DialplanKnowledge:
    """Caller data, contexts, variables and queue of one who is on a channel. Knows nobody else."""

    __slots__ = (
        "announced",
        "connected_before",
        "connected_name",
        "connected_number",
        "context",
        "contexts",
        "dialled_out",
        "exten",
        "in_service",
        "inherited",
        "linkedid",
        "name",
        "number",
        "queue",
        "queue_left",
        "served",
        "steps_out",
        "variables",
    )

    def __init__(self) -> None:
        self.number = self.name = ""
        self.connected_number = self.connected_name = ""
        self.announced = ""
        """The number that the dialplan had it connected with before it dialled: `CONNECTEDLINE(num)`."""
        self.connected_before: str | None = None
        """`connected_number` when its outbound call began, until that is dialled: no word of the dialplan."""
        self.dialled_out: str | None = None
        """What it dialled last in a context of an outbound service; None if it entered none."""
        self.steps_out = False
        """The dialplan ran there since."""
        self.contexts: dict[str, str] = {}
        """Contexts entered, the latest last, each with the extension that was dialled there, if any was."""
        self.context = ""
        """The context entered last."""
        self.exten = ""
        """The extension dialled last; a place of the dialplan (`s`) is none."""
        self.in_service = False
        """It entered a context of an inbound service."""
        self.linkedid = ""
        self.variables: dict[str, str] = {}
        self.inherited: dict[str, str] = {}
        """Variables of the channel that this party was moved onto; its own come first."""
        self.queue = ""
        """The queue it waits in or was served by; also, until it goes on, the one it left unserved."""
        self.queue_left = False
        self.served = False
        """The queue connected the caller: the call stays the queue's after it left."""

    # -- who it is -----------------------------------------------------------------------------------------

    def identify(self, number: str, name: str, linkedid: str) -> None:
        """What an event says of its own caller ID and its call's first id; empty where it says nothing."""
        if number not in PLACES:
            self.number = number or self.number
        self.name = name or self.name
        # The first one stays: Asterisk changes it when bridges merge, but the recording keeps its name.
        self.linkedid = self.linkedid or linkedid

    def see_connected(self, number: str, name: str) -> None:
        """What an event says of who is at the other end; empty where it says nothing."""
        if number not in PLACES:
            self.connected_number = number or self.connected_number
        self.connected_name = name or self.connected_name

    def doubt_connected(self) -> None:
        """Who is at the other end is not known by what its telephone shows."""
        self.connected_number = self.connected_name = ""

    def announce_connected(self, callee: DialplanKnowledge) -> None:
        """It dials: the connected line that the dialplan gave it is the number to show, not a trunk's.

        At the first Dial of an outbound call alone: then Asterisk shows it whom that one rang, also if the
        next trunk is to be tried. It may even have done so when the Dial is told (from 12 on).
        """
        before, self.connected_before = self.connected_before, None
        shown = self.connected_number
        if before is None or shown == before:
            return
        if shown != callee.number or shown in self.contexts.values():
            self.announced = shown

    # -- the dialplan --------------------------------------------------------------------------------------

    def enter(self, context: str, exten: str) -> bool:
        """Note a context that the channel entered, as the latest. True if it was in another one before."""
        if not context:
            return False
        contexts = self.contexts
        if exten in PLACES:
            exten = ""
        elif exten:
            self.exten = exten
        if context == self.context:  # most steps of a dialplan stay where they are
            if exten:
                contexts[context] = exten
            return False
        dialled = contexts.pop(context, "")
        if len(contexts) >= CONTEXTS_KEPT:
            del contexts[next(iter(contexts))]
        contexts[context] = exten or dialled
        self.context = context
        return True

    def reach_service(self) -> None:
        """The context that it entered is one of an inbound service: it is somebody who calls us."""
        self.in_service = True

    def call_out(self, *, step: bool) -> None:
        """The context that it entered is one of an outbound service; `step`: its dialplan runs there.

        What is shown before that comes from an Originate's CallerID, from whoever dialled this half of a
        Local channel, or from an earlier conversation.
        """
        dialled = self.contexts[self.context]
        if dialled != self.dialled_out:
            self.dialled_out, self.announced = dialled, ""
            self.connected_before, self.steps_out = self.connected_number, step
        elif step and not self.steps_out:
            self.connected_before, self.steps_out = self.connected_number, True

    @property
    def in_outbound(self) -> bool:
        """It entered a context of an outbound service."""
        return self.dialled_out is not None

    # -- its variables -------------------------------------------------------------------------------------

    def set_variable(self, name: str, value: str) -> bool:
        """A variable of its channel has this value now. True if that is news."""
        news = self.variables.get(name) != value
        self.variables[name] = value
        return news

    def unset_variable(self, name: str, visible: str) -> None:
        """Its channel has no such variable any more; `visible` is what is read there all the same.

        A known value that is the visible one stays: it may well be set, and nothing says that it is not.
        """
        if self.variables.get(name) != visible:
            self.variables.pop(name, None)

    def variable(self, name: str) -> str | None:
        """The value of a channel variable, own before inherited; None if it was never set."""
        value = self.variables.get(name)
        return self.inherited.get(name) if value is None else value

    def inherit(self, replaced: DialplanKnowledge) -> None:
        """It came to the channel of `replaced`, whose variables it finds there behind its own.

        Asterisk does the same: the surviving channel gets the clone's variables in front (clone_variables,
        channel.c, 1.4 to 11).
        """
        self.inherited = {**replaced.inherited, **replaced.variables, **self.inherited}

    def adopt(self, half: DialplanKnowledge) -> None:
        """It called through this half of a Local channel: what that learned is its own, behind what it knows.

        For halves go, and whoever takes the call over is to be told of all of it.
        """
        self.inherited = {**half.inherited, **half.variables, **self.inherited}
        self.contexts = {**half.contexts, **self.contexts}
        self.in_service = self.in_service or half.in_service
        if half.queue and not self.queue:
            self.be_served_by(half.queue)

    # -- its queue -----------------------------------------------------------------------------------------
    # `served` says whose the call is after the queue: it is only true with a `queue`.

    def join_queue(self, queue: str) -> None:
        """It waits in a queue now, whatever was before."""
        self.queue, self.queue_left, self.served = queue, False, False

    def leave_queue(self) -> None:
        """It waits no longer. Served or not: Asterisk says Leave before it connects the two, or after."""
        self.queue_left = True

    def be_served_by(self, queue: str) -> None:
        """Nobody saw it wait: a queue brought it to the conversation it was found in."""
        self.queue, self.queue_left, self.served = queue, True, True

    def be_connected(self) -> None:
        """It hears somebody: if it has a queue, that was the queue's doing."""
        if self.queue:
            self.served = True

    def go_on(self) -> None:
        """It goes on in the dialplan, or rings a phone by itself: a queue that it left unserved is over."""
        if self.queue_left and not self.served:
            self.queue = ""

    def forget_queue(self) -> None:
        """It is elsewhere now, and nothing was heard of it meanwhile."""
        self.queue = ""
