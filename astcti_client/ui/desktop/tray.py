"""The icon in the tray. What it is asked for goes into the queue: pystray calls from a thread of its own.

On macOS there is no such thread: only the main one may show anything, so the icon joins the loop of Tk.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from astcti_client.ui.i18n import _
from astcti_client.ui.state.seat_state import TrayState
from astcti_client.ui.theme import icons

logger = logging.getLogger(__name__)
BUS_TIME = 500  # milliseconds for the desktop's bus to answer

TrayAction = Literal[
    "show", "menu", "pause", "return", "dial", "history", "colleagues", "settings", "about", "quit"
]


@dataclass(frozen=True, slots=True)
class TrayRequest:
    """Somebody wants something at the tray. `reason` belongs to "pause"; x and y to "menu"."""

    action: TrayAction
    reason: str = ""
    x: int = 0
    y: int = 0


@dataclass(frozen=True, slots=True)
class TrayContent:
    """What the icon shows and its menu offers."""

    state: TrayState
    text: str
    reasons: tuple[str, ...] = ()
    paused: bool = False
    up: bool = False
    missed: int = 0
    """Calls that nobody looked at yet; `text` says so, too."""


class Tray:
    """An icon that follows `show`. Where there is no tray, `present` is False and nothing else happens."""

    def __init__(self, ask: Callable[[TrayRequest], None], content: TrayContent) -> None:
        """`ask` is called from any thread. Create it on the main thread, after Tk."""
        self._ask = ask
        self.content = content
        """What it shows; read it, `show` changes it."""
        self._icon: Any = None
        self._thread: threading.Thread | None = None
        self._closing = False
        self._plain = False  # whether to do without GTK
        self._begin()

    @property
    def present(self) -> bool:
        """Whether people can see the icon."""
        if self._icon is None:
            return False
        if docked := getattr(self._icon, "is_docked", None):
            return bool(docked())
        kind = type(self._icon).__module__
        if kind.endswith("_appindicator"):
            return indicators_are_shown() or tray_exists()
        return tray_exists() if kind.endswith("_gtk") else True

    def show(self, content: TrayContent) -> None:
        """Show another state."""
        before, self.content = self.content, content
        if self._icon is None or before == content:
            return
        with contextlib.suppress(Exception):  # a desktop that goes away takes the tray with it
            if before.text != content.text:
                self._icon.title = content.text
            if (before.state, before.missed > 0) != (content.state, content.missed > 0):
                self._icon.icon = icons.tray_icon(content.state, missed=content.missed > 0)
            self._icon.update_menu()

    def tick(self) -> None:
        """Come back after the tray went away; every few seconds."""
        if self._thread is not None and not self._thread.is_alive() and tray_exists():
            self._begin()
        elif self._icon is not None and hasattr(self._icon, "dock_again") and not self.present:
            with contextlib.suppress(Exception):
                self._icon.dock_again()

    def close(self) -> None:
        """Take the icon away and wait for its thread."""
        self._closing = True
        if self._icon is not None:
            with contextlib.suppress(Exception):
                self._icon.stop()
        if self._thread is not None:
            self._thread.join(2.0)
        self._icon = None

    def _begin(self) -> None:
        try:
            self._icon = self._made()
        except Exception as error:  # pystray raises what its many backends raise
            logger.info("no tray: %s", error)
            self._icon = None
            return
        if sys.platform == "darwin":
            self._icon.run_detached(self._ready)  # Tk runs the loop that it needs
            return
        self._thread = threading.Thread(target=self._run, name="tray", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        icon = self._icon
        try:
            icon.run(self._ready)
        except Exception as error:
            if self._closing:  # GTK's fails then where nothing shows notifications
                logger.debug("the tray's icon failed at its end", exc_info=True)
                return
            logger.warning("the tray's icon is gone: %s", error)
            self._plain = True  # GTK wants a session bus, plain X11 does not
        finally:
            if disconnect := getattr(icon, "disconnect", None):
                disconnect()

    def _ready(self, icon: Any) -> None:
        """The icon's loop has begun; until then `stop` does nothing."""
        if self._closing:
            icon.stop()
        else:
            icon.visible = True

    def _made(self) -> Any:
        import pystray

        logging.getLogger("pystray").setLevel(logging.CRITICAL)  # "no tray" is no error of ours
        options: dict[str, Any] = {}
        kind: Any = pystray.Icon
        if sys.platform == "darwin":
            from AppKit import NSApplication  # type: ignore[import-not-found,unused-ignore]

            options["darwin_nsapplication"] = NSApplication.sharedApplication()
        elif kind.__module__.endswith("_xorg") or (self._plain and sys.platform != "win32"):
            from astcti_client.ui.desktop.tray_x11 import DockedIcon

            kind = DockedIcon
            options["menu_asked"] = lambda x, y: self._ask(TrayRequest("menu", x=x, y=y))
        content = self.content
        picture = icons.tray_icon(content.state, missed=content.missed > 0)
        return kind("astcti", picture, content.text, self._menu(pystray), **options)

    def _menu(self, pystray: Any) -> Any:
        """Menus of pystray ask these functions anew whenever they open or `show` got other words."""
        item, menu = pystray.MenuItem, pystray.Menu

        def asks_for(action: TrayAction, reason: str = "") -> Callable[[], None]:
            return lambda: self._ask(TrayRequest(action, reason))

        def reasons() -> list[Any]:
            named = [item(reason, asks_for("pause", reason)) for reason in self.content.reasons]
            return [*named, item(_("Without a reason"), asks_for("pause"))]

        return menu(
            item(lambda _i: _("Show"), asks_for("show"), default=True),
            item(lambda _i: _("Available"), asks_for("return"), visible=lambda _i: self.content.paused),
            item(
                lambda _i: _("Pause"),
                menu(reasons),
                visible=lambda _i: not self.content.paused,
                enabled=lambda _i: self.content.up,
            ),
            item(lambda _i: _("Dial"), asks_for("dial")),
            item(lambda _i: _("History"), asks_for("history")),
            item(lambda _i: _("Colleagues"), asks_for("colleagues")),
            item(lambda _i: _("Settings"), asks_for("settings")),
            item(lambda _i: _("About AsteriskCTI"), asks_for("about")),
            menu.SEPARATOR,
            item(lambda _i: _("Quit"), asks_for("quit")),
        )


def tray_exists() -> bool:
    """Whether an X desktop has a tray now."""
    with contextlib.suppress(Exception):
        from Xlib.display import Display

        display = Display()
        try:
            atom = display.intern_atom(f"_NET_SYSTEM_TRAY_S{display.get_default_screen()}")
            return bool(display.get_selection_owner(atom))
        finally:
            display.close()
    return False


def indicators_are_shown() -> bool:
    """Whether something on this desktop shows indicators, the trays of KDE, GNOME with an extension, others.

    Only where GTK is loaded.
    """
    with contextlib.suppress(Exception):  # no bus
        gio, glib = (importlib.import_module(f"gi.repository.{name}") for name in ("Gio", "GLib"))
        bus, name = gio.bus_get_sync(gio.BusType.SESSION), "org.freedesktop.DBus"
        asked = glib.Variant("(s)", ("org.kde.StatusNotifierWatcher",))
        answer = bus.call_sync(
            name, "/org/freedesktop/DBus", name, "NameHasOwner", asked, None, 0, BUS_TIME, None
        )
        return bool(answer.unpack()[0])
    return False
