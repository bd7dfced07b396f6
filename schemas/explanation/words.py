"""A line of an explanation in words, in whichever language `translate` speaks. No I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from schemas.explanation.codes import TrailStep, Verdict
from schemas.explanation.lines import ExplanationLine, known, unlisted

Translate = Callable[[str], str]

NONE: Final = "none"
NONE_OF: Final = {"queues": "queues\4none"}
"""Where a language's word goes with another gender: gettext's context, `\\4`, and the text."""
_LISTS: Final = frozenset({"contexts", "queues", "operators", "moments", "systems"})
VALUES: Final = {
    "answer": "when it was answered",
    "ring": "when it rang",
    "hangup": "when it was over",
    "case": "capital and small letters",
    "blank": "a blank",
    "tail": "its end",
    "technology": "the part before the slash",
    "any": "any system",
    "linux": "Linux",
    "windows": "Windows",
    "macos": "macOS",
    "direction": "the service is for the other end of the call",
    "no-trigger": "it has none",
    "moment": "all are for other moments",
    "opened": "they were sent for this caller before",
    "rung": "they were sent for this caller less than a minute before",
    "repeat": "the conversation is not a new one",
    "caller-left": "the caller had left",
    "unmatched": "this conversation is of none of the operator's services",
    "late": "the ring was told late",
    "not-allowed": "the program is not allowed",
    "not-found": "the program was not found",
    "no-browser": "no browser was found",
    "triggers-off": "it is set to carry out none",
    "interrupted": "it ended meanwhile",
    "other-system": "none is for its system",
    "not-confirmed": "nobody said yes",
    "failed": "it failed",
    # Asterisk's, of a Dial.
    "ANSWER": "it was answered",
    "NOANSWER": "nobody answered",
    "CANCEL": "it was called off",
    "BUSY": "the phone was busy",
    "FORWARD": "the phone sent the call on",
    "CHANUNAVAIL": "the phone could not be reached",
    "CONGESTION": "the phone could not take it",
}
"""Arguments that are a word of the program, not of a call."""
_OF_VALUES: Final = frozenset({"moment", "moments", "difference", "systems", "reason", "status"})


def in_words(line: ExplanationLine, translate: Translate = str) -> str:
    """What a line says, without its time and its phone; the code as it is where that is not known."""
    code = known(line)
    if code is None:
        return " ".join([line.code, *line.arguments])
    return translate(code.text).format(**_values(code, line.arguments, translate))


def advice(line: ExplanationLine, translate: Translate = str) -> str:
    """What to change; empty where nothing is to be changed, or the code is not known."""
    code = known(line)
    if code is None or not code.advice:
        return ""
    return translate(code.advice).format(**_values(code, line.arguments, translate))


def time_of_day(at: float, *, milliseconds: bool = True) -> str:
    """The local time of day; empty where none is known."""
    if not at:
        return ""
    text = time.strftime("%H:%M:%S", time.localtime(at))
    return f"{text}.{int(at % 1 * 1000):03d}" if milliseconds else text


def told_at(line: ExplanationLine, translate: Translate = str) -> str:
    """A verdict as a sentence of its own: when, what, and what to change."""
    when = time_of_day(line.at, milliseconds=False)
    what = in_words(line, translate)
    said = f"{when} {what}." if when else f"{what}."
    return f"{said} {change}" if (change := advice(line, translate)) else said


def _values(code: Verdict | TrailStep, arguments: Sequence[str], translate: Translate) -> dict[str, str]:
    values = {}
    for name, argument in zip(code.arguments, arguments, strict=False):
        parts = unlisted(argument) if name in _LISTS else [argument] if argument else []
        if name in _OF_VALUES:
            parts = [translate(VALUES[part]) if part in VALUES else part for part in parts]
        values[name] = ", ".join(parts) or _none(name, translate)
    return values


def _none(name: str, translate: Translate) -> str:
    """What is said in the place of an argument that is empty."""
    if name not in NONE_OF:
        return translate(NONE)
    of_it = translate(NONE_OF[name])
    return of_it if of_it != NONE_OF[name] else translate(NONE)
