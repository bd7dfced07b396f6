"""Who of the colleagues is there: search, call, hand a call over. Main thread."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Any

from astcti_client.ui.i18n import _, some
from astcti_client.ui.state.actions import Actions
from astcti_client.ui.state.colleagues import Colleague, found, in_order
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.text import words
from astcti_client.ui.text.right_to_left import in_drawing_order
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import button, centre
from astcti_client.ui.widgets.list_table import ListTable, SearchRow
from astcti_client.ui.widgets.options import enable
from astcti_client.ui.widgets.press_guard import PressedOnce
from astcti_client.ui.windows.side_window import SideWindow
from schemas.protocol import ColleagueState


class ColleaguesWindow(SideWindow):
    """A list with a search field. Each colleague keeps his place in it, whatever he does."""

    def __init__(self, root: tk.Tk, look: Look, model: SeatModel, actions: Actions) -> None:
        super().__init__(root, look, resizable=True)
        self._model, self._actions = model, actions
        self._sought = tk.StringVar(self)
        self._chosen = ""
        self._drawn: dict[str, Colleague] = {}
        self._changes = -1
        self._called = PressedOnce(self)
        self._build()
        self._sought.trace_add("write", lambda *_what: self._filter())
        self.bind("<Escape>", lambda _event: self.destroy())
        self.bind("<Control-f>", lambda _event: self.search.focus_set())
        self.bind("<Destroy>", self._closed)
        centre(self, look.px(480), look.px(560))
        self.search.focus_set()

    def show(self) -> None:
        """Show everything of the model that may have changed."""
        self._actions.seat.watch_colleagues(True)  # after a new connection; else it does nothing
        if self._model.colleagues.changes != self._changes:
            self._changes = self._model.colleagues.changes
            self._show_rows()
        self._show_buttons()

    def _build(self) -> None:
        look = self._look
        self.title(_("Colleagues – AsteriskCTI"))
        self._set_least_size(360, 320)
        body = ttk.Frame(self, padding=self._edge(16))
        body.pack(fill="both", expand=True)
        body.columnconfigure(0, weight=1)
        body.rowconfigure(1, weight=1)
        row = SearchRow(body, look, self._sought)
        row.grid(row=0, column=0, sticky="ew", pady=(0, self._edge(12)))
        self.search = row.field
        self._count = ttk.Label(row, style="Muted.TLabel")
        self._count.grid(row=0, column=2, padx=(look.px(10), 0))
        for keys in ("<Down>", "<Return>"):
            self.search.bind(keys, lambda _event: self._list.take_keyboard())
        self._build_table(body)
        self._problem = ttk.Label(body, style="Error.TLabel", anchor="w")
        self._problem.grid(row=2, column=0, sticky="ew", pady=(self._edge(8), 0))
        if self._low:
            self._problem.grid_remove()
        self._build_buttons(body)
        self._changes, self._drawn = -1, {}
        self.show()

    def _build_table(self, body: ttk.Frame) -> None:
        columns = (("name", _("Name"), 190), ("state", _("State"), 120), ("phone", _("Phone"), 80))
        self._list = ListTable(body, self._look, columns, 40)
        self._list.grid(row=1, column=0, sticky="nsew")
        self.table = self._list.tree
        for name in ("state", "phone"):
            self.table.column(name, stretch=False)
        self.table.bind("<Double-Button-1>", self._double_click)
        self.table.bind("<Return>", lambda _event: self._call())
        self.table.bind("<<TreeviewSelect>>", lambda _event: self._show_buttons())

    def _build_buttons(self, body: ttk.Frame) -> None:
        look, row = self._look, ttk.Frame(body)
        row.grid(row=3, column=0, sticky="ew", pady=(self._edge(12), 0))
        self.call = button(row, look, _("Call"), self._call, icon="phone", style="Accent.TButton")
        self.call.pack(side="left")
        self.transfer = button(row, look, _("Transfer …"), self._transfer, icon="transfer")
        self.transfer.pack(side="left", padx=look.px(8))
        self.ask_first = button(row, look, _("Ask first"), self._ask_first, icon="phone")

    def _keep(self) -> None:
        self._chosen = next(iter(self.table.selection()), "")

    # --- what is shown ---

    def _show_rows(self) -> None:
        """Draw those rows alone that say something else."""
        known = self._model.colleagues.known
        for username in self._drawn.keys() - known.keys():
            self.table.delete(username)
            del self._drawn[username]
        for username, colleague in known.items():
            before = self._drawn.get(username)
            if before == colleague:
                continue
            look: dict[str, Any] = {"image": self._picture(colleague.state), "values": self._cells(colleague)}
            if before is None:
                self.table.insert("", "end", iid=username, **look)
            else:
                self.table.item(username, **look)
            self._drawn[username] = colleague
        self._filter()
        if self._chosen in self._drawn:
            self.table.selection_set(self._chosen)
        self._chosen = ""

    def _filter(self) -> None:
        rows = [each.username for each in found(in_order(self._drawn.values()), self._sought.get())]
        if list(self.table.get_children()) != rows:
            self.table.set_children("", *rows)
            gone = set(self.table.selection()) - set(rows)
            if gone:
                self.table.selection_remove(*gone)
        ready = sum(self._drawn[name].state == ColleagueState.READY for name in rows)
        text = some("{ready} of {count} ready", "{ready} of {count} ready", len(rows))
        self._count.configure(text=text.format(ready=ready, count=len(rows)))
        self._show_buttons()

    def _cells(self, colleague: Colleague) -> list[str]:
        return [
            in_drawing_order(words.displayable(colleague.name, 60)),
            words.colleague_text(colleague.state),
            words.displayable(colleague.extension.rpartition("/")[2], 40),
        ]

    def _picture(self, state: ColleagueState) -> Any:
        p = self._look.palette
        icon, colour = {
            ColleagueState.READY: ("full", p.good),
            ColleagueState.RINGING: ("phone", p.ring),
            ColleagueState.TALKING: ("phone", p.accent),
            ColleagueState.PAUSED: ("pause", p.warn),
            ColleagueState.OFFLINE: ("hollow", p.muted),
            ColleagueState.UNREACHABLE: ("warning", p.muted),
        }[state]
        return self._look.icon(icon, 14, colour, 2.4)

    def _show_buttons(self) -> None:
        colleague, up = self._selected(), self._model.up and self._model.pbx_up
        may_call = colleague is not None and bool(colleague.number) and up
        enable(self.call, may_call and bool(self._model.outbound))
        talks = any(call.phase == "talking" for call in self._model.calls.values())
        may_transfer = may_call and talks and bool(self._model.transfer_targets)
        enable(self.transfer, may_transfer)
        consults = self._model.consults
        if consults.possible and not self.ask_first.winfo_manager():
            self.ask_first.pack(side="left", after=self.transfer)
        elif not consults.possible:
            self.ask_first.pack_forget()
        asks = any(consult.goes_on for consult in consults.by_call.values())
        enable(self.ask_first, may_transfer and not asks)
        text = ""
        if not self._model.colleagues.offered and self._model.up:
            text = _("This server does not tell who is there.")
        elif not self._model.up:
            text = _("Not connected.")
        elif colleague is not None and not colleague.number:
            text = _("No number is known of this colleague.")
        if str(self._problem.cget("text")) != text:
            self._say(text)

    def _say(self, problem: str) -> None:
        """It has its place also while there is nothing to say, where there is room for that."""
        self._problem.configure(text=problem)
        if self._low:
            self._problem.grid() if problem else self._problem.grid_remove()

    # --- what is done ---

    def _selected(self) -> Colleague | None:
        chosen = self.table.selection()
        return self._drawn.get(chosen[0]) if chosen else None

    def _double_click(self, event: tk.Event[tk.Misc]) -> None:
        if self.table.identify_row(event.y):  # on the heading it is none
            self._show_buttons()  # Tk says later that the first click has chosen somebody else
            self._call()

    def _call(self) -> None:
        colleague = self._selected()
        if colleague is None or self.call.instate(["disabled"]) or not self._called.begins():
            return
        if problem := self._actions.seat.dial(colleague.number):
            self._say(problem)

    def _transfer(self) -> None:
        if (colleague := self._selected()) is not None:
            self._actions.windows.transfer_to(colleague.number)

    def _ask_first(self) -> None:
        colleague = self._selected()
        if colleague is not None and self._called.begins():
            self._actions.windows.ask_first(colleague.number)

    def _closed(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self:
            self._actions.seat.watch_colleagues(False)
