"""The phone is told to answer from the card and from the notice, where the server says that it can be."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

import pytest

from astcti_client.ui import i18n
from astcti_client.ui.widgets.call_card import CallCard
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.widgets import assert_usable, button, click, press, texts
from tests.client.ui.tools.window_test_bed import WindowTestBed, event
from tests.fake.cti_server import Peer

Make = Callable[..., WindowTestBed]
ABLE = ("224 PHONE ANSWER",)


def ringing(bed: WindowTestBed, *phone: str) -> tuple[Peer, CallCard, tk.Misc]:
    """Logged in, and Anna Bianchi rings: the card, and the notice in the corner."""
    peer = bed.log_in(targets=["phones phones"], phone=phone)
    bed.ring("7.1")
    windows = bed.app.windows
    bed.pump(lambda: "7.1" in windows.main.calls.cards and "7.1" in windows.notices.shown)
    notice = windows.notices.shown["7.1"]
    bed.pump(notice.winfo_ismapped)
    return peer, windows.main.calls.cards["7.1"], notice


def is_enabled(part: tk.Misc, words: str) -> bool:
    return not button(part, words).instate(["disabled"])


@pytest.mark.parametrize("phone", [(), ("224 PHONE CONSULT",)], ids=["older server", "not possible"])
def test_where_the_phone_cannot_be_told_there_is_no_button(open_client: Make, phone: tuple[str, ...]) -> None:
    bed = open_client()
    _peer, card, notice = ringing(bed, *phone)
    assert "Answer" not in texts(card)
    assert not button(notice, "Answer").winfo_ismapped()


def test_the_card_answers_once_and_its_button_keeps_its_place(open_client: Make) -> None:
    bed = open_client()
    peer, card, _notice = ringing(bed, *ABLE)
    bed.pump(lambda: button(card, "Answer").winfo_ismapped())
    places = [button(card, words).winfo_x() for words in ("Answer", "Transfer")]
    press(card, "Answer")
    press(card, "Answer")
    assert bed.hears() == "ANSWER 7.1"
    assert not is_enabled(card, "Decline"), "a command is under way"
    peer.say("100 OK")
    bed.pump(lambda: is_enabled(card, "Decline"))
    peer.say(event("Link", "7.1"))
    bed.pump(lambda: not is_enabled(card, "Answer") and is_enabled(card, "Hang up"))
    assert [button(card, words).winfo_x() for words in ("Answer", "Transfer")] == places
    peer.say(event("Hangup", "7.1"))
    bed.pump(lambda: not is_enabled(card, "Hang up"))
    assert not is_enabled(card, "Answer")
    bed.app.commands.ask_pause("")
    assert bed.hears() == "PAUSE IN", "it was said once"


def test_a_refusal_is_said_and_the_phone_can_be_told_again(open_client: Make) -> None:
    bed = open_client()
    peer, card, notice = ringing(bed, *ABLE)
    bed.pump(lambda: button(notice, "Answer").winfo_ismapped())
    press(notice, "Answer")
    press(notice, "Decline")
    assert bed.hears() == "ANSWER 7.1"
    peer.say("101 KO no answer from the PBX")
    words = "Your phone was not told to answer: the telephone system does not answer"
    bed.pump(lambda: words in texts(bed.app.windows.main))
    bed.pump(lambda: is_enabled(notice, "Answer") and is_enabled(notice, "Decline"))
    press(notice, "Answer")
    assert bed.hears() == "ANSWER 7.1"
    assert not is_enabled(card, "Answer")


def test_a_phone_that_rings_on_can_be_declined_in_the_notice(open_client: Make) -> None:
    bed = open_client()
    peer, _card, notice = ringing(bed, *ABLE)
    bed.pump(lambda: button(notice, "Answer").winfo_ismapped())
    press(notice, "Answer")
    assert bed.hears() == "ANSWER 7.1"
    peer.say("100 OK")
    bed.pump(lambda: is_enabled(notice, "Decline"))
    press(notice, "Decline")
    assert bed.hears() == "HANGUP 7.1"


def test_the_notice_answers_and_goes_while_its_button_rests(open_client: Make) -> None:
    bed = open_client()
    peer, _card, notice = ringing(bed, *ABLE)
    bed.pump(lambda: button(notice, "Answer").winfo_ismapped())
    press(notice, "Answer")
    assert bed.hears() == "ANSWER 7.1"
    peer.say("100 OK", event("Link", "7.1"))
    bed.pump(lambda: not button(notice, "Answer").winfo_ismapped())
    bed.app.windows.close_notices()
    bed.turn(0.3)
    assert not bed.failures


def test_the_button_comes_and_goes_with_what_the_server_says(open_client: Make) -> None:
    bed = open_client()
    peer, card, notice = ringing(bed, "224 PHONE")
    peer.say("224 PHONE ANSWER")
    bed.pump(lambda: "Answer" in texts(card) and button(notice, "Answer").winfo_ismapped())
    peer.say("224 PHONE")
    bed.pump(lambda: not button(notice, "Answer").winfo_ismapped())
    assert not is_enabled(card, "Answer")


def test_a_button_that_has_just_come_takes_no_click(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(rest=1.0)
    _peer, card, _notice = ringing(bed, *ABLE)
    bed.pump(lambda: button(card, "Answer").winfo_viewable())
    click(desktop, button(card, "Answer"))
    bed.turn(1.3)
    click(desktop, button(card, "Answer"))
    assert bed.hears() == "ANSWER 7.1"
    bed.app.commands.ask_pause("")
    assert bed.hears() == "PAUSE IN", "the first click counted"


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_it_is_usable_in_each_language_and_size(open_client: Make, language: str, scale: float) -> None:
    i18n.use_language(language)
    bed = open_client(language=language, scale=scale)
    bed.log_in(targets=["phones phones"], phone=ABLE)
    bed.ring("7.1")
    windows = bed.app.windows
    bed.pump(lambda: "7.1" in windows.main.calls.cards and "7.1" in windows.notices.shown)
    bed.turn(0.3)
    assert i18n._("Answer") in texts(windows.main.calls.cards["7.1"])
    assert_usable(bed.root)
    bed.root.withdraw()  # where there is no corner for both the notice is out of sight
    notice = windows.notices.shown["7.1"]
    bed.pump(notice.winfo_viewable)
    bed.turn(0.3)
    assert i18n._("Answer") in texts(notice)
    assert_usable(notice)
