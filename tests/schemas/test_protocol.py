"""The words of the protocol: what can be told apart, and found again."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest

from schemas.configuration.model import Trigger
from schemas.configuration.trigger_keys import trigger_key
from schemas.protocol import EPOCH, CommandName, Refusal, ReplyCode

PAGE = Trigger("browser", url="https://crm.example/?id={CALLDATA}")


def names_in(refusal: Refusal) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(refusal.value) if name]


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_is_found_again_by_its_text_with_its_values(refusal: Refusal) -> None:
    values = {name: f"{name}/201:5" for name in names_in(refusal)}
    assert Refusal.of(refusal.text(**values)) == (refusal, values)


@pytest.mark.parametrize("refusal", [refusal for refusal in Refusal if names_in(refusal)])
def test_a_refusal_without_its_values_is_a_mistake(refusal: Refusal) -> None:
    with pytest.raises(KeyError):
        refusal.text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No such queue",
        "PBX down again",
        "Asterisk: PBX down",
        "already at",
        "already at home now",
        "no answer from the PBX within  seconds",
        "PBX Down",
    ],
)
def test_any_other_text_is_no_refusal_of_the_server(text: str) -> None:
    assert Refusal.of(text) is None


def test_refusals_are_one_line_that_a_reply_leaves_as_it_is() -> None:
    for refusal in Refusal:
        text = refusal.value
        assert text.isascii() and text.isprintable() and text == " ".join(text.split())
        assert len(text) < 79  # what a queue's refusal may have, see `queues`


def test_numbers_and_commands_are_written_as_the_specification_has_them() -> None:
    assert [f"{code}" for code in (ReplyCode.OK, ReplyCode.SESSION_ENDED)] == ["100", "910"]
    assert " ".join([CommandName.PAUSE, "IN"]) == "PAUSE IN"
    assert all(len(str(code)) == 3 for code in ReplyCode)


def test_a_key_is_the_same_wherever_its_trigger_stands_and_whenever_it_is_asked_for() -> None:
    assert trigger_key("Sales", PAGE) == trigger_key("Sales", replace(PAGE))
    assert EPOCH.fullmatch(trigger_key("Sales", PAGE))


def test_other_triggers_and_other_services_have_other_keys() -> None:
    others = [
        trigger_key("Support", PAGE),
        trigger_key("Sales", replace(PAGE, on="ring")),
        trigger_key("Sales", replace(PAGE, os="linux")),
        trigger_key("Sales", replace(PAGE, type="internal-browser")),
        trigger_key("Sales", replace(PAGE, url="https://crm.example/")),
        trigger_key("Sales", Trigger("application", application="crm", parameters="x")),
        trigger_key("Sales", Trigger("application", application="crmx", parameters="")),
    ]
    assert len({trigger_key("Sales", PAGE), *others}) == 8
