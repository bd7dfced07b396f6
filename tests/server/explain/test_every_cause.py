"""Each cause has a test that seeds it and sees it named first, of both ways in which Asterisks speak."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from schemas.explanation.codes import RESERVED, VERDICT_OF_FAILURE, Verdict

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(__file__).parent
BOTH_BY: Final = frozenset({"recording", "tell", "old", "server"})
"""What a test of this folder takes that is run for each dialect: recordings or stories, of 1.4 to 11 too."""
CALLS, CONFIGURED, SAID, NAMED, RUNNING, BOUNDS = (
    f"test_{name}"
    for name in (
        "causes_of_calls",
        "causes_configured",
        "what_clients_say",
        "what_is_named",
        "running_server",
        "bounds",
    )
)


class Seen(NamedTuple):
    """The test that sees a cause first (or beside a pop-up, where it never hinders one)."""

    module: str
    test: str
    only: str = ""
    """Why it is for one dialect alone."""
    beside: str = ""
    """Why it is never the first thing to be said."""


ANY = "it is decided without a word of Asterisk's"
DATA = "the page opens, with a value missing or wrong"
AFTER = "it popped up"
OF_ANSWER = "it is about the answer, not about the call"

SEEN: Mapping[Verdict, Seen] = {
    Verdict.POPPED_UP: Seen(CONFIGURED, "test_a_pop_up_is_said_with_phone_operator_service_and_moment"),
    Verdict.SHOWN: Seen(SAID, "test_pop_up_on_the_screen_says_after_how_many_milliseconds"),
    Verdict.NOT_YET: Seen(CALLS, "test_the_phone_still_rings"),
    Verdict.ANSWERED_ELSEWHERE: Seen(CALLS, "test_another_phone_answered_and_nothing_rings"),
    Verdict.CALLER_LEFT: Seen(CALLS, "test_the_caller_left"),
    Verdict.NOBODY_ANSWERED: Seen(CALLS, "test_nobody_answered"),
    Verdict.FORWARDED: Seen(
        CALLS, "test_a_forwarded_call_says_so", only="Asterisk 1.4 to 11 does not say that a phone forwards"
    ),
    Verdict.REFUSED: Seen(CALLS, "test_the_phone_refused"),
    Verdict.NOT_CONNECTED: Seen(CALLS, "test_the_number_that_was_called_did_not_answer"),
    Verdict.NO_PHONE: Seen(CALLS, "test_the_phone_was_connected_with_no_phone"),
    Verdict.NO_SEAT_TOOK_PART: Seen(CALLS, "test_a_caller_who_left_before_any_phone_rang"),
    Verdict.NOBODY_LOGGED_IN: Seen(RUNNING, "test_nobody_logged_in"),
    Verdict.LOGGED_IN_WITHOUT_SEAT: Seen(RUNNING, "test_somebody_logged_in_without_a_seat"),
    Verdict.OPERATOR_NOT_LOGGED_IN: Seen(NAMED, "test_an_operator_who_is_not_logged_in_is_told_so", only=ANY),
    Verdict.OPERATOR_WITHOUT_SEAT: Seen(NAMED, "test_an_operator_without_a_seat_is_told_so", only=ANY),
    Verdict.CLIENT_LOST: Seen(RUNNING, "test_the_client_was_lost_while_the_phone_rang"),
    Verdict.CLIENT_LOST_LATER: Seen(CALLS, "test_the_client_was_lost_soon_after_the_pop_up", beside=AFTER),
    Verdict.TOLD_LATER: Seen(
        SAID, "test_missed_event_that_is_sent_when_the_client_is_back_popped_up_then", beside=AFTER
    ),
    Verdict.TAKEN_OVER: Seen(RUNNING, "test_another_session_took_over"),
    Verdict.LOGGED_IN_DURING_CALL: Seen(CALLS, "test_somebody_who_logs_in_during_the_call_gets_no_pop_up"),
    Verdict.PHONE_IS_NO_SEAT: Seen(CONFIGURED, "test_a_phone_that_is_no_seat_is_named"),
    Verdict.PHONE_NEARLY_A_SEAT: Seen(
        CONFIGURED, "test_a_phone_that_is_nearly_a_seat_is_named_with_the_seat"
    ),
    Verdict.NO_SERVICE: Seen(CONFIGURED, "test_without_any_service_what_the_caller_went_through_is_listed"),
    Verdict.NEARLY_A_SERVICE: Seen(CONFIGURED, "test_what_is_wrong_with_the_service_is_named_first"),
    Verdict.SERVICE_DISABLED: Seen(CONFIGURED, "test_what_is_wrong_with_the_service_is_named_first"),
    Verdict.NOT_BOUND: Seen(CONFIGURED, "test_what_is_wrong_with_the_service_is_named_first"),
    Verdict.OUTBOUND_AT_CALLED_END: Seen(CONFIGURED, "test_what_is_wrong_with_the_service_is_named_first"),
    Verdict.INBOUND_AT_CALLING_END: Seen(
        CONFIGURED, "test_an_inbound_service_does_not_pop_up_at_the_end_that_called"
    ),
    Verdict.NO_TRIGGER: Seen(CONFIGURED, "test_what_is_wrong_with_the_service_is_named_first"),
    Verdict.OTHER_MOMENT: Seen(
        CALLS, "test_triggers_for_hangup_alone_name_the_moment_while_the_call_goes_on"
    ),
    Verdict.OTHER_SYSTEM: Seen(SAID, "test_triggers_for_another_system_than_the_clients_are_named_first"),
    Verdict.CONFIGURATION_CHANGED: Seen(CALLS, "test_a_configuration_that_came_during_the_call"),
    Verdict.CONNECTED_BEFORE: Seen(
        CALLS, "test_a_pair_that_was_connected_before_the_operator_came_is_no_news_when_it_meets_again"
    ),
    Verdict.RUNG_BEFORE: Seen(
        CALLS,
        "test_a_ring_of_the_same_caller_within_a_minute_brings_nothing",
        beside="that nobody answered comes first; an answer's trigger it never hinders",
    ),
    Verdict.FOUND_CONNECTED: Seen(
        CALLS, "test_a_call_found_connected_after_the_link_came_back_pops_up_for_nobody"
    ),
    Verdict.PBX_DOWN: Seen(RUNNING, "test_the_link_to_asterisk_was_down"),
    Verdict.HELD_EVENTS_LOST: Seen(CALLS, "test_a_ring_that_was_thrown_away_is_named_first"),
    Verdict.NO_CALL: Seen(CALLS, "test_a_call_that_nobody_knows_of"),
    Verdict.VARIABLE_NEVER_SET: Seen(
        CONFIGURED, "test_a_variable_that_the_trigger_lacks_is_named", beside=DATA
    ),
    Verdict.VARIABLE_OTHER_NAME: Seen(
        CONFIGURED, "test_a_variable_that_the_trigger_lacks_is_named", beside=DATA
    ),
    Verdict.VARIABLE_LATE: Seen(CALLS, "test_a_variable_set_after_the_pop_up_is_late", beside=DATA),
    Verdict.VARIABLE_OF_ANOTHER_SERVICE: Seen(
        CONFIGURED, "test_a_variable_that_only_another_service_declares_is_named", beside=DATA
    ),
    Verdict.VALUE_CUT: Seen(CALLS, "test_a_variable_that_is_too_long_is_cut", beside=DATA),
    Verdict.NO_DIALPLAN_EVENTS: Seen(CONFIGURED, "test_events_of_the_dialplan_that_never_come_are_the_cause"),
    **{
        code: Seen(SAID, "test_trigger_that_was_not_carried_out_says_why")
        for code in VERDICT_OF_FAILURE.values()
        if code is not Verdict.OTHER_SYSTEM
    },
    Verdict.OTHER_NUMBERS: Seen(
        NAMED,
        "test_of_several_numbers_that_end_alike_the_latest_call_is_meant_and_the_others_are_named",
        only=ANY,
        beside=OF_ANSWER,
    ),
    Verdict.STEPS_LEFT_OUT: Seen(
        BOUNDS, "test_a_dialplan_loop_keeps_its_first_and_last_steps", beside=OF_ANSWER
    ),
    Verdict.BYTES_NOT_KEPT: Seen(
        CONFIGURED, "test_where_what_asterisk_sent_is_not_kept_the_answer_says_so", beside=OF_ANSWER
    ),
}
ON_REAL_ASTERISKS: Final = frozenset(
    {
        Verdict.POPPED_UP,
        Verdict.NO_SERVICE,
        Verdict.NEARLY_A_SERVICE,
        Verdict.NOT_BOUND,
        Verdict.NO_TRIGGER,
        Verdict.OTHER_MOMENT,
        Verdict.OUTBOUND_AT_CALLED_END,
        Verdict.PHONE_IS_NO_SEAT,
        Verdict.PHONE_NEARLY_A_SEAT,
        Verdict.VARIABLE_NEVER_SET,
        Verdict.VARIABLE_OTHER_NAME,
        Verdict.VARIABLE_OF_ANOTHER_SERVICE,
        Verdict.REFUSED,
        Verdict.CALLER_LEFT,
        Verdict.ANSWERED_ELSEWHERE,
        Verdict.NOT_CONNECTED,
        Verdict.CLIENT_LOST,
        Verdict.PBX_DOWN,
    }
)
"""The telling ones, seeded on a real Asterisk 22 and 16."""


@cache
def module(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def names_of_codes(tree: ast.AST) -> set[str]:
    """The causes that a piece of source names; a table of its module counts, by which a test is run."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Verdict"
    }


