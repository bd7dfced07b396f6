"""One call's notice, a window that never takes the keyboard. Main thread."""

from __future__ import annotations

import contextlib
import sys
import tkinter as tk
from collections.abc import Callable, Iterator
from tkinter import ttk

from astcti_client.ui.i18n import _, some
from astcti_client.ui.state.actions import Actions
from astcti_client.ui.state.calls.dialling import Dialling
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import InitialsDisc, button, icon_button
from astcti_client.ui.widgets.dialled_card import DialledCard
from astcti_client.ui.widgets.elided_label import ElidedLabel
from astcti_client.ui.widgets.options import enable, set_options

MOST_NOTICE_VARIABLES = 5
DIALLED_WIDTH = 356  # dots, as wide as the other notices


class QuietWindow(tk.Toplevel):
    """A window that is shown and placed by somebody else, and is never the active one."""

    def __init__(self, root: tk.Tk, look: Look) -> None:
        super().__init__(root, class_="AstctiNotice", background=look.palette.surface)
        self.withdraw()
        self.overrideredirect(True)  # no frame, and no window manager that could give it the keyboard
        self.attributes("-topmost", True)
        with contextlib.suppress(
            tk.TclError
        ):  # X11 alone knows types; compositors draw no shadow or fade for it
            self.attributes("-type", "notification")
        self.title("AsteriskCTI")


