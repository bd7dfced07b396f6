"""The queues of an Asterisk as far as their members go, for a fake link: it does what actions ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.vocabulary import QueueMember
from astcti_server.ami.wire.messages import AmiEvent
from tests.fake.queue_link import Sent, list_entry

MemberChange = Literal["added", "removed", "paused"]


@dataclass(frozen=True)
class QueueEntry:
    """A member."""

    penalty: int
    paused: bool
    reason: str = ""
    name: str = ""
    membership: str = "dynamic"


class AppQueue:
    """`members` by queue and interface; texts and events are those of app_queue."""

    def __init__(self, *queues: str) -> None:
        self.queues = queues
        self.members: dict[tuple[str, str], QueueEntry] = {}

    def perform(self, sent: Sent) -> tuple[ActionOutcome, list[QueueMember]]:
        """Do what an action asks for: its answer, and the events that follow."""
        queue, interface = sent.headers.get("Queue", ""), sent.headers.get("Interface", "")
        match sent.name:
            case "QueueStatus":
                return ActionOutcome(True, "", events=tuple(self._list(queue))), []
            case "QueueAdd" if queue not in self.queues:
                return _refused("Unable to add interface to queue: No such queue")
            case "QueueAdd" if (queue, interface) in self.members:
                return _refused("Unable to add interface: Already there")
            case "QueueAdd":
                return ActionOutcome(True, "Added interface to queue"), self.add(
                    queue, interface, _entry(sent)
                )
            case "QueueRemove" if (queue, interface) not in self.members:
                return _refused("Unable to remove interface: Not there")
            case "QueueRemove":
                return ActionOutcome(True, "Removed interface from queue"), self.remove(queue, interface)
            case "QueuePenalty":
                key = queue, interface
                if key not in self.members:
                    return _refused("Invalid interface, queuename or penalty")
                self.members[key] = replace(self.members[key], penalty=int(sent.headers["Penalty"]))
                return ActionOutcome(True, "Interface penalty set successfully"), []
            case "QueuePause":
                paused = sent.headers["Paused"] == "true"
                events = self.pause(interface, paused, sent.headers.get("Reason", ""), queue)
                return (
                    (ActionOutcome(True, "Interface paused"), events)
                    if events
                    else _refused("Interface not found")
                )
            case other:
                raise AssertionError(other)

    def add(self, queue: str, interface: str, entry: QueueEntry) -> list[QueueMember]:
        self.members[queue, interface] = entry
        return [_event("added", queue, interface, entry)]

    def remove(self, queue: str, interface: str) -> list[QueueMember]:
        return [_event("removed", queue, interface, self.members.pop((queue, interface)))]

    def pause(self, interface: str, paused: bool, reason: str, queue: str = "") -> list[QueueMember]:
        """In one queue, or in all that it is in; an event for each, also without a change."""
        events = []
        for (name, member), entry in self.members.items():
            if member == interface and queue in ("", name):
                changed = replace(entry, paused=paused, reason=reason if paused else "")
                self.members[name, member] = changed
                events.append(_event("paused", name, member, changed))
        return events

    def _list(self, queue: str) -> Iterator[AmiEvent]:
        for (name, interface), entry in self.members.items():
            if queue in ("", name):
                yield list_entry(
                    name,
                    interface,
                    penalty=entry.penalty,
                    paused=entry.paused,
                    reason=entry.reason,
                    membership=entry.membership,
                )


def _entry(sent: Sent) -> QueueEntry:
    paused = sent.headers["Paused"] == "true"
    reason = sent.headers.get("Reason", "") if paused else ""
    return QueueEntry(int(sent.headers["Penalty"]), paused, reason, sent.headers["MemberName"])


def _event(change: MemberChange, queue: str, interface: str, entry: QueueEntry) -> QueueMember:
    return QueueMember(
        change, queue, interface, entry.name, entry.membership, entry.penalty, entry.paused, entry.reason, 1
    )


def _refused(message: str) -> tuple[ActionOutcome, list[QueueMember]]:
    return ActionOutcome(False, message, failure="refused"), []
