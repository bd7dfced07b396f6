"""A message in a corner of the screen, for whom the main window is not to be seen. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from astcti_client.ui.i18n import _
from astcti_client.ui.state.lasting_messages import LastingMessage
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import icon_button
from astcti_client.ui.widgets.elided_label import ElidedLabel
from astcti_client.ui.windows.call_notice import QuietWindow


class MessageNotice(QuietWindow):
    """It stays until it is put away, or clicked: then the main window shows it, with its detail."""

    def __init__(
        self,
        root: tk.Tk,
        look: Look,
        message: LastingMessage,
        put_away: Callable[[], None],
        opened: Callable[[], None],
    ) -> None:
        super().__init__(root, look)
        self._opened, self._put_away = opened, put_away
        self.message = message
        self._build(look)

    def apply_look(self, look: Look) -> None:
        """Show the same in another look."""
        self._edge.destroy()
        self._build(look)

    def _build(self, look: Look) -> None:
        edge = self._edge = tk.Frame(self, background=look.palette.border)
        edge.pack(fill="both", expand=True)
        tk.Frame(edge, background=look.palette.warn, width=look.px(5)).pack(
            side="left", fill="y", padx=(1, 0), pady=1
        )
        body = ttk.Frame(edge, style="Surface.TFrame", padding=look.px(14))
        body.pack(side="left", fill="both", expand=True, padx=(0, 1), pady=1)
        sign = ttk.Label(body, image=look.icon("warning", 18, look.palette.warn), style="Surface.TLabel")
        sign.grid(row=0, column=0, sticky="n", padx=(0, look.px(10)))
        words = ElidedLabel(body, look, style="Surface.TLabel", lines=4, room=look.px(260))
        words.say(self.message.text)
        words.grid(row=0, column=1, sticky="w")
        icon_button(body, look, "close", _("Put away"), self._put_away, style="CardFlat.TButton").grid(
            row=0, column=2, sticky="ne", padx=(look.px(8), 0)
        )
        for widget in (body, sign, words):
            widget.bind("<Button-1>", lambda _event: self._opened())
