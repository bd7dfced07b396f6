"""The demo PBX's queues: members, penalties, pauses, with Asterisk's answers and events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from astcti_server.demo.ami.blocks import Fields
from astcti_server.demo.calls.channels import Channel
from astcti_server.demo.calls.switch import Switch
from schemas.configuration.model import queue_key

STATUS = {"NOT_INUSE": 1, "INUSE": 2, "BUSY": 3, "INVALID": 4, "UNAVAILABLE": 5, "RINGING": 6, "RINGINUSE": 7}


class ActionRefused(Exception):
    """An action's error message."""


@dataclass(eq=False)
class DemoMember:
    """One interface in one queue."""

    queue: str
    interface: str
    name: str
    state_interface: str
    penalty: int
    paused: bool
    login_time: int
    membership: str = "dynamic"
    reason: str = ""
    calls_taken: int = 0
    last_call: int = 0
    last_pause: int = 0
    in_call: bool = False
    status: int = 1

    def fields(self) -> Fields:
        """As in every event about a member."""
        return [
            ("Queue", self.queue),
            ("MemberName", self.name),
            ("Interface", self.interface),
            ("StateInterface", self.state_interface),
            *self._middle(),
            ("Ringinuse", "1"),
            ("Wrapuptime", "0"),
        ]

    def entry(self) -> Fields:
        """As in the list of QueueStatus, where it is still `Name` and `Location` in 22."""
        return [
            ("Queue", self.queue),
            ("Name", self.name),
            ("Location", self.interface),
            ("StateInterface", self.state_interface),
            *self._middle(),
            ("Wrapuptime", "0"),
        ]

    def _middle(self) -> Fields:
        return [
            ("Membership", self.membership),
            ("Penalty", str(self.penalty)),
            ("CallsTaken", str(self.calls_taken)),
            ("LastCall", str(self.last_call)),
            ("LastPause", str(self.last_pause)),
            ("LoginTime", str(self.login_time)),
            ("InCall", str(int(self.in_call))),
            ("Status", str(self.status)),
            ("Paused", str(int(self.paused))),
            ("PausedReason", self.reason),
        ]


class WaitingCall(Protocol):
    """What a queue knows of a call that waits in it."""

    began: float

    @property
    def caller(self) -> Channel:
        """Who waits."""

    def try_ring(self) -> None:
        """Ring whoever is free."""


@dataclass(eq=False)
class DemoQueue:
    """A queue with its members and its callers, in their order."""

    name: str
    members: dict[str, DemoMember] = field(default_factory=dict)
    callers: list[WaitingCall] = field(default_factory=list)
    autopause: bool = False
    completed: int = 0
    abandoned: int = 0
    was_available: bool = False

    def available(self) -> list[DemoMember]:
        """Who is rung now: the members that are free and not in pause, of those the lowest penalty."""
        free = [
            member
            for member in self.members.values()
            if not member.paused and member.status == STATUS["NOT_INUSE"]
        ]
        lowest = min((member.penalty for member in free), default=0)
        return [member for member in free if member.penalty == lowest]

    def params(self) -> Fields:
        return [
            ("Queue", self.name),
            ("Max", "0"),
            ("Strategy", "ringall"),
            ("Calls", str(len(self.callers))),
            ("Holdtime", "0"),
            ("TalkTime", "0"),
            ("Completed", str(self.completed)),
            ("Abandoned", str(self.abandoned)),
            ("ServiceLevel", "0"),
            ("ServicelevelPerf", "0.0"),
            ("ServicelevelPerf2", "0.0"),
            ("Weight", "0"),
        ]


