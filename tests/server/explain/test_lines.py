"""Codes and arguments of explanations travel unchanged, and say something in words at the other end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import wire
from schemas.explanation.codes import TrailStep, Verdict
from schemas.explanation.lines import ExplanationLine, decode, encode, known, listed, unlisted, verdict
from schemas.explanation.words import advice, in_words, told_at
from schemas.protocol import ReplyCode

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
WRONG_TIMES = ("1e17", "9223372036854775807", "1e400", "nan", "-1", "-inf")
"""No system has a date for these; Python's time module refuses each in another way."""
ARGUMENTS = Path(__file__).with_name("arguments.txt")
VALUES = {"moment": "answer", "moments": "ring,hangup", "systems": "windows", "difference": "case"}


@given(st.sampled_from(list(Verdict)), TEXT, st.lists(TEXT, max_size=4), st.integers(0, 2**40), st.booleans())
def test_a_line_comes_over_the_wire_as_it_was(
    code: Verdict, phone: str, arguments: list[str], at: int, step: bool
) -> None:
    line = ExplanationLine(code.value, at / 256, phone, tuple(arguments), step)
    sent = wire.reply(ReplyCode.EXPLANATION, encode(line))
    received = wire.parse_server_line(sent.removesuffix(b"\n"))
    assert isinstance(received, wire.Reply)
    again = decode(received.information)
    assert again._replace(at=line.at) == line
    assert abs(again.at - line.at) < 0.001


@given(st.lists(TEXT.filter(bool), max_size=5))
def test_a_list_of_names_comes_through(names: list[str]) -> None:
    assert unlisted(listed(names)) == names


@pytest.mark.parametrize("code", [*Verdict, *TrailStep])
def test_every_code_says_its_arguments(code: Verdict | TrailStep) -> None:
    given_values = tuple(VALUES.get(name, f"<{name}>") for name in code.arguments)
    line = ExplanationLine(code.value, 1.0, "PJSIP/201", given_values, isinstance(code, TrailStep))
    said = f"{in_words(line)} {advice(line)}"
    assert not re.search(r"[{}]", said)
    for name in code.arguments:
        if name not in VALUES:
            assert f"<{name}>" in said


def test_a_code_keeps_its_arguments_in_their_order_for_ever() -> None:
    """They travel by their places: a text that names them in another order would say nonsense."""
    now = {(type(code).__name__, code.value): code.arguments for code in (*Verdict, *TrailStep)}
    for line in ARGUMENTS.read_text(encoding="utf-8").splitlines():
        kind, code, *arguments = line.split()
        assert list(now.pop((kind, code)))[: len(arguments)] == arguments, line
    assert not now, f"write these into {ARGUMENTS.name}, too"


def test_codes_are_unique_words_of_the_protocol() -> None:
    for codes in (Verdict, TrailStep):
        assert all(re.fullmatch("[a-z]+(-[a-z]+)*", code.value) for code in codes)


def test_what_a_newer_server_says_is_shown_as_it_is() -> None:
    line = decode("ghost 1795430727.120 PJSIP/201 a%20b -")
    assert known(line) is None
    assert in_words(line) == "ghost a b "
    more = decode("caller-left 1795430727.120 PJSIP/201 more than it had")
    assert in_words(more) == "The caller left before this phone was connected"
    less = decode("not-bound 1795430727.120 PJSIP/201 mario")
    assert known(less) is None


def test_what_an_empty_argument_stands_for_is_said() -> None:
    line = verdict(Verdict.NO_SERVICE, 0.0, "PJSIP/201", "", "astcti,two%2C")
    assert told_at(line).startswith("No service fits this call (contexts: none; queues: astcti, two,).")


@pytest.mark.parametrize(
    "text", ["", "popped-up", "popped-up now PJSIP/201", *(f"popped-up {at} PJSIP/201" for at in WRONG_TIMES)]
)
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        decode(text)
