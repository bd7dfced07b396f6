"""What the server needs of its manager user: by configuration and version of the manager interface. Pure.

The classes are those of manager.conf; which event and which action needs which is Asterisk's (manager.c and
the modules, 1.4 to 22).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.configuration.model import Configuration

_PROVING: Final = {
    "call": frozenset(
        {
            "Newchannel",
            "Newstate",
            "Hangup",
            "Dial",
            "DialBegin",
            "DialEnd",
            "Bridge",
            "BridgeEnter",
            "BridgeLeave",
        }
        | {"BridgeCreate", "BridgeDestroy", "Link", "Unlink", "Rename", "OriginateResponse", "NewCallerid"}
    ),
    "dialplan": frozenset({"VarSet", "Newexten"}),
    "agent": frozenset(
        {
            "QueueMemberAdded",
            "QueueMemberRemoved",
            "QueueMemberPause",
            "QueueMemberPaused",
            "QueueMemberStatus",
        }
        | {"QueueMemberPenalty", "QueueCallerJoin", "QueueCallerLeave", "AgentCalled", "AgentConnect"}
    ),
    "system": frozenset({"FullyBooted", "Reload", "Shutdown", "PeerStatus", "Registry", "ContactStatus"}),
}
CLASSES: Final = tuple(_PROVING)
"""Those that the server may read."""
_LACKING: Final = {
    "call": "no calls are seen at all",
    "dialplan": "no variables are seen, and steps of the dialplan are missed",
    "agent": "it is not seen whose queue calls are, nor who is a member",
    "system": "it is not seen that Asterisk has started or reloads",
}
_ANY_CLASS: Final = "all"


@dataclass(frozen=True, slots=True)
class NeededAction:
    """An action of the server, the classes any of which allows it, and what does not work without it."""

    name: str
    classes: tuple[str, ...]
    without: str
    vital: bool = True
    """Whether agents notice at once."""


def read_classes(configuration: Configuration, manager: str) -> tuple[str, ...]:
    """The least classes for `read`. `manager`: version of the interface; empty if it is not known."""
    return (
        "system",
        "call",
        *(["agent"] if configuration.queues else []),
        *([] if is_1_4(manager) else ["dialplan"]),
    )


def write_classes(configuration: Configuration, manager: str) -> tuple[str, ...]:
    """The least classes for `write`."""
    return (
        *(["system"] if any(seat.can_be_told_to_answer for seat in configuration.seats) else []),
        "call",
        *(["agent"] if configuration.queues else []),
        *([] if is_1_4(manager) else ["originate", "reporting"]),
    )


def needed_actions(configuration: Configuration, manager: str) -> list[NeededAction]:
    """What the server asks for."""
    originate = "call" if is_1_4(manager) else "originate"
    found = [
        NeededAction(
            "Status", ("call", "system", "reporting"), "calls are not known after a start of the server"
        ),
        NeededAction("Hangup", ("call", "system"), "agents cannot hang up from the screen"),
        NeededAction("Redirect", ("call",), "agents cannot transfer calls"),
        NeededAction(
            "Originate",
            (originate,),
            "agents cannot dial from the screen, nor ask a colleague by a second call",
        ),
    ]
    if not is_1_4(manager):
        without = "it is not known whether the target of a transfer is there"
        found.append(NeededAction("ShowDialPlan", ("reporting", "config"), without, vital=False))
    if configuration.queues:
        names = ("QueueAdd", "QueueRemove", "QueuePause")
        found += [NeededAction(name, ("agent",), "nobody joins queues or pauses") for name in names]
    return found


def is_1_4(manager: str) -> bool:
    """Whether the manager interface is that of Asterisk 1.4 (and 1.2)."""
    return manager == "1.0"


def proves(events: frozenset[str], name: str, manager: str) -> str:
    """An event that came and that the class lets through; empty if none came."""
    proving = _PROVING[name]
    if name == "dialplan" and manager.split(".")[0] in ("2", "3", "4"):
        proving -= {"Newexten"}  # Asterisk 12 to 15 have it in the class `call`
    return min(events & proving, default="")


def consequence(name: str) -> str:
    """What it means that the class is missing for reading."""
    return _LACKING[name]


def grants(line: str | None, names: tuple[str, ...]) -> bool:
    """Whether a `read` or `write` line of manager.conf has one of these classes."""
    words = {word.strip().lower() for word in (line or "").split(",")}
    return _ANY_CLASS in words or bool(words & set(names))


def least_user(configuration: Configuration, manager: str, username: str, address: str) -> str:
    """The section of manager.conf with the least rights. `address`: this server's, as Asterisk sees it."""
    if ":" in address:
        permit = f"deny = ::/0\npermit = {address}/128"
    else:
        permit = f"deny = 0.0.0.0/0.0.0.0\npermit = {address or '127.0.0.1'}/255.255.255.255"
    read, write = read_classes(configuration, manager), write_classes(configuration, manager)
    return (
        f"[{username}]\nsecret = the-secret-of-server.xml\n{permit}\n"
        f"read = {','.join(read)}\nwrite = {','.join(write)}\nwritetimeout = 5000\n"
    )
