"""The mini view: state, pause and calls alone, in a small window with a place of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from astcti_client.ui import i18n
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.widgets import assert_usable, button, press, texts, write
from tests.client.ui.tools.window_test_bed import WindowTestBed, event

Make = Callable[..., WindowTestBed]
on_a_usual_screen = pytest.mark.parametrize("desktop", ["1366x768"], indirect=True)


def is_mini(bed: WindowTestBed) -> bool:
    return bed.root.winfo_height() < 260 and bed.app.windows.main.mini


@on_a_usual_screen
def test_a_key_turns_the_window_into_the_mini_view_and_back(open_client: Make, desktop: Desktop) -> None:
    bed = open_client()
    bed.log_in("PJSIP/201 Mario Rossi", "200 astcti")
    bed.root.focus_force()
    bed.wait_for_keyboard(bed.root)
    write(bed.app.windows.main.dial_bar.number, "055123")
    whole = bed.root.geometry().partition("+")[0]
    desktop.do("key", "ctrl+m")
    bed.pump(lambda: is_mini(bed))
    bed.turn()
    main = bed.app.windows.main
    assert not main.dial_bar.winfo_viewable()
    assert "queue" not in texts(main)
    assert main.pause.button.winfo_viewable()
    assert "mini-view = true" in bed.file.read_text()
    bed.wait_for_keyboard(bed.root)
    desktop.do("key", "ctrl+m")
    bed.pump(lambda: bed.root.geometry().partition("+")[0] == whole)
    assert bed.app.windows.main.dial_bar.number.get() == "055123"
    assert "mini-view = false" in bed.file.read_text()


@pytest.mark.parametrize("desktop", ["800x480", "1366x768"], indirect=True)
@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_calls_buttons_are_seen_in_it(open_client: Make, language: str, scale: float) -> None:
    i18n.use_language(language)
    bed = open_client(mini_view=True, language=language, scale=scale)
    bed.log_in("PJSIP/201 Mario Rossi", "200 astcti", targets=["phones phones"])
    bed.ring("7.1")
    decline = button(bed.app.windows.main.calls.cards["7.1"], i18n._("Decline"))
    lower = lambda: bed.root.winfo_rooty() + bed.root.winfo_height()  # noqa: E731
    bed.pump(lambda: decline.winfo_viewable() and decline.winfo_rooty() + decline.winfo_height() <= lower())
    bed.turn()
    assert_usable(bed.root)


@on_a_usual_screen
def test_each_view_has_its_own_place(open_client: Make) -> None:
    bed = open_client()
    bed.log_in()
    windows = bed.app.windows
    bed.root.geometry("440x600+60+50")
    bed.pump(lambda: (bed.root.winfo_width(), bed.root.winfo_height()) == (440, 600))
    bed.turn()
    for _second in range(2):
        windows.tick()
    windows.toggle_mini_view()
    bed.pump(lambda: is_mini(bed))
    bed.root.geometry("380x210+700+300")
    bed.pump(lambda: bed.root.winfo_width() == 380)
    bed.turn()
    for _second in range(2):
        windows.tick()
    windows.toggle_mini_view()
    bed.pump(lambda: (bed.root.winfo_width(), bed.root.winfo_height()) == (440, 600))
    bed.pump(lambda: abs(bed.root.winfo_x() - 60) < 20)
    windows.toggle_mini_view()
    bed.pump(lambda: (bed.root.winfo_width(), bed.root.winfo_height()) == (380, 210))
    bed.pump(lambda: abs(bed.root.winfo_x() - 700) < 20)


@on_a_usual_screen
def test_it_stays_above_all_others_if_that_is_wanted_and_a_transfer_goes_on(open_client: Make) -> None:
    bed = open_client(on_top=True)
    peer = bed.log_in(targets=["phones phones"])
    peer.say(event("Link", "7.1"))
    bed.pump(lambda: "7.1" in bed.app.windows.main.calls.cards)
    press(bed.app.windows.main.calls.cards["7.1"], "Transfer")
    bed.app.change_settings({"on-top": True})
    bed.app.windows.toggle_mini_view()
    bed.pump(lambda: is_mini(bed))
    assert bed.root.attributes("-topmost")
    assert bed.app.windows.main.calls.cards["7.1"].transfer is not None


def test_where_the_administrator_fixed_it_that_is_said(open_client: Make) -> None:
    bed = open_client(locked=frozenset({"mini-view"}))
    bed.log_in()
    bed.app.windows.toggle_mini_view()
    bed.pump(lambda: "Fixed by your administrator" in texts(bed.app.windows.main))
    assert not bed.app.windows.main.mini
