"""Sentences that other languages can say again."""

from __future__ import annotations

from schemas.sentences import retold, said, verbatim

ITALIAN = {"{what} is wrong": "{what} non va", "the {{NAME}} of {who}": "il {{NOME}} di {who}"}


def italian(template: str) -> str:
    return ITALIAN.get(template, template)


def test_a_sentence_is_a_string_in_english() -> None:
    assert said("the {{NAME}} of {who}", who="Anna") == "the {NAME} of Anna"


def test_a_sentence_within_a_sentence_is_said_again_too() -> None:
    inner = said("the {{NAME}} of {who}", who="{Anna}")
    assert retold(said("{what} is wrong", what=inner), italian) == "il {NOME} di {Anna} non va"


def test_values_and_other_strings_stay_as_they_are() -> None:
    assert retold("{what} is wrong", italian) == "{what} is wrong"
    assert retold(said("{what} is wrong", what="{what} is wrong"), italian) == "{what} is wrong non va"


def test_braces_of_a_verbatim_text_are_its_own() -> None:
    assert retold(verbatim("{NAME} is a value"), italian) == "{NAME} is a value"


def test_a_long_value_is_shown_by_its_beginning_and_its_end() -> None:
    text = said("there is no {name}", name="b" * 5000 + "end")
    assert len(text) < 450
    assert text.startswith("there is no bbb") and text.endswith("bbbend")
    assert retold(text, lambda template: template) == text


def test_sentences_within_a_sentence_and_numbers_are_not_shortened() -> None:
    inner = said("{name}", name="x" * 250)
    text = said("{one}, {two}, {number}", one=inner, two=said("{a}{a}", a=inner), number=10**400)
    assert text == "x" * 250 + ", " + "x" * 500 + f", {10**400}"
