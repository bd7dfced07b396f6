"""A line of an explanation, as it travels: code, time, phone, arguments, separated by blanks.

    popped-up 1795430727.120 PJSIP/201 PJSIP/201 mario Demo answer

The time is in seconds since 1970, `-` where there is none; the phone is the device that the line is about. In
a phone or an argument a blank, a per cent sign and what is not printable are percent-encoded in UTF-8; `-`
stands for an empty one, and a `-` of its own is `%2D`. A list has commas between; a comma of its own is `%2C`
before that. The code of a step has a dot before it. No I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import unquote

from schemas.explanation.codes import TrailStep, Verdict

NOTHING: Final = "-"
_LAST_TIME: Final = 32_503_680_000.0  # the year 3000, where the times of some systems end
_STEPS: Final = {code.value: code for code in TrailStep}
_VERDICTS: Final = {code.value: code for code in Verdict}


class ExplanationLine(NamedTuple):
    """One line: a verdict, a step of the story, or something odd."""

    code: str
    """Of `Verdict` or, with `step`, of `TrailStep`; one that this program does not know is kept as it is."""
    at: float
    """Seconds since 1970; 0 where no time is known."""
    phone: str
    arguments: tuple[str, ...] = ()
    step: bool = False


def verdict(code: Verdict, at: float, phone: str, *arguments: object) -> ExplanationLine:
    """A cause, with the arguments that its text names, in their order."""
    assert len(arguments) == len(code.arguments), code
    return ExplanationLine(code.value, at, phone, tuple(map(str, arguments)))


def listed(names: Iterable[str]) -> str:
    """Several names as one argument."""
    return ",".join(name.replace("%", "%25").replace(",", "%2C") for name in names)


def unlisted(text: str) -> list[str]:
    """The names of an argument that is a list."""
    return [unquote(name) for name in text.split(",") if name]


def encode(line: ExplanationLine) -> str:
    """The line's words for the wire."""
    at = f"{line.at:.3f}" if line.at else NOTHING
    code = f".{line.code}" if line.step else line.code
    return " ".join([code, at, *map(word, (line.phone, *line.arguments))])


def decode(text: str) -> ExplanationLine:
    """Read a line. Raises ValueError, also for a time that no system has a date for."""
    code, at, phone, *arguments = text.split(" ")
    seconds = 0.0 if at == NOTHING else float(at)
    if not 0.0 <= seconds < _LAST_TIME:
        raise ValueError("the time is not one of this millennium")
    return ExplanationLine(
        code.removeprefix("."), seconds, text_of(phone), tuple(map(text_of, arguments)), code.startswith(".")
    )


def known(line: ExplanationLine) -> Verdict | TrailStep | None:
    """What the code is; None if it is of a newer server, or its arguments are not what they should be."""
    code = _STEPS.get(line.code) if line.step else _VERDICTS.get(line.code)
    return code if code is not None and len(line.arguments) >= len(code.arguments) else None


def word(text: str) -> str:
    """A text as one word of a line."""
    if text == NOTHING:
        return "%2D"
    return "".join(map(_character, text)) or NOTHING


def _character(character: str) -> str:
    if character.isprintable() and character not in " %":
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))


def text_of(written: str) -> str:
    """The text that was written as this word."""
    return "" if written == NOTHING else unquote(written)
