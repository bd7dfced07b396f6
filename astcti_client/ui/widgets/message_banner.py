"""A coloured strip with a message. Main thread."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.elided_label import ElidedLabel


class MessageBanner(ttk.Frame):
    """A coloured strip with a message, and perhaps buttons."""

    def __init__(self, parent: tk.Misc, look: Look, kind: str = "Warn", *, lines: int = 6) -> None:
        """`kind`: Warn or Bad."""
        super().__init__(parent, style=f"{kind}.TFrame", padding=look.px(12))
        self._look = look
        colour = look.palette.warn if kind == "Warn" else look.palette.bad
        ttk.Label(self, image=look.icon("warning", 18, colour), style=f"{kind}.TLabel").grid(
            row=0, column=0, sticky="n", padx=(0, look.px(10))
        )
        self.words = ElidedLabel(self, look, style=f"{kind}.TLabel", lines=lines, room=look.px(300))
        self.words.grid(row=0, column=1, sticky="ew")
        self.columnconfigure(1, weight=1)
        self.actions = ttk.Frame(self, style=f"{kind}Plain.TFrame", padding=0)
        self.actions.grid(row=1, column=1, sticky="w")
        self.bind("<Configure>", self._fit)

    def _fit(self, event: tk.Event[tk.Misc]) -> None:
        self.fit(event.width)

    def fit(self, width: int) -> None:
        """To be as wide as this."""
        self.words.fit(max(self._look.px(100), width - self._look.px(60)))

    def say(self, text: str) -> None:
        """Change the words."""
        self.words.say(text)
