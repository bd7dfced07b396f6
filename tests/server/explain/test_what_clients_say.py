"""What clients say of their pop-ups, and pop-ups that came later: named first where that is the cause."""

from __future__ import annotations

from dataclasses import replace

import pytest

from astcti_server.calls.notification import Notification
from astcti_server.explain.documents import document_of, explanations_in
from astcti_server.explain.explanations import Explanation
from astcti_server.explain.kept_trails import ENTRY_COST, KeptTrails
from astcti_server.explain.packed_trails import pack
from astcti_server.explain.trail import Trail
from schemas.configuration.model import Service, Trigger
from schemas.events import EventId
from schemas.explanation.codes import TrailStep, Verdict
from schemas.explanation.words import in_words
from schemas.protocol import TriggerFailure
from tests.fake.story import DEMO, Story

PHONE = "PJSIP/201"
ANSWERED_ONLY = replace(DEMO, triggers=DEMO.triggers[:1])
AT_THE_END = replace(DEMO, triggers=DEMO.triggers[2:])
SAID = {
    TriggerFailure.OTHER_SYSTEM: Verdict.OTHER_SYSTEM,
    TriggerFailure.NOT_ALLOWED: Verdict.PROGRAM_NOT_ALLOWED,
    TriggerFailure.NOT_FOUND: Verdict.PROGRAM_NOT_FOUND,
    TriggerFailure.NO_BROWSER: Verdict.NO_BROWSER,
    TriggerFailure.TRIGGERS_OFF: Verdict.TRIGGERS_OFF,
    TriggerFailure.INTERRUPTED: Verdict.TRIGGER_INTERRUPTED,
    TriggerFailure.NOT_CONFIRMED: Verdict.TRIGGER_NOT_CONFIRMED,
    TriggerFailure.FAILED: Verdict.TRIGGER_FAILED,
}


