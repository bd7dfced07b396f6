"""The program with a window: takes messages from the queue, changes the model, and has the windows show it.

Tk belongs to the main thread. What other threads want (the network, the tray, the door for numbers, the hot
key) comes through one queue, looked at every 50 ms.
"""

from __future__ import annotations

import gc
import itertools
import logging
import queue
import signal
import time
import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from astcti_client.connection import NotConnected
from astcti_client.hand_over import Answer, NoHandOver, OtherClient
from astcti_client.instance import open_door
from astcti_client.messages import ConnectionState
from astcti_client.password import Password
from astcti_client.phone_number import clean_number
from astcti_client.settings import Loaded, Settings, SettingsError
from astcti_client.settings_file import Writable, save
from astcti_client.triggers import Outcome, TriggerRunner
from astcti_client.ui import i18n, passwords, words
from astcti_client.ui.actions import LoginWish
from astcti_client.ui.history import History, entry_of
from astcti_client.ui.history_window import HistoryWindow
from astcti_client.ui.hot_key import HotKey, NoHotKey
from astcti_client.ui.i18n import _
from astcti_client.ui.login_window import LoginWindow
from astcti_client.ui.look import Look
from astcti_client.ui.main_window import MainWindow, add_reasons
from astcti_client.ui.model import (
    CallChanged,
    CallForgotten,
    CallOver,
    Change,
    DialOutcome,
    EventHeard,
    PauseConfirmed,
    Refusal,
    RingBegan,
    SeatModel,
)
from astcti_client.ui.notices import Notices
from astcti_client.ui.pages import Pages
from astcti_client.ui.palette import palette_for
from astcti_client.ui.questions import AboutWindow, PasswordQuestion, Question
from astcti_client.ui.session import Heard, SeatSession, own_macs
from astcti_client.ui.settings_window import SettingsWindow
from astcti_client.ui.tray import Tray, TrayAsked, TrayContent
from schemas.events import Action

logger = logging.getLogger(__name__)

POLL = 50  # milliseconds between two looks into the queue
MOST_A_LOOK = 10  # messages, so that the window stays alive in a flood
SECOND = 1000
FULL_COLLECTION = 60  # seconds between two full collections of garbage
GOODBYE_TIME = 4.0  # seconds for logging out at the end


@dataclass(frozen=True, slots=True)
class DialWanted:
    """`astcti-client dial`, or a link, wants a number called."""

    number: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class ShowWanted:
    """A second client was started."""


@dataclass(frozen=True, slots=True)
class StopWanted:
    """A signal asks for the end."""


@dataclass(frozen=True, slots=True)
class HotKeyPressed:
    """The selected text is to be called."""


