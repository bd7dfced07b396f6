"""Small windows: a question, a password, and about the program. Main thread; they wait for their answer."""

from __future__ import annotations

import platform
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from astcti_client.ui.i18n import _
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import button, icon_button
from astcti_client.ui.windows.call_notice import show_quietly
from astcti_client.ui.windows.side_window import SideWindow
from schemas.version import VERSION


class QuestionDialog(SideWindow):
    """A question with two buttons; `answered` is called once, with the answer."""

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        text: Callable[[], str],
        yes: Callable[[], str],
        answered: Callable[[bool], None],
        *,
        danger: bool = False,
        detail: str = "",
        quiet: bool = False,
    ) -> None:
        """`text` and `yes` give the words in the language of the moment.

        A `quiet` one does not take the keyboard from what somebody types elsewhere, unless it is clicked.
        """
        super().__init__(parent, look)
        self.title("AsteriskCTI")
        self._text, self._yes, self._danger, self._detail = text, yes, danger, detail
        self._answered: Callable[[bool], None] | None = answered
        self._build()
        self.bind("<Escape>", lambda _event: self._end(False))
        self.protocol("WM_DELETE_WINDOW", lambda: self._end(False))
        if quiet:
            self.withdraw()
            self.overrideredirect(True)
            self.attributes("-topmost", True)
            self.bind("<Button-1>", lambda _event: self.no.focus_force())
        self._centre()
        if quiet:
            show_quietly(self)
        else:
            self.no.focus_set()

    def _build(self) -> None:
        look = self._look
        self.configure(highlightthickness=1, highlightbackground=look.palette.border)
        body = self._scrolled_body(20)
        room = self._room(380, 60)
        ttk.Label(body, text=self._text(), style="Bold.TLabel", wraplength=room, justify="left").pack(
            anchor="w"
        )
        if self._detail:
            ttk.Label(body, text=self._detail, style="Muted.TLabel", wraplength=room, justify="left").pack(
                anchor="w", pady=(look.px(6), 0)
            )
        row = ttk.Frame(body)
        row.pack(fill="x", pady=(look.px(18), 0))
        style = "Danger.TButton" if self._danger else "Accent.TButton"
        self.yes = button(row, look, self._yes(), lambda: self._end(True), style=style)
        self.yes.pack(side="right")
        self.no = button(row, look, _("Cancel"), lambda: self._end(False))
        self.no.pack(side="right", padx=look.px(8))

    def _end(self, answer: bool) -> None:
        answered, self._answered = self._answered, None
        self.destroy()
        if answered is not None:
            answered(answer)


def ask_and_wait(
    parent: tk.Misc, look: Look, text: Callable[[], str], yes: Callable[[], str], *, danger: bool = False
) -> bool:
    """Ask and wait; meanwhile everything else goes on."""
    answers: list[bool] = []
    window = QuestionDialog(parent, look, text, yes, answers.append, danger=danger)
    parent.wait_window(window)
    return bool(answers and answers[0])


class PasswordDialog(SideWindow):
    """Asks for the password; `right` tells whether it is the one, `done` is called once it was given."""

    def __init__(
        self, parent: tk.Misc, look: Look, right: Callable[[str], bool], done: Callable[[], None]
    ) -> None:
        super().__init__(parent, look)
        self._right, self._done = right, done
        self._typed = tk.StringVar(self)
        self._was_wrong = False
        self._build()
        self.bind("<Return>", lambda _event: self._go())
        self.bind("<Escape>", lambda _event: self.destroy())
        self._centre()
        self.password.focus_set()

    def _build(self) -> None:
        look = self._look
        self.title(_("Come back – AsteriskCTI"))
        body = self._scrolled_body(20)
        text, room = _("Write your password to come back from the pause."), self._room(420, 60)
        ttk.Label(body, text=text, style="Bold.TLabel", wraplength=room).pack(
            anchor="w", pady=(0, look.px(12))
        )
        self.password = ttk.Entry(body, show="•", width=34, textvariable=self._typed)
        self.password.pack(fill="x")
        self._wrong = ttk.Label(body, style="Error.TLabel")
        self._wrong.pack(anchor="w", pady=(look.px(4), 0))
        row = ttk.Frame(body)
        row.pack(fill="x", pady=(look.px(12), 0))
        button(row, look, _("Come back"), self._go, style="Accent.TButton").pack(side="right")
        button(row, look, _("Cancel"), self.destroy).pack(side="right", padx=look.px(8))
        self._show_wrong()

    def _go(self) -> None:
        if not self._right(self._typed.get()):
            self._was_wrong = True
            self._typed.set("")
            self._show_wrong()
            return
        self.destroy()
        self._done()

    def _show_wrong(self) -> None:
        self._wrong.configure(text=_("This is not your password.") if self._was_wrong else "")


class AboutDialog(SideWindow):
    """Name, version, and what to tell the administrator."""

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        facts: Callable[[], list[tuple[str, str]]],
        copy: Callable[[str], None],
    ) -> None:
        """`facts` gives names and values in the language of the moment."""
        super().__init__(parent, look)
        self._facts, self._copy = facts, copy
        self._build()
        self.bind("<Escape>", lambda _event: self.destroy())
        self._centre()
        self.close.focus_set()

    def _build(self) -> None:
        look = self._look
        self.title(_("About AsteriskCTI"))
        body = self._scrolled_body(28)
        if not self._low:
            ttk.Label(body, image=look.program_icon("available", look.px(64))).pack()
        ttk.Label(body, text="AsteriskCTI", style="Title.TLabel").pack(pady=(look.px(8), 0))
        ttk.Label(body, text=_("Version {version}").format(version=VERSION), style="Muted.TLabel").pack()
        self._build_facts(body).pack(fill="x", pady=self._edge(16))
        self.close = button(body, look, _("Close"), self.destroy)
        self.close.pack()

    def _build_facts(self, body: ttk.Frame) -> ttk.Frame:
        look = self._look
        table = ttk.Frame(body, style="Card.TFrame", padding=self._edge(14))
        table.columnconfigure(1, weight=1)
        system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
        facts = [*self._facts(), (_("System"), system)]
        for row, (name, value) in enumerate(facts):
            ttk.Label(table, text=name, style="MutedCard.TLabel").grid(
                row=row, column=0, sticky="nw", padx=(0, look.px(14))
            )
            ttk.Label(
                table,
                text=words.displayable(value) or "–",
                style="Card.TLabel",
                wraplength=self._room(260, 250),
                justify="left",
            ).grid(row=row, column=1, sticky="w")
        text = "\n".join(f"{name}: {value}" for name, value in facts)
        icon_button(table, look, "copy", _("Copy"), lambda: self._copy(text), style="CardFlat.TButton").grid(
            row=0, column=2, rowspan=2, sticky="ne"
        )
        return table
