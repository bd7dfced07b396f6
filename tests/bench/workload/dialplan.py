"""What a caller goes through before the queue: steps of a grown dialplan, none of which any service names.

Menus, opening hours, black lists and recording rules of a call centre's dialplan take about a hundred steps,
many of which set a variable. A CTI server needs none of them.
"""

from __future__ import annotations

from typing import NamedTuple


class DialplanStep(NamedTuple):
    """One step; `name` and `value` if it sets a variable."""

    context: str
    priority: int
    application: str
    data: str
    name: str = ""
    value: str = ""


_ROUTINE = (
    ("NoOp", "Call from {context}", "", ""),
    ("Set", "__ENTRY_{number}=open", "ENTRY_{number}", "open"),
    ("GotoIf", '$["${{OPEN}}" = "no"]?closed,1', "", ""),
    ("ExecIf", "$[${{LEN(0551234)}} > 3]?NoOp(long enough)", "", ""),
    ("Set", "RULE=always|{number}", "RULE", "always|{number}"),
    ("Gosub", "sub-check,s,1(in,{number})", "GOSUB_RETVAL", ""),
    ("Set", "CHECKED=yes", "CHECKED", "yes"),
    ("Macro", "language,en", "MACRO_DEPTH", "1"),
    ("Set", "LANG_CODE=en", "LANG_CODE", "en"),
    ("Return", "", "GOSUB_RETVAL", "0"),
)
_CONTEXTS = (
    "from-provider",
    "opening-hours",
    "black-list",
    "number-to-name",
    "main-menu",
    "menu-support",
    "record-rule",
    "announce-place",
    "before-queue",
    "music-choice",
)


def steps() -> tuple[DialplanStep, ...]:
    """All of them, in order."""
    found = []
    for number, context in enumerate(_CONTEXTS, 1):
        for priority, parts in enumerate(_ROUTINE, 1):
            application, *texts = parts
            data, name, value = (text.format(context=context, number=number) for text in texts)
            found.append(DialplanStep(context, priority, application, data, name, value))
    return tuple(found)
