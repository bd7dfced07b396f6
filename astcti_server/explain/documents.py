"""Explanations as a document ready for JSON, and in English words for people. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from astcti_server.explain.explanations import Explanation
from schemas.explanation.lines import ExplanationLine, known
from schemas.explanation.words import in_words, time_of_day, told_at


def document_of(answers: Iterable[Explanation]) -> dict[str, Any]:
    """`calls`: an entry for each phone."""
    return {
        "calls": [
            {
                "phone": answer.phone,
                "uniqueid": answer.uniqueid,
                "verdict": _entry(answer.verdict),
                "story": [_entry(line) for line in answer.story],
                "odd": [_entry(line) for line in answer.odd],
            }
            for answer in answers
        ]
    }


def explanations_in(document: Mapping[str, Any]) -> list[Explanation]:
    """The answers of a document. Raises KeyError or TypeError if it is none."""
    return [
        Explanation(
            call["phone"],
            call["uniqueid"],
            _line(call["verdict"], step=False),
            tuple(_line(entry, step=True) for entry in call["story"]),
            tuple(_line(entry, step=False) for entry in call["odd"]),
        )
        for call in document["calls"]
    ]


def lines_for_people(answers: Iterable[Explanation]) -> Iterator[str]:
    """The verdict, the story in order, and what else is odd, of each phone."""
    for number, answer in enumerate(answers):
        if number:
            yield ""
        yield f"{answer.phone}: {told_at(answer.verdict)}"
        width = max((len(line.phone) for line in answer.story), default=0)
        for line in answer.story:
            yield f"  {time_of_day(line.at):12}  {line.phone:{width}}  {in_words(line)}".rstrip()
        for line in answer.odd:
            yield f"  Also: {told_at(line)}"


def _entry(line: ExplanationLine) -> dict[str, Any]:
    code = known(line)
    return {
        "code": line.code,
        "at": line.at,
        "phone": line.phone,
        "arguments": list(line.arguments),
        "names": list(code.arguments) if code is not None else [],
        "text": in_words(line),
    }


def _line(entry: Mapping[str, Any], *, step: bool) -> ExplanationLine:
    return ExplanationLine(entry["code"], entry["at"], entry["phone"], tuple(entry["arguments"]), step)
