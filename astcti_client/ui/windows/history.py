"""The calls of the past: search, call again, export. Main thread."""

from __future__ import annotations

import tkinter as tk
from datetime import datetime
from pathlib import Path
from tkinter import filedialog, ttk

from astcti_client.ui.i18n import _, some
from astcti_client.ui.state.actions import SeatActions
from astcti_client.ui.state.history import CALL_KINDS, CallKind, History, HistoryEntry
from astcti_client.ui.text import words
from astcti_client.ui.text.right_to_left import in_drawing_order
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import button, centre, icon_button
from astcti_client.ui.widgets.elided_label import elided
from astcti_client.ui.widgets.list_table import ListTable, SearchRow
from astcti_client.ui.widgets.press_guard import PressedOnce
from astcti_client.ui.windows.dialogs import ask_and_wait
from astcti_client.ui.windows.side_window import SideWindow

COLUMNS = {"time": 130, "kind": 160, "name": 160, "number": 130, "service": 130, "talked": 60}
"""How wide each is in dots of a 96 dpi screen."""
SPARED = ("talked", "service", "kind", "name")
"""Those that are left out where there is no room for all, the first first: a picture tells the kind, too."""
PICTURE = 44
TIGHTER = 90  # dots that are saved by texts of usual length before a column has to go
CELL_EDGES = 10  # dots of a column that texts leave free
SEARCH_AFTER = 200  # milliseconds after the last key


def kind_text(kind: CallKind) -> str:
    """The kind of a call in words."""
    return {
        "rung": _("Rung"),
        "missed": _("Missed"),
        "answered": _("Answered"),
        "answered-elsewhere": _("Answered elsewhere"),
        "dialled": _("Dialled"),
    }[kind]


def shown_columns(width: float) -> tuple[str, ...]:
    """The columns for which there is room; `width` in dots of a 96 dpi screen."""
    chosen = dict(COLUMNS)
    for name in SPARED:
        if PICTURE + sum(chosen.values()) <= width + TIGHTER:
            break
        del chosen[name]
    return tuple(chosen)