class App:
    """Everything that the windows ask for; see `actions.Actions`."""

    def __init__(
        self, root: tk.Tk, loaded: Loaded, reload: Callable[[], Loaded], file: Path, history: History
    ) -> None:
        """`reload` reads the settings again after `file` was changed. Raises OtherClient."""
        self.root = root
        self.settings, self._locked = loaded.settings, loaded.locked
        self._reload, self._file = reload, file
        self.mail: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.door = self._open_door()
        self.model = SeatModel(time.monotonic)
        self.session = SeatSession(self.mail)
        self.history = history
        self._password: Password | None = None
        self._wish: LoginWish | None = None
        self._told_no_browser = False
        self._quitting: float | None = None
        self._hot_key: HotKey | None = None
        self.login: LoginWindow | None = None
        self.history_window: HistoryWindow | None = None
        self.settings_window: SettingsWindow | None = None
        self.questions: list[tk.Toplevel] = []
        self.pages = Pages(self._page_failed, reuse=self.settings.browser_window == "reuse")
        self.pages.look = lambda: (self.look.palette.dark, self.settings.language)
        self.triggers = self._new_triggers()
        root.title("AsteriskCTI")
        root.protocol("WM_DELETE_WINDOW", self.hide_window)
        self._dress()
        self.tray = Tray(self.mail.put, self._tray_content())
        self._set_hot_key()
        # What Tk made must be thrown away on this thread too, and Python collects cycles on any.
        gc.disable()
        self._seconds = itertools.count(1)
        root.after(POLL, self._look)
        root.after(SECOND, self._every_second)

    # --- the start and the end ---

    def start(self) -> None:
        """Log in with what is known, or ask."""
        self.history.forget_old(time.time())
        settings = self.settings
        password = settings.password or (
            passwords.remembered(settings.host, settings.user) if settings.remember else None
        )
        if settings.user and password:
            self._connect(settings, password)
            if not (settings.start_hidden and self.tray.present):
                self.show_window()
        else:
            self._ask_login()

    def quit(self) -> None:
        """Log out and end."""
        if self._quitting is None:
            self._quitting = time.monotonic() + GOODBYE_TIME
            self.root.withdraw()
            self.notices.close_all()
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
        self.session.stop()
        if self.door:
            self.door.close()
        if self._hot_key:
            self._hot_key.close()
        self.tray.close()
        self.pages.close()
        self.triggers.close()
        self.history.close()
        until = time.monotonic() + GOODBYE_TIME
        while not self.session.ended() and time.monotonic() < until:
            time.sleep(0.02)
        gc.enable()

    def _open_door(self) -> Any:
        try:
            return open_door(
                lambda number, answer: self.mail.put(DialWanted(number, answer)),
                lambda: self.mail.put(ShowWanted()),
            )
        except OtherClient:
            raise  # two clients would pop up everything twice and log each other out
        except NoHandOver as reason:
            logger.warning("astcti-client dial does not reach this client: %s", reason)
            return None

    def _new_triggers(self) -> TriggerRunner:
        return TriggerRunner(allowed=self.settings.allowed_programs, show_page=self.pages.show)

    def _dress(self) -> None:
        """Make theme and main window, also anew after the settings changed."""
        for widget in self.root.winfo_children():
            widget.destroy()
        self.login = self.history_window = self.settings_window = None
        self.look = Look(self.root, palette_for(self.settings.theme), self.settings.scale)
        self.notices = Notices(
            self.root, self.look, self.settings.notice_corner, self.settings.notice_time, self.show_window
        )
        large, small = (str(self.look.program_icon("available", size)) for size in (64, 32))
        self.root.iconphoto(True, large, small)
        self.root.minsize(self.look.px(360), self.look.px(420))
        if not self.root.winfo_viewable():
            self.root.geometry(f"{self.look.px(430)}x{self.look.px(640)}")
        self.window = MainWindow(self.root, self.look, self.model, self, self.history.redial_list)

    # --- the queue ---

    def _look(self) -> None:
        pause = POLL
        try:
            for _count in range(MOST_A_LOOK):
                self._take(self.mail.get_nowait())
            pause = 1
        except queue.Empty:
            pass
        except Exception:  # one message that cannot be shown must not end the rest
            logger.exception("a message could not be handled")
            pause = 1
        if self._quitting is None:
            self.root.after(pause, self._look)

    def _take(self, mail: object) -> None:
        match mail:
            case Heard():
                if self.session.mine(mail):
                    self._heard(mail)
            case TrayAsked():
                self._tray_asked(mail)
            case DialWanted(number=number, answer=answer):
                self.session.dial(number, answer)
            case ShowWanted():
                self.show_window()
            case HotKeyPressed():
                self._dial_selected()
            case StopWanted():
                self.quit()
            case _:
                logger.error("unknown mail %r", mail)

    def _heard(self, heard: Heard) -> None:
        changes = self.model.hear(heard.message)
        if isinstance(heard.message, ConnectionState):
            self._connection_changed(heard.message)
        for change in changes:
            self._carry_out(change)
        self._show()

    def _show(self) -> None:
        self.window.show()
        self.tray.show(self._tray_content())

    def _every_second(self) -> None:
        try:
            for change in self.model.tick():
                self._carry_out(change)
            self.window.show()
            self.notices.tick()
            self.pages.tick()
            self.tray.tick()
            self.tray.show(self._tray_content())
            for outcome in self.triggers.finished():
                self._tell_outcome(outcome)
        except Exception:
            logger.exception("the window could not be brought up to date")
        gc.collect(2 if next(self._seconds) % FULL_COLLECTION == 0 else 1)
        if self._quitting is None:
            self.root.after(SECOND, self._every_second)

    def _carry_out(self, change: Change) -> None:
        match change:
            case RingBegan(call=call):
                if self.settings.notices:
                    self.notices.ring(call)
            case CallChanged(call=call):
                self.notices.change(call)
            case CallOver(call=call):
                self.history.add(entry_of(call, time.monotonic(), time.time()))
                if self.history_window is not None and self.history_window.winfo_exists():
                    self.history_window.refresh()
            case EventHeard(event=event):
                if self.settings.triggers:
                    for action in self.triggers.due(event):
                        self._run_trigger(action, event.service)
            case DialOutcome(originate=originate):
                if text := words.dial_outcome(originate):
                    self.window.tell(text)
            case Refusal(what=what, why=why):
                self.window.tell(words.refusal_text(what, why))
            case PauseConfirmed() | CallForgotten():
                pass

    def _connection_changed(self, state: ConnectionState) -> None:
        if state.phase == "up":
            self._logged_in()
        elif state.phase == "waiting" and self._wish is not None:
            # Somebody waits in front of the log-in window: say what is wrong instead of trying on.
            self._login_failed(state)
        elif state.phase == "ended":
            self.session.stop()
            if self._wish is not None or state.ending == "refused":
                self._login_failed(state)
            else:
                self.show_window()

    def _logged_in(self) -> None:
        wish, self._wish = self._wish, None
        if wish is None:
            return
        if self.model.seat_missing:
            macs = [mac for mac, _reason in self.model.macs_refused]
            self.session.stop()
            self._fail_login(
                _(
                    "The server does not know this PC. Give its address (MAC) to your administrator: {mac}"
                ).format(mac=", ".join(macs) or _("none was found")),
                macs=macs,
            )
            return
        self._keep_login(wish)
        if self.login is not None:
            self.login.destroy()
            self.login = None
        self.show_window()

    def _keep_login(self, wish: LoginWish) -> None:
        changes: dict[str, Writable] = {
            "host": wish.host,
            "port": wish.port,
            "tls": wish.tls,
            "user": wish.user,
            "ca-file": wish.ca_file,
            "remember": wish.remember,
        }
        changes = {key: value for key, value in changes.items() if key not in self._locked}
        if not wish.ca_file:
            changes.pop("ca-file", None)
        try:
            save(self._file, changes)
        except OSError as error:
            self.window.tell(f"{self._file}: {error.strerror or error}")
        if wish.remember and self._password is not None:
            passwords.remember(wish.host, wish.user, self._password, self.window.tell)
        elif not wish.remember:
            passwords.forget(wish.host, wish.user)

    def _login_failed(self, state: ConnectionState) -> None:
        self.session.stop()
        self._fail_login(words.problem_text(state), certificate="certificate of" in state.detail)

    def _fail_login(self, text: str, **more: Any) -> None:
        self._wish = None
        if self.login is None:
            self._ask_login()
        assert self.login is not None
        self.login.fail(text, **more)

    # --- the tray ---

    def _tray_content(self) -> TrayContent:
        model = self.model
        reasons = tuple(words.shown(one, 60) for one in model.reasons)
        paused = model.pause.phase in ("in", "leaving")
        return TrayContent(model.tray_state, words.tray_text(model), reasons, paused, model.up)

    def _tray_asked(self, asked: TrayAsked) -> None:
        match asked.wish:
            case "show":
                self.show_window()
            case "menu":
                self._post_tray_menu(asked.x, asked.y)
            case "pause":
                named = {words.shown(one, 60): one for one in self.model.reasons}
                self.ask_pause(named.get(asked.reason, asked.reason))
            case "return":
                self.ask_return()
            case "dial":
                self.show_dial()
            case "history":
                self.show_history()
            case "settings":
                self.show_settings()
            case "about":
                self.show_about()
            case "quit":
                self.quit()

    def _post_tray_menu(self, x: int, y: int) -> None:
        """Where the tray itself knows no menus."""
        menu = tk.Menu(self.root, tearoff=False)
        menu.add_command(label=_("Show"), command=self.show_window)
        if self.model.pause.phase in ("in", "leaving"):
            menu.add_command(label=_("Available"), command=self.ask_return)
        else:
            reasons = tk.Menu(menu, tearoff=False)
            add_reasons(reasons, self.model, self)
            menu.add_cascade(label=_("Pause"), menu=reasons, state="normal" if self.model.up else "disabled")
        for text, command in (
            (_("Dial"), self.show_dial),
            (_("History"), self.show_history),
            (_("Settings"), self.show_settings),
            (_("About AsteriskCTI"), self.show_about),
        ):
            menu.add_command(label=text, command=command)
        menu.add_separator()
        menu.add_command(label=_("Quit"), command=self.quit)
        menu.tk_popup(x, y)

    # --- triggers ---

    def _run_trigger(self, action: Action, service: str) -> None:
        if not self.settings.confirm_triggers:
            self._tell_outcome(self.triggers.perform(action, service))
            return

        def answered(yes: bool) -> None:
            if yes:
                self._tell_outcome(self.triggers.perform(action, service))

        what = action.url or " ".join([action.application, *action.arguments])
        text = _("Open this page?") if action.url else _("Start this program?")
        self._remember(
            Question(self.root, self.look, text, _("Yes"), answered, detail=words.shown(what, 300))
        )

    def _tell_outcome(self, outcome: Outcome) -> None:
        if not outcome.done:
            logger.warning("%s", outcome.message)
            self.window.tell(words.shown(outcome.message, 300))
        elif outcome.action.type == "internal-browser" and not self.pages.available():
            self._tell_no_browser()

    def _page_failed(self, url: str) -> None:
        self._tell_no_browser()
        self.triggers.perform(Action("browser", url=url))

    def _tell_no_browser(self) -> None:
        if not self._told_no_browser:
            self._told_no_browser = True
            self.window.tell(
                _("The client's own browser is not available: pages open in the system's browser.")
            )

    def _remember(self, window: tk.Toplevel) -> None:
        self.questions = [one for one in self.questions if one.winfo_exists()]
        self.questions.append(window)

    # --- what the windows ask ---

    def log_in(self, wish: LoginWish) -> None:
        """See `Actions`."""
        settings = replace(
            self.settings, host=wish.host, port=wish.port, tls=wish.tls, user=wish.user, ca_file=wish.ca_file
        )
        if wish.password:
            password: Password | None = Password.from_text(wish.password)
        else:
            password = passwords.remembered(wish.host, wish.user) or self.settings.password
        if password is None:
            self._fail_login(_("Write your password."))
            return
        self._wish = wish
        if self.login is not None:
            self.login.busy()
        self._connect(settings, password)

    def _connect(self, settings: Settings, password: Password) -> None:
        self.settings, self._password = settings, password
        self.session.start(settings, password)

    def log_out(self) -> None:
        """See `Actions`."""
        self.session.stop()
        self.model = SeatModel(time.monotonic)
        self.notices.close_all()
        self._dress()
        self._ask_login()
        self._show()

    def _ask_login(self) -> None:
        self.root.withdraw()
        settings = self.settings
        remembered = bool(settings.password or passwords.remembered(settings.host, settings.user))
        self.login = LoginWindow(
            self.root,
            self.look,
            self,
            settings,
            self._locked,
            remembered=remembered,
            can_remember=passwords.can_remember(),
            macs=own_macs("127.0.0.1"),
        )

    def _send(self, line: str) -> bool:
        try:
            self.session.send(line)
        except (NotConnected, ValueError) as error:
            self.window.tell(words.server_reason(str(error)))
            return False
        return True

    def ask_pause(self, reason: str) -> None:
        """See `Actions`."""
        if self.model.pause.phase == "out" and self._send(f"PAUSE IN {reason}".rstrip()):
            self.model.ask_pause(True, reason)
            self._show()

    def ask_return(self) -> None:
        """See `Actions`."""
        if self.model.pause.phase != "in":
            return
        if self.settings.pause_lock and self._password is not None:
            known = self._password
            self._remember(
                PasswordQuestion(self.root, self.look, lambda text: _same(known, text), self._return)
            )
        else:
            self._return()

    def _return(self) -> None:
        if self._send("PAUSE OUT"):
            self.model.ask_pause(False)
            self._show()

    def hang_up(self, key: str) -> None:
        """See `Actions`."""
        self._send(f"HANGUP {key}")

    def transfer(self, key: str, number: str, context: str) -> None:
        """See `Actions`."""
        self._send(f"TRANSFER {key} {dialled(number)} {context}")

    def open_pages(self, key: str) -> None:
        """See `Actions`."""
        if call := self.model.calls.get(key):
            for action in call.pages:
                self._tell_outcome(self.triggers.perform(action, call.service))

    def dial(self, number: str, context: str = "") -> str:
        """See `Actions`."""
        try:
            clean = dialled(number)
        except ValueError:
            return _("This is not a telephone number.")
        if not self.model.up:
            return _("Not connected.")

        def answered(problem: str) -> None:
            if problem:
                self.window.tell(words.refusal_text("ORIG", problem))

        self.session.dial(clean, answered, context)
        return ""

    def _dial_selected(self) -> None:
        text = ""
        for source in ("PRIMARY", "CLIPBOARD"):
            try:
                text = str(self.root.tk.call("selection", "get", "-selection", source))
            except tk.TclError:
                continue
            if text.strip():
                break
        if problem := self.dial(text[:200]):
            self.window.tell(problem)
            self.show_dial()

    def copy(self, text: str) -> None:
        """See `Actions`."""
        self.root.clipboard_clear()
        self.root.clipboard_append(text)

    def show_window(self) -> None:
        """See `Actions`."""
        if self.login is not None and self.login.winfo_exists():
            self.login.deiconify()
            self.login.lift()
            return
        self.root.deiconify()
        self.root.lift()

    def show_dial(self) -> None:
        """See `Actions`."""
        self.show_window()
        self.window.dial_bar.number.focus_force()

    def show_history(self) -> None:
        """See `Actions`."""
        if self.history_window is not None and self.history_window.winfo_exists():
            self.history_window.lift()
        else:
            self.history_window = HistoryWindow(self.root, self.look, self, self.history)

    def show_settings(self) -> None:
        """See `Actions`."""
        if self.settings_window is not None and self.settings_window.winfo_exists():
            self.settings_window.lift()
        else:
            self.settings_window = SettingsWindow(self.root, self.look, self, self.settings, self._locked)

    def show_about(self) -> None:
        """See `Actions`."""
        facts = [
            (_("Server"), f"{self.settings.host}:{self.settings.port}"),
            (_("Extension"), self.model.extension),
            (_("This PC (MAC)"), self.model.mac or ", ".join(own_macs("127.0.0.1"))),
            (_("Settings"), str(self._file)),
        ]
        self._remember(AboutWindow(self.root, self.look, facts, self.copy))

    def change_settings(self, changes: dict[str, Writable]) -> str:
        """See `Actions`."""
        if not changes:
            return ""
        try:
            save(self._file, changes)
            loaded = self._reload()
        except OSError as error:
            return f"{self._file}: {error.strerror or error}"
        except SettingsError as error:
            return "\n".join(error.problems)
        before, now = self.settings, loaded.settings
        self.settings = replace(
            now,
            host=before.host,
            port=before.port,
            tls=before.tls,
            user=before.user,
            ca_file=now.ca_file or before.ca_file,
        )
        self.pages.reuse = now.browser_window == "reuse"
        if before.allowed_programs != now.allowed_programs:
            self.triggers.close()
            self.triggers = self._new_triggers()
        if before.hot_key != now.hot_key:
            self._set_hot_key()
        if (before.theme, before.scale) != (now.theme, now.scale):
            self._dress()
            self._show()
        self.notices.close_all()
        self.notices = Notices(self.root, self.look, now.notice_corner, now.notice_time, self.show_window)
        return ""

    def hide_window(self) -> None:
        """See `Actions`."""
        window = self.login if self.login is not None and self.login.winfo_exists() else self.root
        if self.tray.present:
            window.withdraw()
        else:
            window.iconify()

    def _set_hot_key(self) -> None:
        if self._hot_key is not None:
            self._hot_key.close()
            self._hot_key = None
        if self.settings.hot_key:
            try:
                self._hot_key = HotKey(self.settings.hot_key, lambda: self.mail.put(HotKeyPressed()))
            except NoHotKey as error:
                self.window.tell(f"{_('No hot key')}: {error}")


def dialled(number: str) -> str:
    """The number as the server takes it. Raises ValueError."""
    return clean_number(number)


def _same(known: Password, text: str) -> bool:
    return bool(text) and Password.from_text(text) == known


def stop_at_signals(app: App) -> None:
    """SIGINT and SIGTERM log out first. The queue's put is the one thing safe in a handler."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: app.mail.put(StopWanted()))


def use_language(settings: Settings) -> None:
    """Before the first window."""
    i18n.use(settings.language)