class DemoQueues:
    """The queue actions. Each raises `ActionRefused` with Asterisk's own text."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.by_name: dict[str, DemoQueue] = {}
        """By `queue_key`: Asterisk does not mind the case."""
        self.member_freed: list[Callable[[], None]] = []
        """Called whenever a member may have become available."""
        switch.device_listeners.append(self._device_changed)

    def create(self, name: str) -> DemoQueue:
        queue = self.by_name[queue_key(name)] = DemoQueue(name)
        return queue

    def find(self, name: str) -> DemoQueue | None:
        return self.by_name.get(queue_key(name))

    def add(
        self,
        queue_name: str,
        interface: str,
        *,
        name: str = "",
        penalty: int = 0,
        paused: bool = False,
        reason: str = "",
        state_interface: str = "",
        membership: str = "dynamic",
    ) -> DemoMember:
        queue = self.find(queue_name)
        if queue is None:
            raise ActionRefused("Unable to add interface to queue: No such queue")
        if interface in queue.members:
            raise ActionRefused("Unable to add interface: Already there")
        device = state_interface or interface
        member = DemoMember(
            queue.name,
            interface,
            name or interface,
            device,
            penalty,
            paused,
            self._now(),
            membership,
            reason=reason if paused else "",
            last_pause=self._now() if paused else 0,
            status=STATUS[self._switch.device_state(device)],
        )
        queue.members[interface] = member
        self._say_pause_device(member)
        self._say("QueueMemberAdded", member)
        self._check_available(queue)
        self._freed()
        return member

    def remove(self, queue_name: str, interface: str) -> None:
        queue = self.find(queue_name)
        if queue is None:
            raise ActionRefused("Unable to remove interface from queue: No such queue")
        member = queue.members.get(interface)
        if member is None:
            raise ActionRefused("Unable to remove interface: Not there")
        if member.membership != "dynamic":
            raise ActionRefused("Member not dynamic")
        del queue.members[interface]
        self._say("QueueMemberRemoved", member)
        if member.paused:
            self._switch.say_device(f"Queue:{queue.name}_pause_{interface}", "NOT_INUSE")
        self._check_available(queue)

    def pause(self, interface: str, paused: bool, reason: str = "", queue_name: str = "") -> None:
        members = self._members(interface, queue_name)
        if not members:
            raise ActionRefused("Interface not found")
        for member in members:
            changed = member.paused != paused
            member.paused = paused
            member.reason = reason if paused else ""
            if paused:
                member.last_pause = self._now()
            if changed:
                self._say_pause_device(member)
            # One for each queue, also where nothing changed: a client that asked waits for all of them.
            self._say("QueueMemberPause", member)
            self._check_available(self.by_name[queue_key(member.queue)])
        if not paused:
            self._freed()

    def set_penalty(self, interface: str, penalty: int, queue_name: str = "") -> None:
        members = self._members(interface, queue_name)
        if not members:
            raise ActionRefused("Invalid interface, queuename or penalty")
        for member in members:
            member.penalty = penalty
            self._say("QueueMemberPenalty", member)

    def _members(self, interface: str, queue_name: str) -> list[DemoMember]:
        return [
            queue.members[interface]
            for name, queue in self.by_name.items()
            if interface in queue.members and queue_key(queue_name) in ("", name)
        ]

    def _device_changed(self, device: str) -> None:
        status = STATUS[self._switch.device_state(device)]
        changed = [
            member
            for queue in self.by_name.values()
            for member in queue.members.values()
            if member.state_interface == device and member.status != status
        ]
        for member in changed:
            member.status = status
            self._say("QueueMemberStatus", member)
            self._check_available(self.by_name[queue_key(member.queue)])
        if changed and status == STATUS["NOT_INUSE"]:
            self._freed()

    def _check_available(self, queue: DemoQueue) -> None:
        """Announce whether anybody in the queue could take a call, if that changed."""
        available = bool(queue.available())
        if available != queue.was_available:
            queue.was_available = available
            self._switch.say_device(f"Queue:{queue.name}_avail", "NOT_INUSE" if available else "INUSE")

    def _freed(self) -> None:
        for listener in self.member_freed:
            listener()

    def _say(self, name: str, member: DemoMember) -> None:
        self._switch.emit(name, "agent", member.fields())

    def _say_pause_device(self, member: DemoMember) -> None:
        state = "INUSE" if member.paused else "NOT_INUSE"
        self._switch.say_device(f"Queue:{member.queue}_pause_{member.interface}", state)

    def _now(self) -> int:
        return int(self._switch.scheduler.clock())
