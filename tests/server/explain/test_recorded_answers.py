"""Of every recorded call the answers say what the seats were told, and stand in a file to be read."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from astcti_server.calls.notification import Notification
from astcti_server.replay import Replay
from schemas.explanation.codes import Verdict
from tests.server.explain import answers
from tests.server.explain.conftest import transcript


@pytest.fixture(autouse=True)
def _greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("name", answers.recordings())
def test_what_popped_up_by_the_answer_is_what_the_seats_were_told(name: str) -> None:
    told: dict[tuple[str, str], set[str]] = {}
    moments = {"Link": "answer", "Callerid": "ring", "Hangup": "hangup"}
    heard: list[Notification] = []
    replay = Replay(answers.configuration_for(name), heard.append)
    replay.feed(transcript(name))
    for extension, event in heard:
        opened = told.setdefault((extension, event.call.uniqueid), set())
        if event.triggers:
            opened.add(moments[event.id])
    for answer in replay.calls_so_far().explain_all():
        opened = told.pop((answer.phone, answer.uniqueid), set())
        if answer.verdict.code == Verdict.POPPED_UP:
            first = next(moment for moment in ("answer", "ring", "hangup") if moment in opened)
            assert answer.verdict.arguments[3] == first
        else:
            assert not opened
    assert not any(told.values()), "a pop-up that no answer speaks of"


@pytest.mark.parametrize(
    ("code", "calls"),
    [
        (
            Verdict.ANSWERED_ELSEWHERE,
            ("22-queue-ringall 202", "16-pickup 201", "old/11-forwarding-to-group 203"),
        ),
        (Verdict.CALLER_LEFT, ("22-queue-caller-gives-up 201", "old/11-caller-gives-up 201")),
        (Verdict.NOBODY_ANSWERED, ("22-queue-autopause 201", "16-queue-hunt 201")),
        (Verdict.REFUSED, ("22-direct-busy 201", "16-direct-busy 201", "old/11-forwarding-to-group 201")),
        (Verdict.FORWARDED, ("22-forwarding 201", "16-forwarding 201")),
        (Verdict.NOT_CONNECTED, ("old/13-blonde-transfer-refused 201", "old/11-caller-gives-up 203")),
        (Verdict.INBOUND_AT_CALLING_END, ("old/1.4-queue 200",)),
        (Verdict.NO_PHONE, ("less-plain/22-transfer-into-queue 40181",)),
    ],
)
def test_what_hindered_a_recorded_call_is_named_first(code: Verdict, calls: tuple[str, ...]) -> None:
    for call in calls:
        name, phone = call.split()
        found = [
            answer for answer in answers.calls_in(name).explain_all() if answer.phone.endswith(f"/{phone}")
        ]
        assert code in [answer.verdict.code for answer in found], call


def test_the_answers_are_those_that_were_read() -> None:
    assert answers.text() == answers.ANSWERS.read_text(encoding="utf-8"), (
        "run python -m tests.server.explain.answers, and read what changed"
    )