class HistoryWindow(SideWindow):
    """A list with a search field."""

    def __init__(self, root: tk.Tk, look: Look, seat: SeatActions, history: History) -> None:
        super().__init__(root, look, resizable=True)
        self._seat, self._history = seat, history
        self._sought = tk.StringVar(self)
        self._kind_place = 0
        self._row: int | None = None
        self._entries: dict[str, HistoryEntry] = {}
        self._due: str | None = None
        self._widths: tuple[int, ...] = ()
        self._double_clicked = PressedOnce(self)
        self._build()
        self.bind("<Escape>", lambda _event: self.destroy())
        self.bind("<Control-f>", lambda _event: self.search.focus_set())
        centre(self, look.px(820), look.px(520))
        self.search.focus_set()

    def _build(self) -> None:
        self.title(_("History – AsteriskCTI"))
        self._set_least_size(400, 320)
        body = ttk.Frame(self, padding=self._edge(16))
        body.pack(fill="both", expand=True)
        body.columnconfigure(0, weight=1)
        body.rowconfigure(1, weight=1)
        self._build_search(body)
        self._build_table(body)
        self._build_reason(body)
        self._build_buttons(body)
        self.refresh()
        if self._row is not None and self._row < len(rows := self.table.get_children()):
            self.table.selection_set(rows[self._row])

    def _keep(self) -> None:
        self._kind_place = max(0, self._kind.current())
        chosen = self.table.selection()
        self._row = self.table.index(chosen[0]) if chosen else None

    def calls_changed(self) -> None:
        """Calls were added, unasked: what is chosen and in sight stays so, as far as it is still there.

        What moved all the same takes no double click at first.
        """
        rows = self.table.get_children()
        chosen = [_call_of(self._entries[row]) for row in self.table.selection()]
        top = round(self.table.yview()[0] * len(rows))
        in_sight = _call_of(self._entries[rows[top]]) if 0 < top < len(rows) else None
        order = [_call_of(self._entries[row]) for row in rows]
        self.refresh()
        for place, (row, entry) in enumerate(self._entries.items()):
            call = _call_of(entry)
            if call in chosen:
                self.table.selection_set(row)
            if call == in_sight:
                self.table.yview_moveto(place / len(self._entries))
        if order != [_call_of(entry) for entry in self._entries.values()]:
            self._double_clicked.rest()

    def refresh(self) -> None:
        """Show what is found now."""
        self._due = None
        place = self._kind.current()
        kind = CALL_KINDS[place - 1] if place > 0 else ""
        entries = self._history.find(self.search.get(), kind)
        self._widths = self._column_widths()
        self.table.delete(*self.table.get_children())
        self._entries.clear()
        for entry in entries:
            icon = self._look.icon(*self._icon_of(entry.kind))
            row = self.table.insert("", "end", image=icon, values=self._cells(entry))
            self._entries[row] = entry
        self._show_reason()
        count = len(entries)
        self._count.configure(text=some("{count} call", "{count} calls", count).format(count=count))

    def _column_widths(self) -> tuple[int, ...]:
        return tuple(int(self.table.column(name, "width")) for name in self.table.cget("columns"))

    def _choose_columns(self, event: tk.Event[tk.Misc]) -> None:
        """Those that can be read in a table of this width."""
        chosen = shown_columns(event.width / self._look.scale)
        if tuple(self.table.cget("displaycolumns")) != chosen:
            self.table.configure(displaycolumns=chosen)

    def _fit_columns(self, _event: object = None) -> None:
        """After the columns became wider or narrower."""
        if (widths := self._column_widths()) != self._widths:
            self._widths = widths
            for row, entry in self._entries.items():
                self.table.item(row, values=self._cells(entry))

    def _cells(self, entry: HistoryEntry) -> list[str]:
        """A call's texts, as much of each as its column shows."""
        texts = (
            datetime.fromtimestamp(entry.at).strftime("%Y-%m-%d %H:%M"),
            kind_text(entry.kind),
            words.displayable(entry.name, 60),
            words.displayable(entry.number, 40),
            words.displayable(" · ".join(filter(None, (entry.service, entry.queue))), 60),
            words.clock_text(entry.seconds) if entry.seconds else "",
        )

        def measure(text: str) -> int:
            return self._look.width_of(text, "TkDefaultFont")

        room = [max(1, width - self._look.px(CELL_EDGES)) for width in self._widths]
        return [
            in_drawing_order(elided(text, width, 1, measure)) for text, width in zip(texts, room, strict=True)
        ]

    def _icon_of(self, kind: CallKind) -> tuple[str, float, str]:
        p = self._look.palette
        name, colour = {
            "rung": ("incoming", p.muted),
            "missed": ("missed", p.bad),
            "answered": ("incoming", p.good),
            "answered-elsewhere": ("elsewhere", p.muted),
            "dialled": ("outgoing", p.accent),
        }[kind]
        return name, 16, colour

    def _build_search(self, body: ttk.Frame) -> None:
        look = self._look
        row = SearchRow(body, look, self._sought)
        row.grid(row=0, column=0, sticky="ew", pady=(0, self._edge(12)))
        self.search = row.field
        self.search.bind("<KeyRelease>", self._typed)
        self.search.bind("<Down>", lambda _event: self._list.take_keyboard())
        kinds = [_("All calls"), *map(kind_text, CALL_KINDS)]
        self._kind = ttk.Combobox(row, state="readonly", width=16 if self._low else 20, values=kinds)
        self._kind.current(self._kind_place)
        self._kind.grid(row=0, column=2, padx=(look.px(8), 0))
        self._kind.bind("<<ComboboxSelected>>", self._kind_chosen)

    def _build_table(self, body: ttk.Frame) -> None:
        headings = (_("Time"), _("Kind"), _("Name"), _("Number"), _("Service"), _("Talked"))
        columns = [(name, heading, COLUMNS[name]) for name, heading in zip(COLUMNS, headings, strict=True)]
        self._list = ListTable(body, self._look, columns, PICTURE)
        self._list.grid(row=1, column=0, sticky="nsew")
        self.table = self._list.tree
        self.table.bind("<Configure>", self._choose_columns)
        for changes in ("<Configure>", "<ButtonRelease-1>"):  # of the window, of one column
            self.table.bind(changes, self._fit_columns, add=True)
        self.table.bind("<Double-Button-1>", self._double_click)
        self.table.bind("<Return>", lambda _event: self._redial())

    def _build_reason(self, body: ttk.Frame) -> None:
        self.reason = ttk.Label(body, style="Muted.TLabel", anchor="w", justify="left")
        self.reason.grid(row=2, column=0, sticky="ew", pady=(self._edge(8), 0))
        if self._low:
            self.reason.grid_remove()
        self.reason.bind("<Configure>", lambda event: self.reason.configure(wraplength=event.width))
        self.table.bind("<<TreeviewSelect>>", lambda _event: self._show_reason())

    def _show_reason(self) -> None:
        """Why the chosen call popped up, or did not."""
        chosen = self.table.selection()
        entry = self._entries.get(chosen[0]) if chosen else None
        text = words.why_text(entry.why) if entry is not None else ""
        self.reason.configure(text=text)
        if self._low:
            self.reason.grid() if text else self.reason.grid_remove()

    def _build_buttons(self, body: ttk.Frame) -> None:
        look, row = self._look, ttk.Frame(body)
        row.grid(row=3, column=0, sticky="ew", pady=(self._edge(12), 0))
        button(row, look, _("Call"), self._redial, icon="phone", style="Accent.TButton").pack(side="left")
        self._count = ttk.Label(row, style="Muted.TLabel")
        self._count.pack(side="left", padx=look.px(12))
        icon_button(row, look, "bin", _("Delete all"), self._clear).pack(side="right")
        button(row, look, _("Export …"), self._export, icon="export").pack(side="right", padx=look.px(8))

    def _kind_chosen(self, _event: object) -> None:
        self._kind.selection_clear()
        self.refresh()

    def _typed(self, _event: object) -> None:
        if self._due is not None:
            self.after_cancel(self._due)
        self._due = self.after(SEARCH_AFTER, self.refresh)

    def _double_click(self, event: tk.Event[tk.Misc]) -> None:
        # On a heading, where columns are drawn wider, or below the last call it means nobody.
        if self.table.identify_row(event.y) and self._double_clicked.begins():
            self._redial()

    def _redial(self) -> None:
        chosen = self.table.selection()
        if not chosen or not self._entries[chosen[0]].number:
            return
        problem = self._seat.dial(self._entries[chosen[0]].number)
        if problem:
            self._count.configure(text=problem)

    def _export(self) -> None:
        name = filedialog.asksaveasfilename(
            parent=self,
            title=_("Export"),
            defaultextension=".csv",
            initialfile="calls.csv",
            filetypes=[("CSV", "*.csv")],
        )
        if name:
            self.export_to(Path(name))

    def export_to(self, file: Path) -> None:
        """Write what the search finds, all of it, into a file."""
        place = self._kind.current()
        kind = CALL_KINDS[place - 1] if place > 0 else ""
        entries = self._history.find(self.search.get(), kind, most=1_000_000)
        try:
            self._history.export(file, entries)
        except OSError as error:
            self._count.configure(text=f"{file}: {error.strerror or error}")
            return
        self._count.configure(
            text=some("{count} call written", "{count} calls written", len(entries)).format(
                count=len(entries)
            )
        )

    def _clear(self) -> None:
        text, yes = (lambda: _("Delete the whole history?")), (lambda: _("Delete"))
        if ask_and_wait(self, self._look, text, yes, danger=True):
            self._history.clear()
            self.refresh()


def _call_of(entry: HistoryEntry) -> tuple[float, str, str]:
    """What tells it from others, whatever more is known of it by now."""
    return entry.at, entry.linkedid, entry.number
