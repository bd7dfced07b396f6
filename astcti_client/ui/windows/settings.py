"""The settings in a window; those that the administrator fixed are shown and locked. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Any

from astcti_client.settings import Settings
from astcti_client.settings_file import Writable
from astcti_client.settings_values import SETTING_READERS, SettingValue
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import ProgramActions
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import ScrolledFrame, button, centre
from astcti_client.ui.widgets.message_banner import MessageBanner
from astcti_client.ui.widgets.tooltip import Tooltip
from astcti_client.ui.windows.side_window import SideWindow


class SettingsWindow(SideWindow):
    """Each change is checked as in the file; nothing is written before "Save"."""

    def __init__(
        self, root: tk.Tk, look: Look, program: ProgramActions, settings: Settings, locked: frozenset[str]
    ) -> None:
        super().__init__(root, look, resizable=True)
        self._program, self._settings, self._locked = program, settings, locked
        self._given: dict[str, Callable[[], Writable]] = {}
        self._before: dict[str, Writable] = {}
        # What was chosen and typed, by the setting.
        self._chosen: dict[str, int] = {}
        self._typed: dict[str, tk.StringVar] = {}
        self._switched: dict[str, tk.BooleanVar] = {}
        self._labels: dict[str, str] = {}
        self._allowed = "\n".join(settings.allowed_programs or ())
        self._problem = ""
        self._build()
        self.bind("<Escape>", lambda _event: self.destroy())
        centre(self, look.px(520), look.px(640))
        self.focus_set()

    def _build(self) -> None:
        look = self._look
        self.title(_("Settings – AsteriskCTI"))
        self._set_least_size(400, 320)
        self.columnconfigure(0, weight=1)
        self.rowconfigure(0, weight=1)
        self._pages = ScrolledFrame(self, look)
        edges = (self._edge(18), look.px(6))
        self._pages.grid(row=0, column=0, sticky="nsew", padx=edges, pady=(look.px(6), 0))
        self._banner = MessageBanner(self, look, "Bad")
        self._build_pages()
        row = ttk.Frame(self, padding=self._edge(16))
        row.grid(row=2, column=0, sticky="ew")
        button(row, look, _("Save"), self._save, style="Accent.TButton").pack(side="right")
        button(row, look, _("Cancel"), self.destroy).pack(side="right", padx=look.px(8))
        if self._problem:
            self._fail(self._problem)

    def _keep(self) -> None:
        self._allowed = self._box.get("1.0", "end-1c")

    def _build_pages(self) -> None:
        self._build_appearance()
        self._build_notices()
        self._build_programs()
        self._build_habits()
        self._build_connection()

    def _build_appearance(self) -> None:
        card = self._card(_("Appearance"))
        self._choice(
            card, "theme", _("Colours"), {"auto": _("As the system"), "light": _("Light"), "dark": _("Dark")}
        )
        self._choice(
            card, "language", _("Language"), {"": _("As the system"), "en": "English", "it": "Italiano"}
        )
        sizes: dict[Writable, str] = {0.0: _("As the screen")}
        sizes |= {size: f"{size:.0%}" for size in (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)}
        self._choice(card, "scale", _("Size"), sizes)
        self._switch(card, "on-top", _("Keep the window above all others"))
        self._switch(card, "mini-view", _("Mini view: state, pause and calls alone"))

    def _build_notices(self) -> None:
        card = self._card(_("Notices of incoming calls"))
        self._switch(card, "notices", _("Show a notice when the phone rings"))
        self._choice(
            card,
            "notice-corner",
            _("Corner of the screen"),
            {
                "bottom-right": _("Bottom right"),
                "top-right": _("Top right"),
                "bottom-left": _("Bottom left"),
                "top-left": _("Top left"),
            },
        )
        self._text(card, "notice-time", _("Seconds it stays after the ring (0: until closed)"), number=True)
        self._text(card, "ring-sound", _("Sound when the phone rings: “system” or a file (empty: none)"))

    def _build_programs(self) -> None:
        card = self._card(_("Pages and programs"))
        self._switch(card, "triggers", _("Open the pages and programs of calls"))
        self._switch(card, "confirm-triggers", _("Ask before a program is started or a page opened"))
        self._choice(
            card,
            "browser-window",
            _("Own browser window"),
            {"reuse": _("One per service"), "new": _("A new one for each page")},
        )
        self._switch(card, "allow", _("Only start these programs (one per line)"), special=True)
        self._programs(card)

    def _build_habits(self) -> None:
        card = self._card(_("Pause and start"))
        self._switch(card, "pause-lock", _("Ask for the password to come back from a pause"))
        self._switch(card, "remember", _("Remember me at the next start"))
        self._switch(card, "start-with-pc", _("Start with this PC"))
        self._switch(card, "start-hidden", _("Start in the tray"))
        card = self._card(_("History and dialling"))
        self._text(card, "history-days", _("Days that calls are kept (0: none)"), number=True)
        self._text(
            card, "hot-key", _("Hot key that calls the selected number, such as Ctrl+Alt+D (empty: off)")
        )
        self._text(card, "hang-up-key", _("Hot key that hangs up, such as Ctrl+Alt+H (empty: off)"))

    def _build_connection(self) -> None:
        card = self._card(_("Connection (used from the next log-in)"))
        self._text(card, "ca-file", _("Certificate file of the server (PEM)"))
        self._text(card, "server-name", _("Name in the server's certificate, if another"))
        self._switch(card, "verify", _("Check the server's certificate"))
        self._switch(card, "plain", _("Allow a connection without encryption beyond this PC"))
        self._text(card, "mac", _("Address (MAC) to be known by, instead of this PC's"))

    def _card(self, title: str) -> ttk.Frame:
        look = self._look
        ttk.Label(self._pages.inner, text=title, style="Bold.TLabel").pack(
            anchor="w", pady=(look.px(14), look.px(6))
        )
        card = ttk.Frame(self._pages.inner, style="Card.TFrame", padding=look.px(14))
        card.pack(fill="x", padx=(0, look.px(8)))
        card.columnconfigure(0, weight=1)
        return card

    def _row(self, card: ttk.Frame, key: str, label: str, widget: ttk.Widget) -> None:
        self._labels[key] = label
        row = card.grid_size()[1]
        # Beside the widget, in a window as narrow as the screen may make it.
        room = self._room(*((350, 130) if isinstance(widget, ttk.Checkbutton) else (215, 250)))
        name = ttk.Label(card, text=label, style="Card.TLabel", wraplength=room, justify="left")
        # The words of a switch go on above the column of the fields, where it leaves room.
        span = 2 if isinstance(widget, ttk.Checkbutton) else 1
        name.grid(row=row, column=0, columnspan=span, sticky="w", pady=self._look.px(4))
        widget.grid(row=row, column=1, sticky="e", padx=(self._look.px(10), 0), pady=self._look.px(4))
        if key in self._locked:
            widget.configure(state="disabled")  # type: ignore[call-arg]
            lock = self._look.icon("lock", 14, self._look.palette.muted, gap=5)
            name.configure(image=lock, compound="left", wraplength=room - self._look.px(19))
            Tooltip(name, self._look, _("Fixed by your administrator"))

    def _value(self, key: str) -> Any:
        return getattr(self._settings, SETTING_READERS[key].field)

    def _offer(self, key: str, value: Writable, read: Callable[[], Writable]) -> None:
        if key not in self._locked:
            self._before.setdefault(key, value)
            self._given[key] = read

    def _choice(self, card: ttk.Frame, key: str, label: str, named: dict[Any, str]) -> None:
        values = list(named)
        value = self._value(key)
        if value not in values:
            named, values = {**named, value: f"{value}"}, [*values, value]
        style = self._look.on(card, "TCombobox")
        box = ttk.Combobox(card, values=list(named.values()), state="readonly", width=20, style=style)
        box.current(self._chosen.setdefault(key, values.index(value)))

        def chosen(_event: object) -> None:
            box.selection_clear()
            self._chosen[key] = box.current()

        box.bind("<<ComboboxSelected>>", chosen)
        self._row(card, key, label, box)
        self._offer(key, value, lambda: values[box.current()])

    def _switch(self, card: ttk.Frame, key: str, label: str, *, special: bool = False) -> None:
        value = self._settings.allowed_programs is not None if special else bool(self._value(key))
        state = self._switched.setdefault(key, tk.BooleanVar(self, value))
        box = ttk.Checkbutton(card, variable=state, style="Bare.TCheckbutton")
        if special:
            self._limited = state
            self._row(card, "allowed-programs", label, box)
            return
        self._row(card, key, label, box)
        self._offer(key, value, state.get)

    def _text(self, card: ttk.Frame, key: str, label: str, *, number: bool = False) -> None:
        value = self._value(key)
        text = f"{value:g}" if number else str(value)
        typed = self._typed.setdefault(key, tk.StringVar(self, text))
        style = self._look.on(card, "TEntry")
        field = ttk.Entry(card, width=7 if number else 22, textvariable=typed, style=style)
        self._row(card, key, label, field)

        def read() -> Writable:
            found = typed.get().strip()
            if not number:
                return found
            try:
                seen = float(found.replace(",", "."))
            except ValueError:
                return found  # the setting's own reader says what is wrong
            return int(seen) if seen.is_integer() else seen

        self._offer(key, (int(value) if float(value).is_integer() else value) if number else text, read)

    def _programs(self, card: ttk.Frame) -> None:
        p, look = self._look.palette, self._look
        box = self._box = tk.Text(
            card,
            height=3,
            width=30,
            background=p.surface,
            foreground=p.text,
            insertbackground=p.text,
            relief="flat",
            highlightthickness=1,
            highlightbackground=p.border,
            highlightcolor=p.accent,
            font="TkDefaultFont",
            padx=look.px(8),
            pady=look.px(6),
        )
        box.insert("1.0", self._allowed)
        box.bind("<Tab>", lambda _event: (box.tk_focusNext() or box).focus_set() or "break")  # type: ignore[func-returns-value]
        box.bind("<<Paste>>", _take_selection_away)
        box.grid(row=card.grid_size()[1], column=0, columnspan=3, sticky="ew", pady=(look.px(4), 0))

        def read() -> Writable:
            if not self._limited.get():
                return None
            return [line.strip() for line in box.get("1.0", "end").splitlines() if line.strip()]

        before = self._settings.allowed_programs
        self._offer("allowed-programs", None if before is None else list(before), read)
        if "allowed-programs" in self._locked:
            box.configure(state="disabled")

    def _save(self) -> None:
        changes = {key: read() for key, read in self._given.items()}
        changes = {key: value for key, value in changes.items() if value != self._before[key]}
        for key, value in changes.items():
            try:
                if value is not None:
                    SETTING_READERS[key].read(SettingValue(value))
            except ValueError as error:
                self._fail(f"{self._labels[key]}: {words.told(error)}")
                return
        problem = self._program.change_settings(changes)
        if problem:
            self._fail(problem)
        elif self.winfo_exists():
            self.destroy()

    def _fail(self, text: str) -> None:
        self._problem = text
        self._banner.say(text)
        self._banner.grid(row=1, column=0, sticky="ew", padx=self._look.px(18))


def _take_selection_away(event: tk.Event[tk.Text]) -> None:
    """What is pasted takes the place of what is selected, as in the fields: on X11 Tk's text keeps it."""
    if event.widget.tag_ranges("sel"):
        event.widget.delete("sel.first", "sel.last")
