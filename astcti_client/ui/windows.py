"""All windows of the program: made, brought to the front, made anew with another look. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

from astcti_client.connecting import own_macs
from astcti_client.settings import Settings
from astcti_client.ui.actions import Actions
from astcti_client.ui.history import History
from astcti_client.ui.history_window import HistoryWindow
from astcti_client.ui.i18n import _
from astcti_client.ui.login_window import LoginWindow
from astcti_client.ui.look import Look
from astcti_client.ui.main_window import MainWindow
from astcti_client.ui.model import SeatModel
from astcti_client.ui.notices import Notices
from astcti_client.ui.palette import palette_for
from astcti_client.ui.preferences import Preferences
from astcti_client.ui.questions import AboutWindow
from astcti_client.ui.settings_window import SettingsWindow


class Windows:
    """The only place that makes them."""

    def __init__(
        self, root: tk.Tk, preferences: Preferences, model: SeatModel, history: History, actions: Actions
    ) -> None:
        self.root = root
        self._preferences, self._model, self._actions = preferences, model, actions
        self._history = history
        self.login: LoginWindow | None = None
        self.history: HistoryWindow | None = None
        self.settings: SettingsWindow | None = None
        self.questions: list[tk.Toplevel] = []
        root.title("AsteriskCTI")
        root.protocol("WM_DELETE_WINDOW", actions.hide_window)
        self.dress()

    def dress(self) -> None:
        """Make theme and main window as the settings want them; all others go."""
        for widget in self.root.winfo_children():
            widget.destroy()
        self.login = self.history = self.settings = None
        settings = self._preferences.now
        self.look = Look(self.root, palette_for(settings.theme), settings.scale)
        self.notices = self._new_notices()
        large, small = (str(self.look.program_icon("available", size)) for size in (64, 32))
        self.root.iconphoto(True, large, small)
        self.root.minsize(self.look.px(360), self.look.px(420))
        if not self.root.winfo_viewable():
            self.root.geometry(f"{self.look.px(430)}x{self.look.px(640)}")
        self.main = MainWindow(self.root, self.look, self._model, self._actions, self._history.redial_list)

    def settings_changed(self, before: Settings) -> None:
        """Look as the settings want it now."""
        now = self._preferences.now
        if (before.theme, before.scale) != (now.theme, now.scale):
            self.dress()
        self.notices.close_all()
        self.notices = self._new_notices()

    def tell(self, text: str) -> None:
        """Show a passing message in the main window."""
        self.main.tell(text)

    # --- bringing to the front ---

    def show(self) -> None:
        """The log-in window if it is there, else the main window."""
        window = self._foremost()
        window.deiconify()
        window.lift()

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

    def refresh_history(self) -> None:
        """Show a call that was just added."""
        if self.history is not None and self.history.winfo_exists():
            self.history.refresh()

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
        settings = self._preferences.now
        facts = [
            (_("Server"), f"{settings.host}:{settings.port}"),
            (_("Extension"), self._model.extension),
            (_("This PC (MAC)"), self._model.mac or ", ".join(own_macs("127.0.0.1"))),
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

    def _new_notices(self) -> Notices:
        settings = self._preferences.now
        return Notices(
            self.root, self.look, settings.notice_corner, settings.notice_time, self._actions.show_window
        )