class CallNotice(QuietWindow):
    """The notice of one call, and of another one when that is over: to make a window takes its time."""

    def __init__(self, root: tk.Tk, look: Look, actions: Actions, closed: Callable[[str], None]) -> None:
        """Of no call yet. `closed` hears the call's key when somebody closes it."""
        super().__init__(root, look)
        self._look, self._actions, self._closed = look, actions, closed
        self.call: SeatCall | None = None
        self._may_answer = False
        self._leaves_at: float | None = None
        self._silent_since: float | None = None
        self._build()

    def begin(self, call: SeatCall, may_answer: bool) -> None:
        """Be the notice of this call. `may_answer`: this phone can be told to answer."""
        self._leaves_at = self._silent_since = None
        self._may_answer = may_answer
        for one in (self._decline, self._answer, self._page, self._cross):
            one.means_another()
        self.show_call(call)

    def rest(self) -> None:
        """Be out of sight, and of no call."""
        self.withdraw()
        self.call = None

    def make_ready(self) -> None:
        """Have everything that a ring would have to wait for otherwise."""
        self.update_idletasks()
        for widget in (self, *_all_inside(self)):
            widget.winfo_id()  # Tk makes the X server's windows when they are first shown, or asked for

    def apply_look(self, look: Look) -> None:
        """Show the same in another look, or in the language that is spoken now."""
        self._edge.destroy()
        self._look = look
        self._build()
        if self.call is not None:
            self.show_call(self.call)

    def _build(self) -> None:
        look = self._look
        self._variables: object = None
        edge = self._edge = tk.Frame(self, background=look.palette.border)
        edge.pack(fill="both", expand=True)
        self._stripe = tk.Frame(edge, background=look.palette.ring, width=look.px(5))
        self._stripe.pack(side="left", fill="y", padx=(1, 0), pady=1)
        body = self._body = ttk.Frame(edge, style="Surface.TFrame", padding=look.px(14))
        body.pack(side="left", fill="both", expand=True, padx=(0, 1), pady=1)
        body.columnconfigure(1, weight=1, minsize=look.px(240))
        self._initials = InitialsDisc(body, look, "", size=40)
        self._initials.grid(row=0, column=0, rowspan=3, sticky="n", padx=(0, look.px(12)))
        self._what = ttk.Label(body, style="RingingSurface.TLabel")
        self._what.grid(row=0, column=1, sticky="w")
        self._cross = icon_button(body, look, "close", _("Close"), self._close, style="CardFlat.TButton")
        self._cross.grid(row=0, column=2, rowspan=2, sticky="ne")
        self._who = self._line(1, "LargeSurface.TLabel", 2)
        self._number = self._line(2, "Surface.TLabel")
        self._through = self._line(3, "MutedSurface.TLabel", 2)
        self._table = ttk.Frame(body, style="Surface.TFrame")
        self._table.grid(row=4, column=1, columnspan=2, sticky="ew", pady=(look.px(4), 0))
        self._build_buttons()
        for widget in (body, self._who, self._number, self._through, self._what, self._initials):
            widget.bind("<Button-1>", lambda _event: self._actions.windows.show())

    def _close(self) -> None:
        if self.call is not None:
            self._closed(self.call.key)

    def _build_buttons(self) -> None:
        """Each keeps its place: none comes to stand where another one was."""
        look = self._look
        row = self._buttons = ttk.Frame(self._body, style="Surface.TFrame")
        row.columnconfigure(1, weight=1)
        row.grid(row=5, column=0, columnspan=3, sticky="ew", pady=(look.px(10), 0))
        self._decline = button(
            row, look, _("Decline"), self._decline_pressed, icon="hang-up", style="Danger.TButton"
        )
        self._answer = button(
            row, look, _("Answer"), self._answer_pressed, icon="phone", style="Accent.TButton"
        )
        self._page = button(row, look, _("Open page"), self._page_pressed, icon="page")

    def _show_buttons(self) -> None:
        call = self.call
        if call is None:
            return
        for one in (self._decline, self._answer):
            enable(one, not call.under_way)
        answers = call.rings and self._may_answer and call.answerable
        gap = self._look.px(6)
        self._answer.grid(row=0, column=1, sticky="w", padx=gap) if answers else self._answer.grid_remove()
        self._decline.grid(row=0, column=0) if call.rings else self._decline.grid_remove()
        self._page.grid(row=0, column=2) if call.pages else self._page.grid_remove()
        self._buttons.grid() if call.rings or call.pages else self._buttons.grid_remove()

    def _decline_pressed(self) -> None:
        if self.call is not None:
            self._actions.seat.hang_up(self.call.key)

    def _answer_pressed(self) -> None:
        if self.call is not None:
            self._actions.seat.answer(self.call.key)

    def offer_answer(self, may_answer: bool) -> None:
        """Whether this phone can be told to answer from now on."""
        if may_answer != self._may_answer:
            self._may_answer = may_answer
            self._show_buttons()

    def _page_pressed(self) -> None:
        if self.call is not None:
            self._actions.pages.open_pages(self.call)

    def _line(self, row: int, style: str, lines: int = 1) -> ElidedLabel:
        line = ElidedLabel(self._body, self._look, style=style, lines=lines, room=self._look.px(260))
        line.grid(row=row, column=1, columnspan=2, sticky="w")
        return line

    def rings(self) -> None:
        """Its call rings, perhaps again after a lost connection: it stays."""
        self._leaves_at = self._silent_since = None

    def ring_is_over(self, now: float, stay: float, *, call_over: bool) -> None:
        """It goes `stay` seconds after `now`, of the monotonic clock; with 0 once somebody closes it.

        Told again it is never put off, and only the call's end may bring it forward: a call that was answered
        and ends soon after keeps the time of the answer.
        """
        if self._silent_since is None:
            self._silent_since = now
        if stay and (self._leaves_at is None or call_over):
            self._leaves_at = min(now + stay, self._leaves_at or now + stay)

    def is_due(self, now: float) -> bool:
        """Whether its time is over."""
        return self._leaves_at is not None and self._leaves_at <= now

    def was_readable(self, now: float, seconds: float) -> bool:
        """Whether the ring has been over for so long: then another call may take its place."""
        return self._silent_since is not None and now - self._silent_since >= seconds

    def show_call(self, call: SeatCall) -> None:
        """Show the call as it is now."""
        self.call = call
        p = self._look.palette
        colour, style, text = p.ring, "Ringing", _("Incoming call")
        if call.phase in ("talking", "parted") and not call.unconfirmed:
            colour, style, text = p.good, "Good", _("Answered")
        elif call.phase == "over":
            colour, style = (p.bad, "Warning") if call.end == "missed" else (p.muted, "Muted")
            text = words.end_text(call)
        elif call.unconfirmed:
            colour, style, text = p.warn, "Warning", words.phase_text(call)
        set_options(self._stripe, background=colour)
        set_options(self._what, text=text, style=f"{style}Surface.TLabel")
        self._initials.show_name(words.caller(call))
        self._who.say(words.caller(call))
        self._number.say_if_any(words.number_beside(call))
        self._through.say_if_any(words.service_and_queue(call))
        self._show_buttons()
        if call.variables != self._variables:
            self._variables = call.variables
            self._show_variables(call)

    def _show_variables(self, call: SeatCall) -> None:
        look = self._look
        for widget in self._table.winfo_children():
            widget.destroy()
        for row, (key, value) in enumerate(call.variables[:MOST_NOTICE_VARIABLES]):
            name = ElidedLabel(self._table, look, style="SmallSurface.TLabel", room=look.px(84))
            name.say(words.displayable(key, 60))
            name.grid(row=row, column=0, sticky="nw", padx=(0, look.px(8)))
            content = ElidedLabel(self._table, look, style="Surface.TLabel", lines=2, room=look.px(170))
            content.say(words.displayable(value) or "–")
            content.grid(row=row, column=1, sticky="w")


