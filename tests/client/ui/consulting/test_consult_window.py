"""Handing a call over in the window: mistakes are said where they were typed, colleagues can be asked."""

from __future__ import annotations

from collections.abc import Callable
from tkinter import ttk

import pytest

from astcti_client.ui import i18n
from astcti_client.ui.widgets.call_card import CallCard
from tests.client.ui.tools.widgets import all_of, assert_usable, button, press, texts, write
from tests.client.ui.tools.window_test_bed import WindowTestBed, event
from tests.fake.cti_server import Peer

Make = Callable[..., WindowTestBed]
ABLE = ("224 PHONE CONSULT",)
COLLEAGUE = event("Link", "7.1", number="203", name="Luisa", other="9.9", data="")


def talking(bed: WindowTestBed, *phone: str) -> tuple[Peer, CallCard]:
    """Logged in, and connected with Anna Bianchi; the card's transfer is open."""
    peer = bed.log_in(targets=["phones phones"], phone=phone)
    peer.say(event("Link", "7.1"))
    bed.pump(lambda: "7.1" in bed.app.windows.main.calls.cards)
    card = bed.app.windows.main.calls.cards["7.1"]
    press(card, "Transfer")
    bed.turn()
    return peer, card


def field_of(card: CallCard) -> ttk.Entry:
    (field,) = [part for part in all_of(card, ttk.Entry) if type(part) is ttk.Entry]
    return field


def ask(bed: WindowTestBed, peer: Peer, card: CallCard) -> None:
    """Anna waits, and 203 rings."""
    write(field_of(card), "203")
    press(card, "Ask first")
    assert bed.hears() == "CONSULT 7.1 203 phones"
    peer.say("100 OK", "225 CONSULT 7.1 calling 203 phones")
    bed.pump(lambda: "Consulting 203: it rings" in texts(card))


def is_enabled(card: CallCard, words: str) -> bool:
    return not button(card, words).instate(["disabled"])


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Type a telephone number."),
        ("  ", "Type a telephone number."),
        ("abc", "This is not a telephone number."),
        ("20x", "This is not a telephone number."),
    ],
)
def test_what_is_no_number_is_said_at_the_field_and_goes_nowhere(
    open_client: Make, typed: str, said: str
) -> None:
    bed = open_client()
    peer, card = talking(bed)
    write(field_of(card), typed)
    field_of(card).event_generate("<Return>")
    bed.pump(lambda: said in texts(card))
    assert field_of(card).get() == typed
    assert not peer.would_hear()


def test_a_number_that_is_not_there_is_said_at_the_field_and_can_be_corrected(open_client: Make) -> None:
    bed = open_client()
    peer, card = talking(bed)
    write(field_of(card), "999")
    field_of(card).event_generate("<Return>")
    assert bed.hears() == "TRANSFER 7.1 999 phones"
    field_of(card).event_generate("<Return>")  # the answer is on its way: not a second time
    peer.say("101 KO there is no extension 999 in phones")
    bed.pump(lambda: "There is no extension 999 in phones" in texts(card))
    write(field_of(card), "203")
    field_of(card).event_generate("<Return>")
    assert bed.hears() == "TRANSFER 7.1 203 phones"
    peer.say("100 OK")
    bed.pump(lambda: card.transfer is None)


def test_what_the_server_refuses_after_the_field_is_gone_is_told_in_the_window(open_client: Make) -> None:
    bed = open_client()
    peer, card = talking(bed)
    write(field_of(card), "999")
    field_of(card).event_generate("<Return>")
    assert bed.hears() == "TRANSFER 7.1 999 phones"
    field_of(card).event_generate("<Escape>")
    assert card.transfer is None
    peer.say("101 KO there is no extension 999 in phones")
    bed.pump(lambda: "was not transferred: there is no extension 999" in texts(bed.app.windows.main))


@pytest.mark.parametrize("phone", [(), ("224 PHONE",)], ids=["older server", "not possible"])
def test_where_colleagues_cannot_be_asked_there_is_no_button(
    open_client: Make, phone: tuple[str, ...]
) -> None:
    bed = open_client()
    _peer, card = talking(bed, *phone)
    assert "Ask first" not in texts(card)


