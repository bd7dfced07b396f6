"""Small windows: a question, a password, and about the program. Main thread; they wait for their answer."""

from __future__ import annotations

import platform
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from astcti_client.ui.i18n import _
from astcti_client.ui.look import Look
from astcti_client.ui.parts import button, centre, icon_button
from schemas.version import VERSION


class Question(tk.Toplevel):
    """A question with two buttons; `answered` is called once, with the answer."""

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        text: str,
        yes: str,
        answered: Callable[[bool], None],
        *,
        danger: bool = False,
        detail: str = "",
    ) -> None:
        super().__init__(parent, class_="Astcti", background=look.palette.ground)
        self.title("AsteriskCTI")
        self.resizable(False, False)
        self._answered: Callable[[bool], None] | None = answered
        body = ttk.Frame(self, padding=look.px(20))
        body.pack()
        ttk.Label(body, text=text, style="Bold.TLabel", wraplength=look.px(380), justify="left").pack(
            anchor="w"
        )
        if detail:
            ttk.Label(body, text=detail, style="Muted.TLabel", wraplength=look.px(380), justify="left").pack(
                anchor="w", pady=(look.px(6), 0)
            )
        row = ttk.Frame(body)
        row.pack(fill="x", pady=(look.px(18), 0))
        self.yes = button(
            row, look, yes, lambda: self._end(True), style="Danger.TButton" if danger else "Accent.TButton"
        )
        self.yes.pack(side="right")
        no = button(row, look, _("Cancel"), lambda: self._end(False))
        no.pack(side="right", padx=look.px(8))
        self.bind("<Escape>", lambda _event: self._end(False))
        self.protocol("WM_DELETE_WINDOW", lambda: self._end(False))
        centre(self)
        no.focus_set()

    def _end(self, answer: bool) -> None:
        answered, self._answered = self._answered, None
        self.destroy()
        if answered is not None:
            answered(answer)


def ask(parent: tk.Misc, look: Look, text: str, yes: str, *, danger: bool = False) -> bool:
    """Ask and wait; meanwhile everything else goes on."""
    answers: list[bool] = []
    window = Question(parent, look, text, yes, answers.append, danger=danger)
    parent.wait_window(window)
    return bool(answers and answers[0])


class PasswordQuestion(tk.Toplevel):
    """Asks for the password; `right` tells whether it is the one, `done` is called once it was given."""

    def __init__(
        self, parent: tk.Misc, look: Look, right: Callable[[str], bool], done: Callable[[], None]
    ) -> None:
        super().__init__(parent, class_="Astcti", background=look.palette.ground)
        self.title(_("Come back – AsteriskCTI"))
        self.resizable(False, False)
        self._right, self._done = right, done
        body = ttk.Frame(self, padding=look.px(20))
        body.pack()
        ttk.Label(body, text=_("Write your password to come back from the pause."), style="Bold.TLabel").pack(
            anchor="w", pady=(0, look.px(12))
        )
        self.password = ttk.Entry(body, show="•", width=34)
        self.password.pack(fill="x")
        self._wrong = ttk.Label(body, style="Error.TLabel")
        self._wrong.pack(anchor="w", pady=(look.px(4), 0))
        row = ttk.Frame(body)
        row.pack(fill="x", pady=(look.px(12), 0))
        button(row, look, _("Come back"), self._go, style="Accent.TButton").pack(side="right")
        button(row, look, _("Cancel"), self.destroy).pack(side="right", padx=look.px(8))
        self.bind("<Return>", lambda _event: self._go())
        self.bind("<Escape>", lambda _event: self.destroy())
        centre(self)
        self.password.focus_set()

    def _go(self) -> None:
        if not self._right(self.password.get()):
            self._wrong.configure(text=_("This is not your password."))
            self.password.delete(0, "end")
            return
        self.destroy()
        self._done()


class AboutWindow(tk.Toplevel):
    """Name, version, and what to tell the administrator."""

    def __init__(
        self, parent: tk.Misc, look: Look, facts: list[tuple[str, str]], copy: Callable[[str], None]
    ) -> None:
        super().__init__(parent, class_="Astcti", background=look.palette.ground)
        self.title(_("About AsteriskCTI"))
        self.resizable(False, False)
        body = ttk.Frame(self, padding=look.px(28))
        body.pack()
        ttk.Label(body, image=look.program_icon("available", look.px(64))).pack()
        ttk.Label(body, text="AsteriskCTI", style="Title.TLabel").pack(pady=(look.px(8), 0))
        ttk.Label(body, text=_("Version {version}").format(version=VERSION), style="Muted.TLabel").pack()
        table = ttk.Frame(body, style="Card.TFrame", padding=look.px(14))
        table.pack(fill="x", pady=look.px(16))
        table.columnconfigure(1, weight=1)
        facts = [
            *facts,
            (_("System"), f"{platform.system()} {platform.release()}, Python {platform.python_version()}"),
        ]
        for row, (name, value) in enumerate(facts):
            ttk.Label(table, text=name, style="MutedCard.TLabel").grid(
                row=row, column=0, sticky="nw", padx=(0, look.px(14))
            )
            ttk.Label(
                table, text=value or "–", style="Card.TLabel", wraplength=look.px(260), justify="left"
            ).grid(row=row, column=1, sticky="w")
        text = "\n".join(f"{name}: {value}" for name, value in facts)
        icon_button(table, look, "copy", _("Copy"), lambda: copy(text), style="CardFlat.TButton").grid(
            row=0, column=2, rowspan=2, sticky="ne"
        )
        close = button(body, look, _("Close"), self.destroy)
        close.pack()
        self.bind("<Escape>", lambda _event: self.destroy())
        centre(self)
        close.focus_set()
