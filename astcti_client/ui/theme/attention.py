"""Has a window's entry in the panel flash, on X11. No toolkit; for the thread that owns the window."""

from __future__ import annotations

import contextlib


def demand_attention(window: int, display_name: str | None = None) -> None:
    """Ask the window manager for it; `window` is the one that it manages. Without X11 nothing happens."""
    with contextlib.suppress(Exception):  # no python-xlib, or a display that is no more or of another kind
        from Xlib.display import Display
        from Xlib.protocol import event
        from Xlib.X import SubstructureNotifyMask, SubstructureRedirectMask

        display = Display(display_name)
        try:
            state, demands = (
                display.intern_atom(name) for name in ("_NET_WM_STATE", "_NET_WM_STATE_DEMANDS_ATTENTION")
            )
            add, from_application = 1, 1
            message = event.ClientMessage(
                window=display.create_resource_object("window", window),
                client_type=state,
                data=(32, [add, demands, 0, from_application, 0]),
            )
            mask = SubstructureRedirectMask | SubstructureNotifyMask
            display.screen().root.send_event(message, event_mask=mask)
            # The X server throws away what it has not read yet from a program that is gone.
            display.sync()
        finally:
            display.close()


def managed_window(inner: int, display_name: str | None = None) -> int:
    """The window around Tk's own that the window manager knows; `inner` itself if none is to be seen."""
    with contextlib.suppress(Exception):
        from Xlib.display import Display

        display = Display(display_name)
        try:
            return int(display.create_resource_object("window", inner).query_tree().parent.id)
        finally:
            display.close()
    return inner