def _all_inside(widget: tk.Misc) -> Iterator[tk.Misc]:
    for child in widget.children.values():
        yield child
        yield from _all_inside(child)


class DialledNotice(QuietWindow):
    """The call that was asked for, where the main window with its card is out of sight."""

    def __init__(self, root: tk.Tk, look: Look, actions: Actions, dialling: Dialling) -> None:
        super().__init__(root, look)
        edge = tk.Frame(self, background=look.palette.border)
        edge.pack(fill="both", expand=True)
        edge.columnconfigure(0, weight=1, minsize=look.px(DIALLED_WIDTH))
        self._card = DialledCard(edge, look, actions.seat, dialling)
        self._card.grid(row=0, column=0, sticky="nsew", padx=1, pady=1)
        self._card.fit(look.px(DIALLED_WIDTH))

    def show_call(self, now: float) -> None:
        """Show it as it is at this time of the model's clock."""
        self._card.show()
        self._card.show_time(now)


class MoreCallsNotice(QuietWindow):
    """How many calls ring besides those that have a notice."""

    def __init__(self, root: tk.Tk, look: Look, opened: Callable[[], None]) -> None:
        """`opened` hears when it is clicked."""
        super().__init__(root, look)
        edge = tk.Frame(self, background=look.palette.border)
        edge.pack(fill="both", expand=True)
        body = ttk.Frame(edge, style="Surface.TFrame", padding=(look.px(14), look.px(8)))
        body.pack(fill="both", expand=True, padx=1, pady=1)
        self._words = ttk.Label(body, style="RingingSurface.TLabel")
        self._words.pack()
        for widget in (body, self._words):
            widget.bind("<Button-1>", lambda _event: opened())

    def count(self, calls: int) -> None:
        """So many."""
        text = some("+{count} more call", "+{count} more calls", calls)
        set_options(self._words, text=text.format(count=calls))


def show_quietly(window: tk.Toplevel) -> None:
    """Show a window without making it the active one."""
    if sys.platform != "win32":
        window.deiconify()
        window.lift()
        return
    import ctypes

    # There Tk activates each window that it shows. The style keeps clicks from doing so later; what was
    # active before becomes active again, should Tk have changed that all the same.
    handle = int(window.frame(), 16)
    user32 = ctypes.windll.user32  # type: ignore[attr-defined,unused-ignore]
    no_activate, tool_window = 0x08000000, 0x00000080
    extended_style = -20
    style = user32.GetWindowLongW(handle, extended_style)
    user32.SetWindowLongW(handle, extended_style, style | no_activate | tool_window)
    before = user32.GetForegroundWindow()
    window.deiconify()
    if user32.GetForegroundWindow() != before:
        user32.SetForegroundWindow(before)
