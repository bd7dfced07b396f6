"""Whether the filters of a manager user let through what the server needs. Pure.

`eventfilter` in manager.conf (1.8 and later) is a regular expression on the whole event, with `!` before it
one for what is left out. 18.26, 20.11 and 22.2 know `eventfilter(action(...),name(...),header(...))`, too.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from astcti_server.doctor.asterisk_conf import AsteriskConf
from schemas.configuration.model import Configuration

_POSIX_CLASSES: Final = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "xdigit": "0-9a-fA-F",
}
_OPTION: Final = re.compile(r"(\w+)\(((?:[^()]|\([^()]*\))*)\)")


@dataclass(frozen=True, slots=True)
class _Filter:
    includes: bool
    name: str
    header: str
    method: str
    text: str

    def matches(self, event: str) -> bool:
        """Whether it applies to an event. Raises re.error for an expression that Python does not know."""
        if self.name and f"Event: {self.name}\r\n".lower() not in event.lower():
            return False
        looked_at = [event]
        if self.header:
            beginning = f"{self.header.lower()}:"
            lines = [line for line in event.split("\r\n") if line.lower().startswith(beginning)]
            looked_at = [line.partition(":")[2].strip() for line in lines]
        return any(_fits(self.method, self.text, found) for found in looked_at)


def _fits(method: str, text: str, found: str) -> bool:
    match method:
        case "exact":
            return found == text
        case "starts_with":
            return found.startswith(text)
        case "ends_with":
            return found.endswith(text)
        case "contains":
            return text in found
        case "none":
            return True
    return _compiled(text).search(found) is not None


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    """A POSIX expression (regcomp, extended) in Python's words. Raises re.error."""
    for name, characters in _POSIX_CLASSES.items():
        expression = expression.replace(f"[:{name}:]", characters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of sets within sets, which POSIX does not have
        return re.compile(expression)


def hidden_events(
    conf: AsteriskConf, username: str, configuration: Configuration, manager: str
) -> tuple[str, ...]:
    """Names of the events that the server needs and that the user's filters leave out, whatever is in them.

    Looked at are events of a seat's phone and of a caller's channel; a filter on other values is not found.
    """
    lines = [
        (key, value)
        for key, value in conf.sections.get(username, ())
        if key.lower().startswith("eventfilter")
    ]
    filters = [_parsed(key, value) for key, value in lines]
    if not filters:
        return ()
    seat = next((seat.extension for seat in configuration.seats), "PJSIP/201")
    channels = (f"{seat}-00000001", f"{seat.partition('/')[0]}/trunk-00000002")
    try:
        return tuple(
            name
            for name in needed_events(configuration, manager)
            if not all(_passes(filters, _sample(name, channel)) for channel in channels)
        )
    except re.error:
        return ()


def disabled_events(conf: AsteriskConf, configuration: Configuration, manager: str) -> tuple[str, ...]:
    """Names of needed events that `disabledevents` of the section [general] switches off for everybody."""
    words = ",".join(conf.values("general", "disabledevents")).lower().split(",")
    off = {word.strip() for word in words}
    return tuple(name for name in needed_events(configuration, manager) if name.lower() in off)


def needed_events(configuration: Configuration, manager: str) -> tuple[str, ...]:
    """The events without which calls or queues are not followed."""
    if manager[:1].isdigit() and not manager.startswith("1."):
        found = ["Newchannel", "Newstate", "Hangup", "DialBegin", "BridgeEnter", "BridgeLeave"]
        of_queues = [
            "QueueCallerJoin",
            "AgentCalled",
            "QueueMemberAdded",
            "QueueMemberRemoved",
            "QueueMemberPause",
        ]
    else:
        found = ["Newchannel", "Newstate", "Hangup", "Dial", "Link" if manager == "1.0" else "Bridge"]
        of_queues = ["Join", "QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPaused"]
    found.append("Newexten")
    if configuration.variables and manager != "1.0":
        found.append("VarSet")
    return (*found, *(of_queues if configuration.queues else []))


def _parsed(key: str, value: str) -> _Filter:
    options = dict(_OPTION.findall(key[len("eventfilter") :].strip()[1:-1]))
    if not options and "(" not in key:
        includes = not value.startswith("!")
        return _Filter(includes, "", "", "regex", value.removeprefix("!").strip())
    method = options.get("method", "regex" if value else "none")
    includes = options.get("action", "include") == "include"
    return _Filter(includes, options.get("name", ""), options.get("header", ""), method, value)


def _passes(filters: Iterable[_Filter], event: str) -> bool:
    """What an excluding filter fits is left out; if any includes, one of these has to fit (manager.c)."""
    including = [found for found in filters if found.includes]
    excluding = [found for found in filters if not found.includes]
    if including and not any(found.matches(event) for found in including):
        return False
    return not any(found.matches(event) for found in excluding)


def _sample(name: str, channel: str) -> str:
    """An event of this name as it could come."""
    agent = name.startswith(("Queue", "Agent"))
    privilege = "agent" if agent else "dialplan" if name in ("VarSet", "Newexten") else "call"
    lines = (f"Event: {name}", f"Privilege: {privilege},all", f"Channel: {channel}", "Uniqueid: 1700000000.1")
    return "\r\n".join((*lines, "", ""))