def test_a_colleague_is_asked_and_the_call_handed_over(open_client: Make) -> None:
    bed = open_client()
    peer, card = talking(bed, *ABLE)
    ask(bed, peer, card)
    assert card.transfer is None
    assert not is_enabled(card, "Hand over")
    assert is_enabled(card, "Take back")
    assert "Hang up" not in texts(card) or not is_enabled(card, "Hang up")
    peer.say(event("Unlink", "7.1"), COLLEAGUE, "225 CONSULT 7.1 talking 203 phones")
    bed.pump(lambda: "Consulting 203: in conversation" in texts(card))
    assert "Anna Bianchi" in texts(card), "the card stays that of the first caller"
    assert "Luisa" not in texts(card)
    press(card, "Hand over")
    assert bed.hears() == "COMPLETE 7.1"
    peer.say("100 OK", event("Hangup", "7.1", end="answered"), "225 CONSULT 7.1 handed-over 203 phones")
    bed.pump(lambda: "Handed over to 203" in texts(card))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("taken-back", "Taken back from 203"),
        ("busy", "203 is busy"),
        ("not-answered", "203 did not answer"),
        ("colleague-left", "203 hung up"),
        ("own-phone-refused", "Your phone did not take the call to 203"),
        ("failed", "203 could not be asked"),
    ],
)
def test_the_first_caller_is_back_with_all_that_is_known_of_him(
    open_client: Make, state: str, said: str
) -> None:
    bed = open_client()
    peer, card = talking(bed, *ABLE)
    ask(bed, peer, card)
    press(card, "Take back")
    assert bed.hears() == "CANCEL 7.1"
    peer.say("100 OK", event("Link", "7.1", repeat=True), f"225 CONSULT 7.1 {state} 203 phones")
    bed.pump(lambda: said in texts(card))
    call = bed.app.model.calls["7.1"]
    assert (call.phase, call.name, call.variables) == ("talking", "Anna Bianchi", (("calldata", "12345"),))
    assert is_enabled(card, "Hang up")
    assert is_enabled(card, "Transfer")
    assert "Take back" not in texts(card) or not button(card, "Take back").winfo_ismapped()


def test_if_the_first_caller_hangs_up_the_card_is_the_colleagues(open_client: Make) -> None:
    bed = open_client()
    peer, card = talking(bed, *ABLE)
    ask(bed, peer, card)
    peer.say(
        event("Unlink", "7.1"),
        COLLEAGUE,
        "225 CONSULT 7.1 talking 203 phones",
        "225 CONSULT 7.1 caller-left 203 phones",
    )
    bed.pump(lambda: "The caller hung up while you were asking 203" in texts(card))
    bed.pump(lambda: "Luisa" in texts(card))
    assert "Anna Bianchi" not in texts(card)


def test_after_a_lost_connection_the_card_knows_again_whom_it_asks(open_client: Make) -> None:
    bed = open_client()
    peer, card = talking(bed, *ABLE)
    ask(bed, peer, card)
    peer.close()
    again = bed.server.accept()
    bed.pump(lambda: not bed.app.model.up)
    again.log_in(who="PJSIP/201 Mario Rossi", targets=["phones phones"], phone=ABLE)
    again.say(
        "225 CONSULT 7.1 talking 203 phones",
        "310 OUT",
        COLLEAGUE.replace("<event id=", '<event repeat="true" id='),
    )
    bed.pump(lambda: bed.app.model.up)
    bed.pump(lambda: "Consulting 203: in conversation" in texts(card))
    assert "Anna Bianchi" in texts(card)
    again.say("225 CONSULT 7.1 taken-back 203 phones")
    bed.pump(lambda: "Taken back from 203" in texts(card))
    assert bed.app.model.calls["7.1"].name == "Anna Bianchi"


def test_a_consultation_that_ended_while_the_connection_was_lost_is_not_shown_any_more(
    open_client: Make,
) -> None:
    bed = open_client()
    peer, card = talking(bed, *ABLE)
    ask(bed, peer, card)
    peer.close()
    again = bed.server.accept()
    again.log_in(who="PJSIP/201 Mario Rossi", targets=["phones phones"], phone=ABLE)
    again.say("310 OUT", event("Link", "7.1", repeat=True))
    bed.pump(lambda: bed.app.model.up)
    bed.pump(lambda: "Consulting" not in texts(card))


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_row_is_usable_in_each_language_and_size(open_client: Make, language: str, scale: float) -> None:
    i18n.use_language(language)
    bed = open_client(language=language, scale=scale)
    peer = bed.log_in(targets=["phones phones"], phone=ABLE)
    peer.say(event("Link", "7.1"), "225 CONSULT 7.1 talking 203 phones")
    bed.pump(lambda: "7.1" in bed.app.windows.main.calls.cards)
    bed.turn()
    assert_usable(bed.root)
