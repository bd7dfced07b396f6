"""The main window: who, queues, pause, calls, dialling. Shows the model and asks `Actions`. Main thread."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable
from functools import partial
from tkinter import ttk

from astcti_client.ui import words
from astcti_client.ui.actions import Actions
from astcti_client.ui.call_card import CallCard
from astcti_client.ui.dial_bar import DialBar
from astcti_client.ui.i18n import _
from astcti_client.ui.look import Look
from astcti_client.ui.model import QueuePlace, SeatModel
from astcti_client.ui.parts import Banner, Flow, Portrait, Scrolled, Tip, button, icon_button

MESSAGE_TIME = 8000  # milliseconds that a passing message stays


class MainWindow(ttk.Frame):
    """Fills the root window."""

    def __init__(
        self,
        root: tk.Tk,
        look: Look,
        model: SeatModel,
        actions: Actions,
        redial_list: Callable[[], list[str]],
    ) -> None:
        super().__init__(root, padding=look.px(14))
        self._look, self._model, self._actions = look, model, actions
        self._cards: dict[str, CallCard] = {}
        self._queues_shown: tuple[QueuePlace, ...] | None = None
        self._message_due: str | None = None
        self.columnconfigure(0, weight=1)
        self.rowconfigure(4, weight=1)
        gap = look.px(10)
        self._build_header().grid(row=0, column=0, sticky="ew")
        self._banner = Banner(self, look)
        self._banner.grid(row=1, column=0, sticky="ew", pady=(gap, 0))
        self._copy_button: ttk.Button | None = None
        self._build_pause().grid(row=2, column=0, sticky="ew", pady=(gap, 0))
        self._queues = Flow(self, look.px(6))
        self._queues.grid(row=3, column=0, sticky="ew", pady=(gap, 0))
        self._build_calls().grid(row=4, column=0, sticky="nsew", pady=gap)
        self._message = Banner(self, look, "Bad")
        self._message.grid(row=5, column=0, sticky="ew", pady=(0, gap))
        self._message.grid_remove()
        self.dial_bar = DialBar(self, look, actions, redial_list)
        self.dial_bar.grid(row=6, column=0, sticky="ew")
        self.pack(fill="both", expand=True)
        self._bind_keys(root)
        self.show()

    # --- building ---

    def _build_header(self) -> ttk.Frame:
        look, header = self._look, ttk.Frame(self)
        header.columnconfigure(1, weight=1)
        self._portrait = Portrait(header, look, "", ground="", size=40)
        self._portrait.grid(row=0, column=0, rowspan=2, padx=(0, look.px(12)))
        self._name = ttk.Label(header, style="Large.TLabel")
        self._name.grid(row=0, column=1, sticky="sw")
        self._place = ttk.Label(header, style="Muted.TLabel", compound="left")
        self._place.grid(row=1, column=1, sticky="nw")
        self._place_tip = Tip(self._place, look, "")
        history = icon_button(header, look, "history", _("History (Ctrl+H)"), self._actions.show_history)
        history.grid(row=0, column=2, rowspan=2)
        self._menu_button = icon_button(header, look, "menu", _("Menu (F10)"), self._post_menu)
        self._menu_button.grid(row=0, column=3, rowspan=2)
        return header

    def _build_pause(self) -> ttk.Frame:
        look = self._look
        card = ttk.Frame(self, style="Card.TFrame", padding=(look.px(14), look.px(10)))
        card.columnconfigure(1, weight=1)
        self._pause_icon = ttk.Label(card, style="Card.TLabel")
        self._pause_icon.grid(row=0, column=0, padx=(0, look.px(10)))
        self._pause_words = ttk.Label(card, style="BoldCard.TLabel")
        self._pause_words.grid(row=0, column=1, sticky="w")
        self._pause_words.bind("<Configure>", lambda event: None)
        self._pause_time = ttk.Label(card, style="MutedCard.TLabel")
        self._pause_time.grid(row=0, column=2, padx=look.px(8))
        self._pause_button = button(card, look, "", self._pause_pressed)
        self._pause_button.grid(row=0, column=3)
        card.bind(
            "<Configure>",
            lambda event: self._pause_words.configure(wraplength=max(100, event.width - look.px(230))),
        )
        return card

    def _build_calls(self) -> ttk.Frame:
        look, place = self._look, ttk.Frame(self)
        place.columnconfigure(0, weight=1)
        place.rowconfigure(0, weight=1)
        self._list = Scrolled(place, look)
        self._list.grid(row=0, column=0, sticky="nsew")
        self._list.inner.columnconfigure(0, weight=1)
        self._empty = ttk.Label(
            place,
            text=_("No calls"),
            style="Muted.TLabel",
            compound="top",
            anchor="center",
            image=look.icon("phone", 40, look.palette.border),
        )
        self._empty.place(relx=0.5, rely=0.45, anchor="center")
        return place

    def _bind_keys(self, root: tk.Tk) -> None:
        for keys, command in (
            ("<Control-h>", self._actions.show_history),
            ("<Control-comma>", self._actions.show_settings),
            ("<Control-q>", self._actions.quit),
            ("<Control-l>", self._actions.show_dial),
            ("<Control-p>", self._pause_pressed),
            ("<F10>", self._post_menu),
            ("<Escape>", self._actions.hide_window),
        ):
            root.bind(keys, partial(self._own_key, command))

    def _own_key(self, command: Callable[[], None], event: tk.Event[tk.Misc]) -> str | None:
        if event.widget.winfo_toplevel() is not self.winfo_toplevel():
            return None  # bindings of the root are those of every window that belongs to it
        if event.keysym == "Escape" and event.widget.winfo_class() in ("TEntry", "TCombobox"):
            return None
        command()
        return "break"

    # --- showing ---

    def show(self) -> None:
        """Show everything of the model that may have changed."""
        self._show_header()
        self._show_banner()
        self._show_pause()
        self._show_queues()
        self._show_calls()
        model = self._model
        why_not = "" if model.up else _("Not connected.")
        if model.up and not model.pbx_up:
            why_not = _("The telephone system is not available.")
        self.dial_bar.offer(model.services, model.up and model.pbx_up, why_not)
        self.show_times()

    def show_times(self) -> None:
        """Show how long everything lasts; every second."""
        now = time.monotonic()
        for card in self._cards.values():
            card.show_time(now)
        pause = self._model.pause
        self._pause_time.configure(
            text=words.clock_text(now - pause.since) if pause.phase in ("in", "requested") else ""
        )

    def tell(self, text: str) -> None:
        """Show a passing message."""
        self._message.say(text)
        self._message.grid()
        if self._message_due is not None:
            self.after_cancel(self._message_due)
        self._message_due = self.after(MESSAGE_TIME, self._message.grid_remove)

    def _show_header(self) -> None:
        model, look = self._model, self._look
        name = words.shown(model.full_name or model.username, 60) or "AsteriskCTI"
        self._name.configure(text=name)
        self._portrait.call(name)
        colour = {
            "up": look.palette.good if model.pbx_up else look.palette.warn,
            "ended": look.palette.bad,
            "waiting": look.palette.bad,
        }.get(model.connection.phase, look.palette.warn)
        text = words.connection_text(model.connection)
        if model.up and model.extension:
            text = words.shown(model.extension, 40)
        self._place.configure(text=f" {text}", image=look.disc(9, colour))
        self._place_tip.text = words.connection_text(model.connection)

    def _show_banner(self) -> None:
        model = self._model
        text, with_mac = words.problem_text(model.connection), False
        if not text and model.up and not model.pbx_up:
            text = _("The telephone system is not available at the moment. This window stays connected.")
        if not text and model.seat_missing:
            macs = ", ".join(mac for mac, _reason in model.macs_refused)
            text = _(
                "The server does not know this PC, so no calls arrive. Give its address to your "
                "administrator: {mac}"
            ).format(mac=macs)
            with_mac = True
        if not text:
            self._banner.grid_remove()
            return
        self._banner.say(text)
        self._banner.grid()
        for widget in self._banner.actions.winfo_children():
            widget.destroy()
        if with_mac:
            macs = "\n".join(mac for mac, _reason in model.macs_refused)
            button(
                self._banner.actions, self._look, _("Copy"), lambda: self._actions.copy(macs), icon="copy"
            ).pack(pady=(self._look.px(8), 0))
        elif model.connection.phase == "ended":
            button(self._banner.actions, self._look, _("Log in again"), self._actions.log_out).pack(
                pady=(self._look.px(8), 0)
            )

    def _show_pause(self) -> None:
        model, look = self._model, self._look
        pause = model.pause
        colour = look.palette.good if pause.phase == "out" else look.palette.warn
        if not model.up:
            colour = look.palette.muted
        icon = "check" if pause.phase == "out" else "pause"
        self._pause_icon.configure(image=look.icon(icon, 20, colour))
        self._pause_words.configure(
            text=words.pause_text(pause) if model.up else words.connection_text(model.connection)
        )
        away = pause.phase in ("in", "leaving")
        self._pause_button.configure(
            text=" " + (_("Come back") if away else _("Pause")),
            compound="left",
            image=look.icon(
                "play" if away else "pause", 16, look.palette.on_accent if away else look.palette.text
            ),
            style="Accent.TButton" if away else "TButton",
            state="normal" if model.up and pause.phase in ("in", "out") else "disabled",
        )

    def _show_queues(self) -> None:
        places = tuple(self._model.queues.values())
        if places == self._queues_shown:
            return
        self._queues_shown = places
        look = self._look
        for widget in self._queues.winfo_children():
            widget.destroy()
        for place in places:
            icon, colour = {
                "joined": ("full", look.palette.good),
                "left": ("hollow", look.palette.muted),
                "refused": ("warning", look.palette.warn),
            }[place.state]
            chip = ttk.Frame(self._queues, style="Chip.TFrame", padding=(look.px(8), look.px(3)))
            label = ttk.Label(
                chip,
                text=" " + words.shown(place.name, 40),
                style="Chip.TLabel",
                compound="left",
                image=look.icon(icon, 12, colour, 2.6),
            )
            label.pack()
            Tip(label, look, words.queue_text(place))
        self._queues.grid() if places else self._queues.grid_remove()
        self._queues.lay_out()

    def _show_calls(self) -> None:
        targets = self._model.services
        calls = self._model.calls
        for key in [key for key in self._cards if key not in calls]:
            self._cards.pop(key).destroy()
        order = sorted(
            calls.values(), key=lambda call: (call.phase == "over", call.phase != "ringing", -call.since)
        )
        for row, call in enumerate(order):
            card = self._cards.get(call.key)
            if card is None:
                card = CallCard(self._list.inner, self._look, self._actions, call, targets)
                self._cards[call.key] = card
            elif card.call != call:
                card.update_call(call)
            card.grid(row=row, column=0, sticky="ew", pady=(0, self._look.px(8)))
        if calls:
            self._empty.place_forget()
        else:
            self._empty.place(relx=0.5, rely=0.45, anchor="center")

    # --- menus ---

    def _pause_pressed(self) -> None:
        model = self._model
        if str(self._pause_button.cget("state")) == "disabled":
            return
        if model.pause.phase == "in":
            self._actions.ask_return()
        elif not model.reasons:
            self._actions.ask_pause("")
        else:
            x = self._pause_button.winfo_rootx()
            y = self._pause_button.winfo_rooty() + self._pause_button.winfo_height()
            menu = tk.Menu(self, tearoff=False)
            add_reasons(menu, model, self._actions)
            menu.tk_popup(x, y)

    def _post_menu(self) -> None:
        menu = tk.Menu(self, tearoff=False)
        actions = self._actions
        for text, keys, command in (
            (_("History"), "Ctrl+H", actions.show_history),
            (_("Settings"), "Ctrl+,", actions.show_settings),
            (_("About AsteriskCTI"), "", actions.show_about),
            ("", "", None),
            (_("Log out"), "", actions.log_out),
            (_("Quit"), "Ctrl+Q", actions.quit),
        ):
            if command is None:
                menu.add_separator()
            else:
                menu.add_command(label=text, accelerator=keys, command=command)
        below = self._menu_button
        menu.tk_popup(below.winfo_rootx(), below.winfo_rooty() + below.winfo_height())


def add_reasons(menu: tk.Menu, model: SeatModel, actions: Actions) -> None:
    """The pause's reasons as entries of a menu."""
    for reason in model.reasons:
        menu.add_command(label=words.shown(reason, 60), command=partial(actions.ask_pause, reason))
    if model.reasons:
        menu.add_separator()
    menu.add_command(label=_("Without a reason"), command=lambda: actions.ask_pause(""))
