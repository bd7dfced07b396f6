"""What the tray shows of the model, what its wishes mean, its menu where the tray has none. Main thread."""

from __future__ import annotations

import tkinter as tk

from astcti_client.ui.desktop.tray import TrayAsked, TrayContent
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import Actions
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.text import words
from astcti_client.ui.widgets.pause_bar import add_reasons

LONGEST_REASON = 60  # characters of a pause's reason in the menu


def content(model: SeatModel) -> TrayContent:
    """What the tray shows."""
    reasons = tuple(words.shown(one, LONGEST_REASON) for one in model.reasons)
    paused = model.pause.phase in ("in", "leaving")
    return TrayContent(model.tray_state, words.tray_text(model), reasons, paused, model.up)


def carry_out(asked: TrayAsked, root: tk.Tk, model: SeatModel, actions: Actions) -> None:
    """Do what somebody asked for at the tray."""
    match asked.wish:
        case "show":
            actions.show_window()
        case "menu":
            post(asked.x, asked.y, root, model, actions)
        case "pause":
            named = {words.shown(one, LONGEST_REASON): one for one in model.reasons}
            actions.ask_pause(named.get(asked.reason, asked.reason))
        case "return":
            actions.ask_return()
        case "dial":
            actions.show_dial()
        case "history":
            actions.show_history()
        case "settings":
            actions.show_settings()
        case "about":
            actions.show_about()
        case "quit":
            actions.quit()


def post(x: int, y: int, root: tk.Tk, model: SeatModel, actions: Actions) -> None:
    """Open the menu at a place of the screen."""
    menu = tk.Menu(root, tearoff=False)
    menu.add_command(label=_("Show"), command=actions.show_window, underline=0)
    if model.pause.phase in ("in", "leaving"):
        menu.add_command(label=_("Available"), command=actions.ask_return, underline=0)
    else:
        reasons = tk.Menu(menu, tearoff=False)
        add_reasons(reasons, model, actions)
        menu.add_cascade(
            label=_("Pause"), menu=reasons, state="normal" if model.up else "disabled", underline=0
        )
    for text, command in (
        (_("Dial"), actions.show_dial),
        (_("History"), actions.show_history),
        (_("Settings"), actions.show_settings),
        (_("About AsteriskCTI"), actions.show_about),
    ):
        menu.add_command(label=text, command=command, underline=0)
    menu.add_separator()
    menu.add_command(label=_("Quit"), command=actions.quit, underline=0)
    menu.tk_popup(x, y)
