"""A colleague of the list is asked about the call that is up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from astcti_client.ui import i18n
from astcti_client.ui.widgets.press_guard import INERT
from astcti_client.ui.windows.colleagues import ColleaguesWindow
from tests.client.ui.tools.widgets import assert_usable, texts
from tests.client.ui.tools.window_test_bed import WindowTestBed, event

Make = Callable[..., WindowTestBed]
REST = 1.0


def colleagues_beside_a_call(bed: WindowTestBed, *phone: str) -> ColleaguesWindow:
    """The list, with Luisa chosen, whose phone is 203; Anna Bianchi is talked to."""
    peer = bed.log_in(targets=["phones phones"], phone=phone, colleagues=True)
    peer.say(event("Link", "7.1"))
    bed.pump(lambda: "7.1" in bed.app.windows.main.calls.cards)
    bed.app.windows.show_colleagues()
    assert bed.hears() == "COLLEAGUES"
    peer.say("242 luisa PJSIP/203 ready Luisa Neri", "242 END")
    window = bed.app.windows.colleagues
    assert window is not None
    bed.pump(window.table.get_children)
    window.table.selection_set("luisa")
    bed.pump(lambda: window.transfer.instate(["!disabled"]))
    return window


def test_one_press_asks_once_and_the_card_says_how_it_stands(open_client: Make) -> None:
    bed = open_client(rest=REST)
    window = colleagues_beside_a_call(bed, "224 PHONE CONSULT")
    bed.pump(lambda: window.ask_first.instate(["!disabled", f"!{INERT}"]))
    window.ask_first.invoke()
    window.ask_first.invoke()
    assert bed.hears() == "CONSULT 7.1 203 phones"
    bed.peer.say("100 OK", "225 CONSULT 7.1 calling 203 phones")
    card = bed.app.windows.main.calls.cards["7.1"]
    bed.pump(lambda: "Consulting 203: it rings" in texts(card))
    bed.pump(lambda: window.ask_first.instate(["disabled"]))
    assert not bed.peer.would_hear()
    assert card.transfer is None


def test_what_is_wrong_is_said_at_the_call(open_client: Make) -> None:
    bed = open_client()
    window = colleagues_beside_a_call(bed, "224 PHONE CONSULT")
    window.ask_first.invoke()
    assert bed.hears() == "CONSULT 7.1 203 phones"
    bed.peer.say("101 KO there is no extension 203 in phones")
    card = bed.app.windows.main.calls.cards["7.1"]
    bed.pump(lambda: "There is no extension 203 in phones" in texts(card))
    assert card.transfer == ("203", 0)


def test_where_colleagues_cannot_be_asked_there_is_no_button_in_the_list(open_client: Make) -> None:
    window = colleagues_beside_a_call(open_client(), "224 PHONE")
    assert not window.ask_first.winfo_ismapped()


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_list_with_its_buttons_is_usable(open_client: Make, language: str, scale: float) -> None:
    i18n.use_language(language)
    bed = open_client(language=language, scale=scale)
    window = colleagues_beside_a_call(bed, "224 PHONE CONSULT")
    bed.pump(window.ask_first.winfo_viewable)
    assert_usable(window)
