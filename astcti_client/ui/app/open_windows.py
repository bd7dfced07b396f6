"""All windows of the program: made, brought to the front, made anew with another look. Main thread."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Iterator

from astcti_client.net.connecting import own_macs
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import Actions
from astcti_client.ui.state.history import History
from astcti_client.ui.state.preferences import Preferences
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.theme.look import Look
from astcti_client.ui.theme.palette import palette_for
from astcti_client.ui.windows.dialogs import AboutWindow
from astcti_client.ui.windows.history import HistoryWindow
from astcti_client.ui.windows.login import LoginWindow
from astcti_client.ui.windows.main import MainWindow
from astcti_client.ui.windows.notices import Notices
from astcti_client.ui.windows.settings import SettingsWindow
from astcti_client.ui.windows.side_window import Window, same_focus

TRAY_TIME = 5.0  # seconds that a tray may take for our icon, while the desktop starts
FRAME_AND_PANELS = 80  # dots of the screen's height that are not for the main window
TRAY_LOOK = 100  # milliseconds between two looks whether it is there


class Windows:
    """The only place that makes them."""

    def __init__(
        self,
        root: tk.Tk,
        preferences: Preferences,
        model: SeatModel,
        history: History,
        actions: Actions,
        *,
        dark: bool,
    ) -> None:
        """`dark`: whether the desktop is."""
        self.root = root
        self._preferences, self._model, self._actions = preferences, model, actions
        self._history = history
        self.login: LoginWindow | None = None
        self.history: HistoryWindow | None = None
        self.settings: SettingsWindow | None = None
        self.questions: list[tk.Toplevel] = []
        self._dark = dark
        self._looks: dict[tuple[bool, float], Look] = {}
        self._dress_due = self._history_changed = False
        root.title("AsteriskCTI")
        root.protocol("WM_DELETE_WINDOW", actions.hide_window)
        self._use_look()
        settings = preferences.now
        self.notices = Notices(
            root, self.look, settings.notice_corner, settings.notice_time, actions.show_window
        )
        self.main = self._new_main()

    # --- the look ---

    def system_colours(self, dark: bool) -> None:
        """The desktop is dark, or is not."""
        if dark != self._dark:
            self._dark = dark
            self.dress()

    def settings_changed(self, dark: bool) -> None:
        """Look and speak as the settings want it now; `dark`: whether the desktop is."""
        self._dark = dark
        self.dress()

    def dress(self) -> None:
        """Show every window that is open in the look and the language of the settings.

        What is typed, chosen and focused stays. While a menu or a dialogue of the system is open it is put
        off to one of the next calls of `tick`.
        """
        self._dress_due = bool(self.root.tk.call("grab", "current"))
        if self._dress_due:
            return
        self._use_look()
        settings = self._preferences.now
        with same_focus(lambda: self.main):
            typed = self.main.typed()
            self.main.destroy()
            self.main = self._new_main()
            self.main.type_again(typed)
        for window in _windows_in(self.root):
            window.dress(self.look)
        self.notices.dress(self.look, settings.notice_corner, settings.notice_time)

    def tick(self) -> None:
        """Do what was put off; every second or so."""
        if self._dress_due:
            self.dress()

    def close_all(self) -> None:
        """Close everything that belongs to the session that is over."""
        self.notices.close_all()
        for widget in self.root.winfo_children():
            if widget is not self.main:
                widget.destroy()
        self.login = self.history = self.settings = None
        self.dress()

    def _use_look(self) -> None:
        settings = self._preferences.now
        palette = palette_for(settings.theme, self._dark)
        if any(scale != settings.scale for _dark, scale in self._looks):
            self._looks.clear()  # fonts are made for one size
        key = (palette.dark, settings.scale)
        if key not in self._looks:
            self._looks[key] = Look(self.root, palette, settings.scale)
        look = self.look = self._looks[key]
        look.use()
        large, small = (str(look.program_icon("available", size)) for size in (64, 32))
        self.root.iconphoto(True, large, small)
        self.root.minsize(*self._on_screen(360, 420))

    def _new_main(self) -> MainWindow:
        if not self.root.winfo_viewable():
            width, height = self._on_screen(430, 640)
            self.root.geometry(f"{width}x{height}")
        return MainWindow(self.root, self.look, self._model, self._actions, self._history.redial_list)

    def _on_screen(self, width: int, height: int) -> tuple[int, int]:
        """That size of a 96 dpi screen in this screen's dots, as far as there is room for it."""
        screen = self.root.winfo_screenwidth(), self.root.winfo_screenheight() - FRAME_AND_PANELS
        return min(self.look.px(width), screen[0]), min(self.look.px(height), screen[1])

    def tell(self, text: str) -> None:
        """Show a passing message in the main window."""
        self.main.tell(text)

    # --- bringing to the front ---

    def show(self) -> None:
        """The log-in window if it is there, else the main window."""
        window = self._foremost()
        window.deiconify()
        window.lift()

    def show_unless(self, hidden: Callable[[], bool], *, wait: bool) -> None:
        """As `show`, unless the icon is there instead; `wait`: a tray takes its time to take it."""
        until = time.monotonic() + (TRAY_TIME if wait else 0)

        def look() -> None:
            if not hidden():
                self.root.after(TRAY_LOOK, look) if time.monotonic() < until else self.show()

        look()

    def hide(self, *, in_tray: bool) -> None:
        """Into the tray, or where there is none, to where it can be found again."""
        window = self._foremost()
        if in_tray:
            window.withdraw()
        else:
            window.iconify()

    def show_dial(self) -> None:
        """The main window, ready to type a number."""
        self.show()
        self.main.dial_bar.number.focus_force()

    def show_history(self) -> None:
        """The history, made if it is not open."""
        if self.history is not None and self.history.winfo_exists():
            self.history.lift()
        else:
            self.history = HistoryWindow(self.root, self.look, self._actions, self._history)

    def history_changed(self) -> None:
        """A call was added; `show_model` shows it."""
        self._history_changed = True

    def show_model(self) -> None:
        """Show everything of the model and of the history that may have changed."""
        self.main.show()
        if self._history_changed and self.history is not None and self.history.winfo_exists():
            self.history.refresh()
        self._history_changed = False

    def show_settings(self) -> None:
        """The settings, made if they are not open."""
        if self.settings is not None and self.settings.winfo_exists():
            self.settings.lift()
        else:
            self.settings = SettingsWindow(
                self.root, self.look, self._actions, self._preferences.now, self._preferences.locked
            )

    def show_about(self) -> None:
        """What tells about the program."""
        macs = self._model.mac or ", ".join(own_macs("127.0.0.1"))

        def facts() -> list[tuple[str, str]]:
            settings = self._preferences.now
            return [
                (_("Server"), f"{settings.host}:{settings.port}"),
                (_("Extension"), self._model.extension),
                (_("This PC (MAC)"), macs),
                (_("Settings"), str(self._preferences.file)),
            ]

        self.ask(lambda: AboutWindow(self.root, self.look, facts, self._actions.copy))

    def ask(self, make: Callable[[], tk.Toplevel]) -> None:
        """Show a small window and keep it."""
        self.questions = [one for one in self.questions if one.winfo_exists()]
        self.questions.append(make())

    # --- logging in ---

    def ask_login(self, *, remembered: bool, can_remember: bool) -> None:
        """Show the log-in window instead of the main one."""
        self.root.withdraw()
        self.login = LoginWindow(
            self.root,
            self.look,
            self._actions,
            self._preferences.now,
            self._preferences.locked,
            remembered=remembered,
            can_remember=can_remember,
            macs=own_macs("127.0.0.1"),
        )

    def close_login(self) -> None:
        """The log-in is done."""
        if self.login is not None:
            self.login.destroy()
            self.login = None

    def _foremost(self) -> tk.Tk | tk.Toplevel:
        return self.login if self.login is not None and self.login.winfo_exists() else self.root


def _windows_in(widget: tk.Misc) -> Iterator[Window]:
    """Every window that is open below this one."""
    for child in list(widget.children.values()):
        if isinstance(child, Window):
            yield child
        yield from _windows_in(child)
