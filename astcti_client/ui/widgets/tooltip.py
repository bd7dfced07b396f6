"""A short text that appears where the mouse or the keyboard's focus rests. Main thread."""

from __future__ import annotations

import tkinter as tk

from astcti_client.ui.theme.look import Look

TIP_AFTER = 500  # milliseconds of rest before a tip appears


class Tooltip:
    """A short text that appears where the mouse or the keyboard's focus rests."""

    def __init__(self, widget: tk.Widget, look: Look, text: str) -> None:
        self._widget, self._look = widget, look
        self._text = text
        self._due: str | None = None
        self._window: tk.Toplevel | None = None
        begin, end = ["<Enter>"], ["<Leave>", "<ButtonPress>", "<Destroy>"]
        if str(widget.cget("takefocus")) not in ("", "0", "False"):  # else these would have Tab stop there
            begin.append("<FocusIn>")
            end += ["<FocusOut>", "<KeyPress>"]
        for event in begin:
            widget.bind(event, self._wait, add=True)
        for event in end:
            widget.bind(event, self._hide, add=True)

    def say(self, text: str) -> None:
        """Change the text; with an empty one nothing appears."""
        self._text = text

    def _wait(self, _event: object) -> None:
        if self._due is None and self._window is None:
            self._due = self._widget.after(TIP_AFTER, self._show)

    def _show(self) -> None:
        self._due = None
        if not self._text or not self._widget.winfo_exists():
            return
        window = self._window = tk.Toplevel(self._widget)
        window.overrideredirect(True)
        window.attributes("-topmost", True)
        p = self._look.palette
        tk.Label(
            window,
            text=self._text,
            background=p.text,
            foreground=p.ground,
            font=self._look.fonts["small"],
            padx=self._look.px(8),
            pady=self._look.px(4),
            justify="left",
            wraplength=self._look.px(320),
        ).pack()
        x = self._widget.winfo_rootx()
        y = self._widget.winfo_rooty() + self._widget.winfo_height() + self._look.px(4)
        window.update_idletasks()
        x = max(0, min(x, window.winfo_screenwidth() - window.winfo_reqwidth()))
        window.geometry(f"+{x}+{y}")

    def _hide(self, _event: object) -> None:
        if self._due is not None:
            self._widget.after_cancel(self._due)
            self._due = None
        if self._window is not None:
            self._window.destroy()
            self._window = None
