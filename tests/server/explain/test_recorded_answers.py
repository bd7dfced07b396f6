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


def test_the_answers_are_those_that_were_read() -> None:
    assert answers.text() == answers.ANSWERS.read_text(encoding="utf-8"), (
        "run python -m tests.server.explain.answers, and read what changed"
    )
