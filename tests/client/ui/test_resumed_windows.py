"""What the windows show, and say to be shown, where the server tells what was missed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from astcti_client.triggers.memory_file import MemoryFile
from astcti_client.triggers.trigger_memory import TriggerMemory
from astcti_client.ui.state.seat_session import SeatSession
from schemas.event_xml import decode
from tests.client.ui.tools.widgets import press, texts
from tests.client.ui.tools.window_test_bed import WindowTestBed, event
from tests.fake.cti_server import CtiServer

Make = Callable[..., WindowTestBed]
EPOCH = "0123456789abcdef"
KEY = "1" * 16
PAGE = f'<trigger type="browser" os="any" key="{KEY}"><url>https://crm.example/</url></trigger>'


def resumes(bed: WindowTestBed, *lines: str, mode: str = "state") -> None:
    bed.log_in(resume="NEW")
    bed.peer.say(f"104 RESUME {EPOCH} 0 {mode}", *lines, "105 RESUME END")


def test_a_conversation_is_said_to_be_shown_once_its_card_is_on_the_screen(
    open_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_screen: list[bool] = []
    said = SeatSession.shown

    def watched(session: SeatSession, epoch: str, line: str) -> None:
        card = bed.app.windows.main.calls.cards["7.1"]
        on_screen.append(bool(card.winfo_viewable()) and card.winfo_height() > 1)
        said(session, epoch, line)

    monkeypatch.setattr(SeatSession, "shown", watched)
    bed = open_client()
    resumes(bed)
    bed.peer.say(event("Link", "7.1", seq=1))
    assert bed.hears().startswith("SHOWN 1 ")
    assert on_screen == [True]


def test_a_call_that_came_and_went_meanwhile_is_in_the_history_and_makes_no_notice(open_client: Make) -> None:
    bed = open_client()
    missed = [
        event(kind, "7.1", seq=seq, late=True, end="answered" if kind == "Hangup" else "")
        for seq, kind in enumerate(("Newchannel", "Callerid", "Link", "Hangup"), 1)
    ]
    resumes(bed, *missed, mode="from")
    assert bed.hears() == "SHOWN 3"
    bed.pump(bed.history.find, "it is not in the history")
    assert [(entry.kind, entry.number) for entry in bed.history.find()] == [("answered", "3331234567")]
    assert bed.app.windows.notices.shown == {}
    assert bed.app.windows.notices.waiting == {}


def test_triggers_that_are_off_are_told_and_stand_in_the_history(open_client: Make) -> None:
    bed = open_client(triggers=False)
    resumes(bed)
    bed.peer.say(event("Link", "7.1", seq=1, trigger=PAGE), event("Hangup", "7.1", seq=2, end="answered"))
    assert bed.hears() == f"SHOWN 1 KO {KEY} triggers-off"
    bed.pump(bed.history.find)
    assert bed.history.find()[0].why.startswith("triggers-off ")


def test_the_card_of_a_trigger_that_an_earlier_run_was_ended_in_offers_to_open_it(
    open_client: Make, server: CtiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    link = event("Link", "7.1", seq=1, trigger=PAGE)
    earlier = TriggerMemory(MemoryFile(tmp_path / "pop-ups"))
    earlier.enter(f"127.0.0.1 {server.port} mario")
    told = decode(link.encode())
    earlier.begin(earlier.mark(told, told.triggers[0]))
    bed = open_client()
    resumes(bed, link)
    assert bed.hears() == f"SHOWN 1 KO {KEY} interrupted"
    card = bed.app.windows.main.calls.cards["7.1"]
    assert "was ended while it opened" in texts(card)
    assert not opened.exists()
    press(card, "Open")
    bed.pump(opened.exists, "the page does not open")
    assert "was ended while it opened" not in texts(bed.app.windows.main)
    bed.peer.say(event("Hangup", "7.1", seq=2, end="answered"))
    bed.pump(bed.history.find)
    assert bed.history.find()[0].why.startswith("popped-up ")


def test_a_question_that_is_answered_with_no_is_told_so(open_client: Make) -> None:
    bed = open_client(confirm_triggers=True)
    resumes(bed)
    bed.peer.say(event("Link", "7.1", seq=1, trigger=PAGE))
    bed.pump(lambda: bed.app.windows.dialogs, "nobody asks")
    press(bed.app.windows.dialogs[0], "Cancel")
    assert bed.hears() == f"SHOWN 1 KO {KEY} not-confirmed"
