"""pystray's icon for plain X11, with a menu for the right button and without waiting for its own thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import PIL.Image
import Xlib.display
import Xlib.protocol.event
import Xlib.X
from pystray._xorg import Icon

_UNKNOWN_GROUND = "#2b2b2b"


class DockedIcon(Icon):  # type: ignore[misc,valid-type,unused-ignore]
    """The X backend knows one click only, and calls from other threads wait for a thread that may be gone."""

    _title: str

    def __init__(self, *arguments: Any, menu_asked: Callable[[int, int], None], **options: Any) -> None:
        """`menu_asked` is called with a place on the screen, on the icon's thread."""
        self._menu_asked = menu_asked
        self._icon_data: Any = None
        self._outside = Xlib.display.Display()  # one connection for two threads can lose its way
        self._posting = threading.Lock()
        super().__init__(*arguments, **options)
        # The backend has a handler for clicks and never asks for them.
        mask = Xlib.X.ExposureMask | Xlib.X.StructureNotifyMask | Xlib.X.ButtonPressMask
        self._window.change_attributes(event_mask=mask)
        for name in ("_show", "_hide", "_update_icon", "_update_title", "_stop"):
            atom = self._display.intern_atom(f"_PYSTRAY_{name.upper()}")
            setattr(self, name, lambda atom=atom: self._post(atom))

    def is_docked(self) -> bool:
        """Whether a tray has taken the icon."""
        return self._systray_manager is not None

    def dock_again(self) -> None:
        """Look for a tray; from any thread."""
        self._update_icon()

    def _create_window(self) -> Any:
        title, self._title = self._title, "AsteriskCTI"  # the backend knows Latin letters alone
        window = super()._create_window()
        self._title = title
        self._write_title(window)
        return window

    def _update_title(self) -> None:
        self._write_title(self._window)

    def _write_title(self, window: Any) -> None:
        atoms = [self._display.intern_atom(name) for name in ("_NET_WM_NAME", "UTF8_STRING")]
        window.change_property(*atoms, 8, self.title.encode("utf-8", "replace"))
        window.set_wm_name(self.title.encode("latin-1", "replace"))

    def _dock_window(self) -> None:
        if self._systray_manager is None:  # the backend asks again with every change of the icon
            super()._dock_window()

    def _post(self, atom: int) -> None:
        with self._posting, contextlib.suppress(Exception):  # the X server, or the window, may be gone
            window = self._outside.create_resource_object("window", self._window.id)
            message = Xlib.protocol.event.ClientMessage(
                window=window, client_type=atom, data=(32, [0, 0, 0, 0, 0])
            )
            window.send_event(message)
            self._outside.flush()

    def _on_button_press(self, event: Any) -> None:
        if event.detail == 1:
            self()
        elif event.detail in (2, 3):
            self._menu_asked(event.root_x, event.root_y)

    def _assert_icon_data(self, width: int, height: int) -> None:
        if self._icon_data and self._icon_data.size == (width, height):
            return
        side = max(1, min(width, height))
        whole = PIL.Image.new("RGB", (width, height), self._ground())
        small = self._icon.resize((side, side), PIL.Image.Resampling.LANCZOS)
        whole.paste(small, ((width - side) // 2, (height - side) // 2), small)
        whole.tostring = whole.tobytes  # type: ignore[attr-defined]
        self._icon_data = whole

    def _ground(self) -> str | tuple[int, ...]:
        """The tray's colour beside the icon: X11 icons cannot be seen through."""
        try:
            parent = self._window.query_tree().parent
            pixel = parent.get_image(0, 0, 1, 1, Xlib.X.ZPixmap, 0xFFFFFFFF).data
            return (pixel[2], pixel[1], pixel[0]) if len(pixel) >= 3 else _UNKNOWN_GROUND
        except Exception:
            return _UNKNOWN_GROUND

    def disconnect(self) -> None:
        """Leave the X server; on the icon's thread, or after its end. Nothing happens from then on."""
        with self._posting:
            for display in (self._outside, self._display):
                with contextlib.suppress(Exception):  # it is closed already
                    display.close()

    def __del__(self) -> None:
        # The backend's would wait for a thread; this one has ended by now, or ends with the program.
        self.disconnect()