@pytest.fixture(params=[False, True], ids=["12 and later", "1.4 to 11"], name="old")
def _old(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def answered(service: Service = ANSWERED_ONLY, *, old: bool = False) -> Story:
    story = Story(service, old=old)
    story.marks.logged_in("mario", PHONE)
    story.caller().queued().variable("c", "calldata", "12345").variable("c", "ticket", "7")
    return story.ring("c", "a", "201").state("a", "Up").link("c", "a")


def told(story: Story, event: EventId = "Link") -> Notification:
    return next(each for each in story.told if each.extension == PHONE and each.event.id == event)


def first(found: Explanation) -> tuple[str, tuple[str, ...]]:
    return found.verdict.code, found.verdict.arguments


def odd(found: Explanation) -> list[str]:
    return [line.code for line in found.odd]


def steps(found: Explanation, code: TrailStep) -> list[str]:
    return [in_words(line) for line in found.story if line.code == code]


def test_pop_up_on_the_screen_says_after_how_many_milliseconds(old: bool) -> None:
    story = answered(old=old)
    story.later(0.4).tracker.shown(PHONE, told(story).event, 212.4)
    found = story.explained("201")
    assert first(found) == (Verdict.SHOWN, (PHONE, "mario", "Demo", "answer", "212"))
    assert steps(found, TrailStep.SHOWN) == ["on the screen after 212 ms (when it was answered)"]
    assert found.odd == ()


def test_pop_up_on_the_screen_without_a_time_popped_up(old: bool) -> None:
    story = answered(old=old)
    story.tracker.shown(PHONE, told(story).event, None)
    story.later(4).marks.logged_out("mario", PHONE, "connection lost")
    found = story.explained("201")
    assert first(found) == (Verdict.POPPED_UP, (PHONE, "mario", "Demo", "answer"))
    assert steps(found, TrailStep.ON_SCREEN) == ["on the screen (when it was answered)"]
    assert found.odd == ()  # that the client was lost then is of no interest


@pytest.mark.parametrize("failure", TriggerFailure)
def test_trigger_that_was_not_carried_out_says_why(old: bool, failure: TriggerFailure) -> None:
    story = answered(old=old)
    link = told(story).event
    story.tracker.trigger_failed(PHONE, link, link.triggers[0].key, failure.value)
    story.tracker.shown(PHONE, link, 80.0)  # the card is there all the same
    found = story.explained("201")
    arguments = ("Demo", "any") if failure is TriggerFailure.OTHER_SYSTEM else ("mario",)
    assert first(found) == (SAID[failure], arguments)
    assert len(steps(found, TrailStep.TRIGGER_REFUSED)) == len(steps(found, TrailStep.SHOWN)) == 1


def test_triggers_for_another_system_than_the_clients_are_named_first(old: bool) -> None:
    windows = replace(ANSWERED_ONLY, triggers=(Trigger("browser", os="windows", url="https://crm.example/"),))
    story = answered(windows, old=old)
    assert first(story.explained("201"))[0] == Verdict.POPPED_UP  # as far as the server can see
    assert odd(story.explained("201")) == [Verdict.OTHER_SYSTEM]
    link = told(story).event
    story.tracker.trigger_failed(PHONE, link, link.triggers[0].key, "other-system")
    found = story.explained("201")
    assert first(found) == (Verdict.OTHER_SYSTEM, ("Demo", "windows"))
    assert found.odd == ()


def test_what_is_said_of_the_end_of_a_call_comes_after_it(old: bool) -> None:
    story = answered(AT_THE_END, old=old).hangup("a")
    hangup = told(story, "Hangup").event
    assert hangup.triggers
    story.later(0.2).tracker.shown(PHONE, hangup, 40.0)
    assert first(story.explained("201")) == (Verdict.SHOWN, (PHONE, "mario", "Demo", "hangup", "40"))


def test_program_of_the_end_of_a_call_that_is_not_there_is_named(old: bool) -> None:
    story = answered(AT_THE_END, old=old).hangup("a")
    story.tracker.trigger_failed(PHONE, told(story, "Hangup").event, "", "not-found")
    assert first(story.explained("201")) == (Verdict.PROGRAM_NOT_FOUND, ("mario",))


def test_each_moment_has_its_own_outcome(old: bool) -> None:
    story = answered(DEMO, old=old)
    story.tracker.trigger_failed(PHONE, told(story, "Callerid").event, "", "not-found")
    assert first(story.explained("201")) == (Verdict.POPPED_UP, (PHONE, "mario", "Demo", "answer"))
    story.tracker.shown(PHONE, told(story).event, 9.0)
    assert first(story.explained("201")) == (Verdict.SHOWN, (PHONE, "mario", "Demo", "answer", "9"))


def test_another_phone_cannot_say_anything_of_the_call(old: bool) -> None:
    story = answered(AT_THE_END, old=old).hangup("a")
    story.tracker.shown("PJSIP/202", told(story, "Hangup").event, 40.0)
    assert first(story.explained("201"))[0] == Verdict.POPPED_UP


# -- the client was away -------------------------------------------------------------------------------------


def missed(*, old: bool) -> Story:
    """Answered two seconds after the connection was lost; what was told then is kept for the client."""
    story = Story(ANSWERED_ONLY, old=old)
    story.marks.logged_in("mario", PHONE)
    story.caller().queued().variable("c", "calldata", "12345").variable("c", "ticket", "7")
    story.ring("c", "a", "201").later(2).marks.logged_out("mario", PHONE, "connection lost")
    return story.later(2).state("a", "Up").link("c", "a")


def test_client_that_is_away_when_it_was_answered_is_lost_as_long_as_it_is_not_back(old: bool) -> None:
    assert first(missed(old=old).explained("201")) == (Verdict.CLIENT_LOST, ("mario",))


def test_client_that_never_came_back_was_lost(old: bool) -> None:
    story = missed(old=old)
    link = told(story)
    story.hangup("a").later(170).tracker.not_delivered(link)
    found = story.explained("201")
    assert first(found) == (Verdict.CLIENT_LOST, ("mario",))
    assert steps(found, TrailStep.NOT_DELIVERED) == ["the client of mario could not be told (Link)"]


def test_missed_event_that_is_sent_when_the_client_is_back_popped_up_then(old: bool) -> None:
    story = missed(old=old)
    story.later(30).marks.logged_in("mario", PHONE)
    story.tracker.resumed(told(story))
    found = story.explained("201")
    assert first(found) == (Verdict.POPPED_UP, (PHONE, "mario", "Demo", "answer"))
    (line,) = [line for line in found.story if line.code == TrailStep.RESUMED]
    assert found.verdict.at == line.at
    assert in_words(line) == "the client of mario is back, and is told what it had missed (Link)"
    assert [(odd.code, odd.arguments) for odd in found.odd] == [(Verdict.TOLD_LATER, ("mario", "30"))]
    story.tracker.shown(PHONE, told(story).event, 55.0)
    assert first(story.explained("201")) == (Verdict.SHOWN, (PHONE, "mario", "Demo", "answer", "55"))


def test_missed_end_of_a_call_that_is_sent_later_is_told_as_late(old: bool) -> None:
    story = answered(AT_THE_END, old=old)
    story.marks.logged_out("mario", PHONE, "connection lost")
    hangup = told(story.hangup("a"), "Hangup")
    assert first(story.explained("201")) == (Verdict.CLIENT_LOST, ("mario",))
    story.later(20).marks.logged_in("mario", PHONE)
    story.tracker.resumed(hangup)
    assert first(story.explained("201")) == (Verdict.POPPED_UP, (PHONE, "mario", "Demo", "hangup"))
    assert odd(story.explained("201"))[-1] == Verdict.TOLD_LATER


def test_pop_up_that_is_sent_again_at_a_new_log_in_says_so(old: bool) -> None:
    story = answered(old=old)
    story.later(5).marks.logged_out("mario", PHONE, "connection lost")
    story.later(5).marks.logged_in("mario", PHONE)
    (again,) = story.tracker.seated(PHONE, resumes=True)
    assert again.event.triggers
    found = story.explained("201")
    assert first(found) == (Verdict.POPPED_UP, (PHONE, "mario", "Demo", "answer"))
    assert odd(found) == [Verdict.TOLD_LATER]


def test_what_is_lost_after_the_pop_up_does_not_undo_it(old: bool) -> None:
    story = answered(old=old).unlink("c", "a").hangup("a")
    for event in ("Unlink", "Hangup"):
        story.tracker.not_delivered(told(story, event))
    assert first(story.explained("201"))[0] == Verdict.POPPED_UP


def test_who_logs_in_during_the_call_with_a_client_that_resumes_gets_no_pop_up(old: bool) -> None:
    story = Story(ANSWERED_ONLY, old=old, operators={})
    story.caller().queued().ring("c", "a", "201").state("a", "Up").link("c", "a")
    story.operators = {PHONE: "mario"}
    (repeat,) = story.tracker.seated(PHONE, resumes=True)
    assert repeat.event.repeat
    assert first(story.explained("201")) == (Verdict.LOGGED_IN_DURING_CALL, ("mario",))


# -- trails that grow after their end ------------------------------------------------------------------------


def test_trail_that_grows_stays_in_its_place_and_is_counted() -> None:
    kept = KeptTrails(most_bytes=3 * (100 + ENTRY_COST))
    for name in ("a", "b"):
        kept.keep(name, b"x" * 100, 1.0)
    kept.replace("a", b"y" * 130)
    assert list(kept.all()) == ["a", "b"]
    assert kept.bytes == 230 + 2 * ENTRY_COST
    kept.replace("a", b"y" * 190)
    assert kept.bytes == 290 + 2 * ENTRY_COST
    kept.keep("c", b"x" * 100, 2.0)
    assert list(kept.all()) == ["b", "c"]
    assert kept.bytes == 200 + 2 * ENTRY_COST


def test_trail_that_grew_gives_way_to_a_later_one_of_the_same_id() -> None:
    kept = KeptTrails(longest=10.0)
    earlier, longer, later = (
        pack([text], Trail(float), at) for text, at in (("x", 1.0), ("xy", 1.0), ("z", 8.0))
    )
    kept.keep("a", earlier, 1.0)
    kept.replace("a", longer)
    kept.keep("a", later, 8.0)
    kept.forget_old(12.0)
    assert kept.find("a") == later
    kept.forget_old(30.0)
    assert (len(kept), kept.bytes, kept.find("a")) == (0, 0, None)


def test_client_that_says_the_same_time_and_again_makes_no_trail_grow_for_ever() -> None:
    story = answered(AT_THE_END).hangup("a")
    hangup = told(story, "Hangup").event
    for _ in range(150):
        story.tracker.shown(PHONE, hangup, 1.0)
    size = story.trails.kept.bytes
    story.tracker.shown(PHONE, hangup, 1.0)
    assert story.trails.kept.bytes == size


def test_document_keeps_what_was_said() -> None:
    story = answered()
    story.tracker.shown(PHONE, told(story).event, 12.0)
    found = story.explained("201")
    assert explanations_in(document_of([found])) == [found]
