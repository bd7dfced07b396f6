"""The main window: who, queues, pause, calls, dialling. Shows the model and asks `Actions`. Main thread."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from tkinter import ttk

from astcti_client.net.messages import OfferedService
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import Actions
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.state.seat_queues import queue_lines
from astcti_client.ui.text import problems, words
from astcti_client.ui.text.obstacles import obstacle_text
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.call_list import CallList
from astcti_client.ui.widgets.controls import ScrolledFrame, button
from astcti_client.ui.widgets.dial_bar import DialBar
from astcti_client.ui.widgets.dialled_card import DialledCard
from astcti_client.ui.widgets.lasting_banners import LastingBanners
from astcti_client.ui.widgets.menu_letters import menu_letters
from astcti_client.ui.widgets.message_banner import MessageBanner
from astcti_client.ui.widgets.options import set_options
from astcti_client.ui.widgets.pause_bar import PauseBar
from astcti_client.ui.widgets.queue_marks import QueueMarks
from astcti_client.ui.widgets.seat_header import SeatHeader, WindowForm

LONGEST_MESSAGE = 300
MESSAGE_TIME = 8000  # milliseconds that a passing message stays


@dataclass(frozen=True, slots=True)
class Typed:
    """What the window alone knows. `transfers`: number and service place by the call; `order`: of cards."""

    number: str
    service: OfferedService | None
    transfers: dict[str, tuple[str, int]]
    order: tuple[str, ...]
    dialling: bool
    """Whether the dial bar was opened where it is folded."""


LOW = 500
"""Height, at 96 dots to the inch, below which the calls have the room of most that stands around them."""


class MainWindow(ttk.Frame):
    """Fills the root window."""

    def __init__(
        self,
        root: tk.Tk,
        look: Look,
        model: SeatModel,
        actions: Actions,
        redial_list: Callable[[], list[str]],
        *,
        height: int,
        mini: bool = False,
    ) -> None:
        """`height`: dots that it has, or will have. `mini`: with state, pause and calls alone."""
        super().__init__(root, padding=look.px(14))
        self._look, self._model, self._actions = look, model, actions
        self._mini = mini
        self._form = self._form_at(height)
        self._dial_open = self._was_busy = False
        self._message_due: str | None = None
        self._banner_shown: tuple[str, bool, str] | None = None
        self.columnconfigure(0, weight=1)
        self.rowconfigure(2, weight=1)
        gap = look.px(10)
        self._header = SeatHeader(
            self, look, actions.windows, actions.seat, self._post_menu, self._toggle_dial, self._show_card
        )
        self.pause = PauseBar(self, look, actions.seat, model)
        body = self._body = ScrolledFrame(self, look)
        body.inner.columnconfigure(0, weight=1)
        above = ttk.Frame(body.inner)
        above.columnconfigure(0, weight=1)
        above.grid(row=0, column=0, sticky="ew")
        self._banner = MessageBanner(above, look)
        self._banner.grid(row=0, column=0, sticky="ew", pady=(0, gap))
        self._countdown: ttk.Label | None = None
        self.lasting = LastingBanners(above, look, actions.windows.put_away, actions.windows.copy)
        self.lasting.grid(row=1, column=0, sticky="ew")
        self.lasting.grid_remove()
        self.queues = QueueMarks(body.inner, look, actions.seat, self._queues_opened)
        self._dialled = DialledCard(body.inner, look, actions.seat, model.dialling)
        self._dialled.grid(row=2, column=0, sticky="ew", pady=(0, gap))
        self._dialled.grid_remove()
        self.calls = CallList(body, 3, look, actions, model)
        self._message = MessageBanner(self, look, "Bad", lines=3)
        self._message.grid(row=3, column=0, columnspan=2, sticky="ew", pady=(0, gap))
        self._message.grid_remove()
        self.dial_bar = DialBar(self, look, actions.seat, redial_list)
        self.dial_bar.number.bind("<Escape>", lambda _event: self._fold_dial())
        self.pack(fill="both", expand=True)
        self._arrange()
        self._bind_keys(root)
        self.show()
        self.bind("<Configure>", lambda event: self._fit(event.height))

    # --- how much of it there is room for ---

    def _form_at(self, height: int) -> WindowForm:
        """The height alone decides, never the calls: nothing moves because one came or went."""
        return "mini" if self._mini else "low" if height < self._look.px(LOW) else "full"

    def _fit(self, height: int) -> None:
        if (form := self._form_at(height)) != self._form:
            self._form = form
            self._arrange()
            self.show()

    def _arrange(self) -> None:
        px, full = self._look.px, self._form == "full"
        gap = px(10) if full else px(6)
        self.configure(padding=px(14) if full else px(8))
        self._header.use_form(self._form)
        self._header.grid(row=0, column=0, columnspan=2 if full else 1, sticky="ew")
        self.pause.use_low_form(not full)
        if full:
            self.pause.grid(row=1, column=0, columnspan=2, sticky="ew", padx=0, pady=(gap, 0))
        else:
            self.pause.grid(row=0, column=1, columnspan=1, sticky="e", padx=(px(4), 0), pady=0)
        self._body.grid(row=2, column=0, columnspan=2, sticky="nsew", pady=gap)
        # Where there is little room the calls come first.
        self.queues.grid(row=1 if full else self.calls.last_row + 1, column=0, sticky="ew", pady=(0, gap))
        if not self.queues.has_any or self._mini:
            self.queues.grid_remove()
        self._dialled.use_low_form(not full)
        self.calls.use_low_form(not full)
        self.dial_bar.grid(row=4, column=0, columnspan=2, sticky="ew")
        if not full and not self._dial_open:
            self.dial_bar.grid_remove()

    @property
    def mini(self) -> bool:
        """Whether it shows state, pause and calls alone."""
        return self._mini

    def type_number(self) -> None:
        """Have the keyboard in the dial bar, which is opened where it is folded."""
        self._dial_open = True
        self.dial_bar.grid()
        self.dial_bar.select()

    def _toggle_dial(self) -> None:
        self._fold_dial() if self._dial_open else self.type_number()

    def _fold_dial(self) -> None:
        """Where there is little room; what was typed stays in it."""
        self._dial_open = False
        if self._form != "full":
            if str(self.focus_get() or "").startswith(str(self.dial_bar)):
                self._header.menu_button.focus_set()
            self.dial_bar.grid_remove()

    def show(self) -> None:
        """Show everything of the model that may have changed."""
        model = self._model
        self._header.show(model)
        self._show_banner()
        self.pause.show()
        why = obstacle_text(model.obstacle) if model.obstacle is not None else ""
        self.queues.show(() if self._mini else queue_lines(model.queues.values(), model.own_queues), why)
        self._dialled.show()
        self.calls.show()
        why_not = "" if model.up else _("Not connected.")
        if model.up and not model.pbx_up:
            why_not = _("The telephone system is not available.")
        busy = model.dialling.busy
        self.dial_bar.offer(model.services, model.up and model.pbx_up, why_not, busy=busy)
        if busy and not self._was_busy:
            self._fold_dial()  # the call has a card now
        self._was_busy = busy
        self.show_times()

    def show_times(self) -> None:
        """Show how long everything lasts; every second. Nothing is drawn while nobody can see it."""
        if not self.winfo_viewable():
            return
        now = time.monotonic()
        self._dialled.show_time(now)
        self.calls.show_times(now)
        self.pause.show_time(now)
        if self._countdown is not None:
            retry_at = self._model.retry_at
            left = retry_at - now if retry_at is not None else 0
            set_options(self._countdown, text=words.next_attempt(left))
        if self._message_due is None and self._message.winfo_manager():
            self._message_due = self.after(MESSAGE_TIME, self._message.grid_remove)

    def tell(self, text: str) -> None:
        """Show a passing message; where nobody can see it, it waits until somebody does."""
        self._message.say(words.displayable(text, LONGEST_MESSAGE))
        self._message.grid()
        if self._message_due is not None:
            self.after_cancel(self._message_due)
            self._message_due = None

    def typed(self) -> Typed:
        """What was typed and chosen and not used yet."""
        calls = self.calls
        number, service = self.dial_bar.number.get(), self.dial_bar.chosen
        return Typed(number, service, calls.transfers(), calls.order, self._dial_open)

    def type_again(self, typed: Typed) -> None:
        """Put it back."""
        self.dial_bar.type_again(typed.number, typed.service)
        self.calls.arrange_as(typed.order)
        self.calls.transfer_again(typed.transfers)
        if typed.dialling:
            self._dial_open = True
            self.dial_bar.grid()

    def _show_banner(self) -> None:
        model = self._model
        trouble = model.trouble
        text, with_mac = problems.problem_text(trouble) if trouble is not None else "", False
        if not text and model.up and not model.pbx_up:
            text = _("The telephone system is not available at the moment. This window stays connected.")
        if not text and model.seat_missing:
            macs = ", ".join(mac for mac, _reason in model.macs_refused)
            text = _(
                "The server does not know this PC, so no calls arrive. Give its address to your "
                "administrator: {mac}"
            ).format(mac=macs)
            with_mac = True
        # While it tries to connect the phases change twice a second: that is one trouble.
        kind = trouble.phase if trouble is not None else ""
        if (text, with_mac, kind) == self._banner_shown:
            return  # a button in it may be about to be pressed
        self._banner_shown = (text, with_mac, kind)
        self._countdown = None
        if not text:
            self._banner.grid_remove()
            return
        self._banner.say(text)
        self._banner.grid()
        self._body.see_top()  # before calls: they go on without this window, which can do nothing for them
        for widget in self._banner.actions.winfo_children():
            widget.destroy()
        above = (self._look.px(8), 0)
        if with_mac:
            macs = "\n".join(mac for mac, _reason in model.macs_refused)
            button(
                self._banner.actions,
                self._look,
                _("Copy"),
                lambda: self._actions.windows.copy(macs),
                icon="copy",
            ).pack(pady=above)
        elif kind == "waiting":
            button(self._banner.actions, self._look, _("Try now"), self._actions.session.try_now).pack(
                side="left", pady=above
            )
            self._countdown = ttk.Label(self._banner.actions, style="MutedWarn.TLabel")
            self._countdown.pack(side="left", padx=self._look.px(10), pady=above)
        elif kind == "ended":
            again = button(self._banner.actions, self._look, _("Log in again"), self._actions.session.log_out)
            again.pack(pady=above)

    def _show_card(self, key: str) -> None:
        self.calls.show_card(key)

    def _queues_opened(self) -> None:
        self.calls.show()

    # --- keys and menu ---

    def _bind_keys(self, root: tk.Tk) -> None:
        for keys, command in (
            ("<Control-h>", self._actions.windows.show_history),
            ("<Control-k>", self._actions.windows.show_colleagues),
            ("<Control-comma>", self._actions.windows.show_settings),
            ("<Control-m>", self._actions.windows.toggle_mini_view),
            ("<Control-w>", self._actions.windows.close_notices),
            ("<Control-q>", self._actions.program.quit),
            ("<Control-l>", self._actions.windows.show_dial),
            ("<Control-p>", self.pause.button.invoke),
            ("<F10>", self._post_menu),
            ("<Escape>", self._actions.windows.hide),
        ):
            root.bind(keys, partial(self._own_key, command))

    def _own_key(self, command: Callable[[], None], event: tk.Event[tk.Misc]) -> str | None:
        if event.widget.winfo_toplevel() is not self.winfo_toplevel():
            return None  # bindings of the root are those of every window that belongs to it
        if event.keysym == "Escape" and event.widget.winfo_class() in ("TEntry", "TCombobox"):
            return None
        command()
        return "break"

    def _post_menu(self) -> None:
        menu = tk.Menu(self, tearoff=False)
        actions = self._actions
        entries: tuple[tuple[str, str, Callable[[], None] | None], ...] = (
            (_("History"), "Ctrl+H", actions.windows.show_history),
            (_("Colleagues"), "Ctrl+K", actions.windows.show_colleagues),
            (_("Whole window") if self._mini else _("Mini view"), "Ctrl+M", actions.windows.toggle_mini_view),
            (_("Settings"), "Ctrl+,", actions.windows.show_settings),
            (_("About AsteriskCTI"), "", actions.windows.show_about),
            (_("Close all notices"), "Ctrl+W", actions.windows.close_notices),
            ("", "", None),
            (_("Log out"), "", actions.session.log_out),
            (_("Quit"), "Ctrl+Q", actions.program.quit),
        )
        letters = menu_letters([text for text, _keys, _command in entries])
        for (text, keys, command), letter in zip(entries, letters, strict=True):
            if command is None:
                menu.add_separator()
            else:
                menu.add_command(label=text, accelerator=keys, command=command, underline=letter)
        below = self._header.menu_button
        menu.tk_popup(below.winfo_rootx(), below.winfo_rooty() + below.winfo_height())