def function(name: str, test: str) -> ast.FunctionDef:
    found = [
        node
        for node in module(FOLDER / f"{name}.py").body
        if isinstance(node, ast.FunctionDef) and node.name == test
    ]
    assert found, f"{name}.py has no {test}"
    return found[0]


def test_no_cause_is_without_a_test() -> None:
    assert set(SEEN) == set(Verdict) - RESERVED


@pytest.mark.parametrize("code", SEEN, ids=lambda code: code.value)
def test_the_test_of_a_cause_names_it_for_each_dialect_and_as_the_first(code: Verdict) -> None:
    seen = SEEN[code]
    tested = function(seen.module, seen.test)
    arguments = {argument.arg for argument in tested.args.args}
    by_table = code in VERDICT_OF_FAILURE.values() and "SAID" in ast.unparse(tested)
    assert code.name in names_of_codes(tested) or by_table, "it names another one"
    twice = bool(arguments & BOTH_BY)
    assert twice != bool(seen.only), "for both dialects, or a reason why not"
    asserted = "\n".join(ast.unparse(node) for node in ast.walk(tested) if isinstance(node, ast.Assert))
    first = "verdict" in asserted or "first(" in asserted or "told(" in asserted
    assert first or seen.beside, "it never looks at what is said first"
    assert not seen.beside or "odd" in ast.unparse(tested), "it never looks at what is said beside"


def test_the_telling_causes_are_seeded_on_real_asterisks() -> None:
    named = names_of_codes(module(ROOT / "tests" / "asterisk" / "test_explanations.py"))
    assert named == {code.name for code in ON_REAL_ASTERISKS}


def test_what_is_reserved_no_server_says_and_every_other_cause_one_does() -> None:
    said: set[str] = {code.name for code in VERDICT_OF_FAILURE.values()}
    for path in (ROOT / "astcti_server").rglob("*.py"):
        said |= names_of_codes(module(path))
    assert said == {code.name for code in set(Verdict) - RESERVED}
