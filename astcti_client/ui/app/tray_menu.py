"""What the tray shows of the model, and what is done when somebody asks for something there. Main thread."""

from __future__ import annotations

import tkinter as tk
from typing import Literal

from astcti_client.ui.desktop.tray import TrayContent, TrayRequest
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import Actions
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.text import words
from astcti_client.ui.text.obstacles import tray_text
from astcti_client.ui.widgets.menu_letters import menu_letters
from astcti_client.ui.widgets.pause_bar import add_reasons

LONGEST_REASON = 60  # characters of a pause's reason in the menu


def tray_content(model: SeatModel) -> TrayContent:
    """What the tray shows."""
    reasons = tuple(words.displayable(reason, LONGEST_REASON) for reason in model.reasons)
    paused = model.pause.phase in ("in", "leaving")
    return TrayContent(model.tray_state, tray_text(model), reasons, paused, model.up, model.missed)


class TrayMenu:
    """Does what is asked for at the tray, and has a menu for the trays that have none."""

    def __init__(self, root: tk.Tk, model: SeatModel, actions: Actions) -> None:
        self._root, self._model, self._actions = root, model, actions

    def act_on(self, request: TrayRequest) -> None:
        """Do what somebody asked for at the tray."""
        windows = self._actions.windows
        match request.action:
            case "show":
                windows.show()
            case "menu":
                self.open_at(request.x, request.y)
            case "pause":
                # The tray's menu has the reason as it is shown, the server wants it as it is.
                reasons = {
                    words.displayable(reason, LONGEST_REASON): reason for reason in self._model.reasons
                }
                self._actions.seat.ask_pause(reasons.get(request.reason, request.reason))
            case "return":
                self._actions.seat.ask_return()
            case "dial":
                windows.show_dial()
            case "history":
                windows.show_history()
            case "colleagues":
                windows.show_colleagues()
            case "settings":
                windows.show_settings()
            case "about":
                windows.show_about()
            case "quit":
                self._actions.program.quit()

    def open_at(self, x: int, y: int) -> None:
        """Open the menu at a place of the screen."""
        menu, windows, seat = tk.Menu(self._root, tearoff=False), self._actions.windows, self._actions.seat
        paused = self._model.pause.phase in ("in", "leaving")
        pause = _("Available") if paused else _("Pause")
        entries = (
            (_("Dial"), windows.show_dial),
            (_("History"), windows.show_history),
            (_("Colleagues"), windows.show_colleagues),
            (_("Settings"), windows.show_settings),
            (_("About AsteriskCTI"), windows.show_about),
            (_("Quit"), self._actions.program.quit),
        )
        letters = menu_letters([_("Show"), pause, *(text for text, _command in entries)])
        menu.add_command(label=_("Show"), command=windows.show, underline=letters[0])
        if paused:
            menu.add_command(label=pause, command=seat.ask_return, underline=letters[1])
        else:
            reasons = tk.Menu(menu, tearoff=False)
            add_reasons(reasons, self._model, seat)
            state: Literal["normal", "disabled"] = "normal" if self._model.up else "disabled"
            menu.add_cascade(label=pause, menu=reasons, state=state, underline=letters[1])
        for (text, command), letter in zip(entries, letters[2:], strict=True):
            if text == entries[-1][0]:
                menu.add_separator()
            menu.add_command(label=text, command=command, underline=letter)
        menu.tk_popup(x, y)
