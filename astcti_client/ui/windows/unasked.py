"""Windows that come by themselves: in sight and flashing, and the keyboard stays where somebody types."""

from __future__ import annotations

import sys
import tkinter as tk

from astcti_client.ui.theme.attention import demand_attention, managed_window

MANAGED = 300  # milliseconds in which a window manager decides about a window that has come


def show_unasked(window: tk.Tk | tk.Toplevel) -> None:
    """Show a window that nobody asked for. Its user gives it the keyboard by a click. Main thread."""
    if window.winfo_viewable():
        window.lift()
        _flash(window)
    elif window.tk.call("tk", "windowingsystem") == "x11":
        _show_on_x11(window)
    elif sys.platform == "win32":
        _show_on_windows(window)
    else:
        window.deiconify()


def has_keyboard(window: tk.Misc) -> bool:
    """Whether somebody types in one of the program's windows."""
    return bool(window.tk.call("focus"))


def _show_on_x11(window: tk.Tk | tk.Toplevel) -> None:
    # A window that says that it takes no keyboard is given none. Once it is there it takes it like any other.
    window.wm_focusmodel("active")
    window.withdraw()  # one that comes out of the panel would be given it all the same
    window.deiconify()

    def shown(_event: object = None) -> None:
        if window.winfo_exists():
            window.wm_focusmodel("passive")
            if not has_keyboard(window):
                _flash(window)

    window.after(MANAGED, shown)


def _flash(window: tk.Tk | tk.Toplevel) -> None:
    if window.tk.call("tk", "windowingsystem") == "x11":
        screen = window.winfo_screen()
        demand_attention(managed_window(window.winfo_id(), screen), screen)


def _show_on_windows(window: tk.Tk | tk.Toplevel) -> None:
    import ctypes

    # Tk activates each window that it shows: what was active before becomes active again.
    user32 = ctypes.windll.user32  # type: ignore[attr-defined,unused-ignore]
    before = user32.GetForegroundWindow()
    window.deiconify()
    window.update_idletasks()
    if before and user32.GetForegroundWindow() != before:
        user32.SetForegroundWindow(before)
    user32.FlashWindow(int(window.frame(), 16), True)
