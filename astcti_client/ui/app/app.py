"""The program with a window: takes messages from the queue, changes the model, and has the windows show it.

Tk belongs to the main thread. What other threads want (the network, the tray, the door for numbers, the hot
key) comes through one queue, looked at every 50 ms.
"""

from __future__ import annotations

import gc
import itertools
import logging
import queue
import time
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from typing import Any

from astcti_client.net.messages import ConnectionState
from astcti_client.settings import Loaded
from astcti_client.settings_file import Writable
from astcti_client.ui import i18n
from astcti_client.ui.app import tray_menu
from astcti_client.ui.app.call_actions import TriggerDesk
from astcti_client.ui.app.commands import SeatCommands
from astcti_client.ui.app.desktop_watch import Surroundings
from astcti_client.ui.app.inbox import (
    POLL,
    DialWanted,
    HotKeyPressed,
    MailRound,
    ShowWanted,
    StopWanted,
    open_door_to,
)
from astcti_client.ui.app.open_windows import Windows
from astcti_client.ui.app.sign_in import SignIn
from astcti_client.ui.desktop.system_colours import SystemColours
from astcti_client.ui.desktop.tray import Tray, TrayAsked
from astcti_client.ui.state.actions import LoginWish
from astcti_client.ui.state.changes import (
    CallChanged,
    CallOver,
    Change,
    DialOutcome,
    EventHeard,
    Refusal,
    RingBegan,
)
from astcti_client.ui.state.history import History, entry_of
from astcti_client.ui.state.preferences import CannotChange, Preferences
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.state.session import Heard, SeatSession
from astcti_client.ui.text import words

logger = logging.getLogger(__name__)

SECOND = 1000
MINUTE = 60  # seconds between two full collections of garbage, and two looks for calls that are too old
GOODBYE_TIME = 4.0  # seconds for logging out at the end


class App:
    """Joins the parts, and does everything that the windows ask for; see `actions.Actions`. Main thread."""

    def __init__(
        self, root: tk.Tk, loaded: Loaded, reload: Callable[[], Loaded], file: Path, history: History
    ) -> None:
        """`reload` reads the settings again after `file` was changed. Raises OtherClient."""
        self.root, self.history = root, history
        self.mail: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.door = open_door_to(self.mail)
        self.preferences = Preferences(loaded, reload, file)
        self.model = SeatModel(time.monotonic)
        self.session = SeatSession(self.mail)
        self.surroundings = Surroundings(self.preferences, self.mail)
        self.windows = Windows(root, self.preferences, self.model, history, self, dark=self.surroundings.dark)
        self.sign_in = SignIn(self.preferences, self.model, self.session, self.windows)
        self.commands = SeatCommands(
            self.preferences, self.model, self.session, self.windows, self.sign_in.is_password, self._show
        )
        self.triggers = TriggerDesk(self.preferences, self.windows)
        self.tray = Tray(self.mail.put, tray_menu.content(self.model))
        self._quitting: float | None = None
        self._changed = False
        self._tell(self.surroundings.set_hot_key())
        # What Tk made must be thrown away on this thread too, and Python collects cycles on any.
        gc.disable()
        self._seconds = itertools.count(1)
        self._round = MailRound(root, self.mail, self._take, self._show_changes)
        root.after(SECOND, self._every_second)

    def start(self) -> None:
        """Log in with what is known, or ask."""
        self.history.forget_old(time.time())
        if not self.sign_in.with_what_is_known():
            self.sign_in.ask()
        else:
            hidden = self.preferences.now.start_hidden
            self.windows.show_unless(lambda: hidden and self.tray.present, wait=hidden)

    def quit(self) -> None:
        """Log out and end."""
        if self._quitting is None:
            self._quitting = time.monotonic() + GOODBYE_TIME
            self._round.stop()
            self.root.withdraw()
            self.windows.notices.close_all()
            self.session.stop()
            self._end_when_logged_out()

    def _end_when_logged_out(self) -> None:
        assert self._quitting is not None
        if not self.session.ended() and time.monotonic() < self._quitting:
            self.root.after(POLL, self._end_when_logged_out)
            return
        self.root.quit()

    def close(self) -> None:
        """Let go of everything, after the main loop."""
        self._round.stop()
        self.session.stop()
        if self.door:
            self.door.close()
        self.surroundings.close()
        self.tray.close()
        self.triggers.close()
        self.history.close()
        until = time.monotonic() + GOODBYE_TIME
        while not self.session.ended() and time.monotonic() < until:
            time.sleep(0.02)
        gc.enable()

    # --- what happens ---

    def _take(self, mail: object) -> None:
        match mail:
            case Heard():
                if self.session.mine(mail):
                    self._heard(mail)
            case TrayAsked():
                tray_menu.carry_out(mail, self.root, self.model, self)
            case DialWanted(number=number, answer=answer):
                self.session.dial(number, answer)
            case ShowWanted():
                self.windows.show()
            case SystemColours(dark=dark):
                self.surroundings.dark = dark
                self.windows.system_colours(dark)
            case HotKeyPressed():
                self.commands.dial_selected()
            case StopWanted():
                self.quit()
            case _:
                logger.error("unknown mail %r", mail)

    def _heard(self, heard: Heard) -> None:
        changes = self.model.hear(heard.message)
        if isinstance(heard.message, ConnectionState):
            self.sign_in.connection_changed(heard.message)
        for change in changes:
            self._carry_out(change)
        self._changed = True

    def _show_changes(self) -> None:
        if self._changed:
            self._show()

    def _show(self) -> None:
        self._changed = False
        self._tell(self.history.commit())
        self.windows.show_model()
        self.tray.show(tray_menu.content(self.model))

    def _tell(self, text: str) -> None:
        if text:
            self.windows.tell(text)

    def _every_second(self) -> None:
        try:
            for change in self.model.tick():
                self._carry_out(change)
            self.windows.tick()
            self.windows.notices.tick()
            self.tray.tick()
            self.triggers.tick()
            self._show()
        except Exception:
            logger.exception("the window could not be brought up to date")
        a_minute_passed = next(self._seconds) % MINUTE == 0
        if a_minute_passed:
            self.history.forget_old(time.time())
        gc.collect(2 if a_minute_passed else 1)
        if self._quitting is None:
            self.root.after(SECOND, self._every_second)

    def _carry_out(self, change: Change) -> None:
        match change:
            case RingBegan(call=call):
                if self.preferences.now.notices:
                    self.windows.notices.ring(call)
            case CallChanged(call=call):
                self.windows.notices.change(call)
            case CallOver(call=call):
                self.history.add(entry_of(call, time.monotonic(), time.time()))
                self.windows.history_changed()
            case EventHeard(event=event):
                self.triggers.event(event)
            case DialOutcome(originate=originate):
                self.commands.dial_over(originate)
            case Refusal(what=what, why=why):
                self.windows.tell(words.refusal_text(what, why))

    # --- what the windows ask; see `Actions` ---

    def log_in(self, wish: LoginWish) -> None:
        """See `Actions`."""
        self.sign_in.log_in(wish)

    def log_out(self) -> None:
        """See `Actions`."""
        self.sign_in.log_out()
        self._show()

    def ask_pause(self, reason: str) -> None:
        """See `Actions`."""
        self.commands.ask_pause(reason)

    def ask_return(self) -> None:
        """See `Actions`."""
        self.commands.ask_return()

    def hang_up(self, key: str) -> None:
        """See `Actions`."""
        self.commands.hang_up(key)

    def transfer(self, key: str, number: str, context: str) -> None:
        """See `Actions`."""
        self.commands.transfer(key, number, context)

    def open_pages(self, key: str) -> None:
        """See `Actions`."""
        if call := self.model.calls.get(key):
            self.triggers.open_pages(call)

    def dial(self, number: str, context: str = "") -> str:
        """See `Actions`."""
        return self.commands.dial(number, context)

    def copy(self, text: str) -> None:
        """See `Actions`."""
        self.root.clipboard_clear()
        self.root.clipboard_append(text)

    def show_window(self) -> None:
        """See `Actions`."""
        self.windows.show()

    def show_dial(self) -> None:
        """See `Actions`."""
        self.windows.show_dial()

    def show_history(self) -> None:
        """See `Actions`."""
        self.windows.show_history()

    def show_settings(self) -> None:
        """See `Actions`."""
        self.windows.show_settings()

    def show_about(self) -> None:
        """See `Actions`."""
        self.windows.show_about()

    def close_notices(self) -> None:
        """See `Actions`."""
        self.windows.notices.close_all()

    def hide_window(self) -> None:
        """See `Actions`."""
        self.windows.hide(in_tray=self.tray.present)

    def change_settings(self, changes: dict[str, Writable]) -> str:
        """See `Actions`."""
        if not changes:
            return ""
        before = self.preferences.now
        try:
            self.commands.may_change(changes)
            self.preferences.change(changes)
        except CannotChange as error:
            return str(error)
        self.triggers.settings_changed(before)
        self.history.keep_for(self.preferences.now.history_days, time.time())
        if before.language != self.preferences.now.language:
            i18n.use(self.preferences.now.language)
        problem = self.surroundings.settings_changed(before)
        self.windows.settings_changed(self.surroundings.dark)
        self._tell(problem)
        self._show()
        return ""
