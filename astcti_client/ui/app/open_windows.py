"""All windows of the program: made, brought to the front, made anew with another look. Main thread."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Iterator

from astcti_client.net.mac_addresses import own_macs
from astcti_client.ui.app.tray_menu import tray_content
from astcti_client.ui.desktop.tray import Tray
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import Actions, PageActions, ProgramActions, SeatActions, SessionActions
from astcti_client.ui.state.history import History
from astcti_client.ui.state.lasting_messages import LOST_PAUSE, LastingMessage, LastingMessages
from astcti_client.ui.state.preferences import Preferences
from astcti_client.ui.state.prompts import (
    ConfirmationWanted,
    DialBarWanted,
    LoggedOut,
    LoginDone,
    LoginFailed,
    LoginStarted,
    LoginWanted,
    NumberAnswered,
    NumberReturned,
    PassingMessage,
    PasswordWanted,
    Prompt,
    WindowWanted,
)
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.state.window_places import WindowPlace, WindowPlaces
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.theme.palette import palette_for
from astcti_client.ui.widgets.controls import on_screen
from astcti_client.ui.windows.call_notices import CallNotices
from astcti_client.ui.windows.colleagues import ColleaguesWindow
from astcti_client.ui.windows.dialogs import AboutDialog, PasswordDialog, QuestionDialog
from astcti_client.ui.windows.history import HistoryWindow
from astcti_client.ui.windows.login import LoginWindow
from astcti_client.ui.windows.main import MainWindow
from astcti_client.ui.windows.settings import SettingsWindow
from astcti_client.ui.windows.side_window import SideWindow, same_focus
from astcti_client.ui.windows.unasked import has_keyboard, show_unasked
from schemas.events import Action

TRAY_TIME = 5.0  # seconds that a tray may take for our icon, while the desktop starts
TRAY_LOOK = 100  # milliseconds between two looks whether it is there
LONGEST_QUESTION = 300  # characters of an address or a command line that are shown in a question


class OpenWindows:
    """The only place that makes them. See `actions.WindowActions`."""

    def __init__(
        self,
        root: tk.Tk,
        preferences: Preferences,
        model: SeatModel,
        history: History,
        tray: Tray,
        *,
        seat: SeatActions,
        session: SessionActions,
        pages: PageActions,
        program: ProgramActions,
        places: WindowPlaces,
        dark: bool,
    ) -> None:
        """`dark`: whether the desktop is. Nothing is called of the parts before this returns."""
        self.root = root
        self.actions = Actions(seat, session, pages, self, program)
        self._preferences, self._model, self._history, self._tray = preferences, model, history, tray
        self.login: LoginWindow | None = None
        self.history: HistoryWindow | None = None
        self.colleagues: ColleaguesWindow | None = None
        self.settings: SettingsWindow | None = None
        self.dialogs: list[tk.Toplevel] = []
        self._places = places
        self._moved: dict[str, str] = {}
        """Where each window was a second ago, so that nothing is written while it is being moved."""
        self._dark = dark
        self._looks: dict[tuple[bool, float], Look] = {}
        self._look_due = self._history_changed = False
        self._messages, self._messages_due = LastingMessages(), False
        root.title("AsteriskCTI")
        if root.tk.call("tk", "windowingsystem") == "x11":  # Tk has Emacs' keys there: the line's beginning
            root.event_delete("<<LineStart>>", "<Control-a>")
            root.event_add("<<SelectAll>>", "<Control-a>")
        root.protocol("WM_DELETE_WINDOW", self.hide)
        self._use_look()
        settings = preferences.now
        self.notices = CallNotices(
            root, self.look, settings.notice_corner, settings.notice_time, self.actions, model.dialling
        )
        self.main = self._new_main()

    def show_prompt(self, prompt: Prompt) -> None:
        """Show the user, or ask, what another part wants."""
        match prompt:
            case PassingMessage(text=text):
                self.main.tell(text)
            case LastingMessage():
                self._messages.add(prompt)
                self._show_messages_soon()
            case NumberReturned(number=number):
                self.main.dial_bar.give_back(number)
            case NumberAnswered(number=number):
                self.main.dial_bar.answered(number)
            case DialBarWanted():
                self.show_dial()
            case PasswordWanted(is_right=is_right, done=done):
                self._keep_dialog(PasswordDialog(self.root, self.look, is_right, done))
            case ConfirmationWanted(action=action, answered=answered):
                self._confirm(action, answered)
            case LoginWanted(remembered=remembered, can_remember=can_remember, unasked=unasked):
                self._ask_login(remembered=remembered, can_remember=can_remember)
                if unasked and self.login is not None:
                    self.login.withdraw()
                    show_unasked(self.login)
            case LoginStarted():
                if self.login is not None:
                    self.login.busy()
            case LoginFailed():
                assert self.login is not None
                self.login.show_failure(prompt)
            case LoginDone():
                asked = has_keyboard(self.root)  # who types elsewhere meanwhile goes on
                self._close_login()
                self.show() if asked else show_unasked(self._foremost())
            case LoggedOut():
                self._close_all()
            case WindowWanted():
                show_unasked(self._foremost())

    # --- the look ---

    def system_colours(self, dark: bool) -> None:
        """The desktop is dark, or is not."""
        if dark != self._dark:
            self._dark = dark
            self.apply_look()

    def settings_changed(self, dark: bool) -> None:
        """Look and speak as the settings want it now; `dark`: whether the desktop is."""
        self._dark = dark
        self.apply_look()

    def apply_look(self) -> None:
        """Show every window that is open in the look and the language of the settings.

        What is typed, chosen and focused stays. While a menu or a dialogue of the system is open, which Tk
        calls a grab, it is put off to one of the next calls of `tick`: what they belong to must not go.
        """
        self._look_due = bool(self.root.tk.call("grab", "current"))
        if self._look_due:
            return
        self._use_look()
        settings = self._preferences.now
        with same_focus(lambda: self.main):
            typed, was_mini = self.main.typed(), self.main.mini
            self.main.destroy()
            if settings.mini_view != was_mini:
                self._place_main()
            self.main = self._new_main()
            self.main.type_again(typed)
            self._show_messages()
        for window in _windows_in(self.root):
            window.apply_look(self.look)
        self.notices.apply_look(self.look, settings.notice_corner, settings.notice_time)

    def tick(self) -> None:
        """Do what was put off, take away what stayed long enough; every second or so."""
        if self._look_due:
            self.apply_look()
        if self._model.pause.phase == "out":
            self._messages.put_away(LOST_PAUSE)
        self._show_messages()
        self.notices.tick()
        if self._preferences.now.notices:
            self.notices.make_ready()
        self._keep_places()

    def _keep_places(self) -> None:
        main = "mini" if self.main.mini else "main"
        for name, window in ((main, self.root), ("history", self.history), ("colleagues", self.colleagues)):
            if window is None or not window.winfo_exists() or not window.winfo_viewable():
                continue
            if str(window.state()) != "normal" or _fills_the_screen(window):
                continue
            geometry = window.geometry()
            place = WindowPlace.of(geometry)
            if place is not None and self._moved.get(name) == geometry:
                self._places.keep(name, place)
            self._moved[name] = geometry

    def _put_back(self, name: str, window: tk.Tk | tk.Toplevel) -> WindowPlace | None:
        """Where its user left it, as far as it is on the screen of today. Returns where that is, if so."""
        if (place := self._places.of(name)) is not None:
            screen = WindowPlace(
                window.winfo_vrootwidth(),
                window.winfo_vrootheight(),
                window.winfo_vrootx(),
                window.winfo_vrooty(),
            )
            place = place.inside(screen)
            window.geometry(str(place))
        return place

    def put_away(self, topic: str) -> None:
        """Take the lasting message of this topic away."""
        self._messages.put_away(topic)
        self._show_messages()

    def _show_messages_soon(self) -> None:
        """Once for all that a flood of calls brings."""
        if not self._messages_due:
            self._messages_due = True
            self.root.after_idle(self._show_messages)

    def _show_messages(self) -> None:
        """In the main window, and the newest in the corner as long as nobody can see that window."""
        self._messages_due = False
        messages = self._messages.all
        self.main.lasting.show(messages[::-1])
        seen = self.root.winfo_viewable() or not messages
        self.notices.tell(None if seen else messages[-1])

    def _close_all(self) -> None:
        """Close everything that belongs to the session that is over."""
        self.notices.close_all()
        self._messages.clear()
        for widget in self.root.winfo_children():
            if widget is not self.main:
                widget.destroy()
        self.login = self.history = self.settings = self.colleagues = None
        self.apply_look()

    def _use_look(self) -> None:
        settings = self._preferences.now
        palette = palette_for(settings.theme, self._dark)
        if any(scale != settings.scale for _dark, scale in self._looks):
            self._looks.clear()  # fonts are made for one size
        key = (palette.dark, settings.scale)
        if key not in self._looks:
            self._looks[key] = Look(self.root, palette, settings.scale)
        look = self.look = self._looks[key]
        look.activate()
        large, small = (str(look.program_icon("available", size)) for size in (64, 32))
        self.root.iconphoto(True, large, small)
        self.root.minsize(*(self._on_screen(300, 150) if settings.mini_view else self._on_screen(360, 320)))
        if bool(self.root.attributes("-topmost")) != settings.on_top:
            self.root.attributes("-topmost", settings.on_top)

    def _new_main(self) -> MainWindow:
        # Once it was seen it has the size that its user gave it.
        height = self.root.winfo_height() if self.root.winfo_viewable() else self._place_main()
        return MainWindow(
            self.root,
            self.look,
            self._model,
            self.actions,
            self._history.redial_list,
            height=height,
            mini=self._preferences.now.mini_view,
        )

    def _place_main(self) -> int:
        """Each of the two views has a place and a size of its own. Returns the height."""
        mini = self._preferences.now.mini_view
        if _fills_the_screen(self.root):
            self.root.attributes("-zoomed", False)
        elif str(self.root.state()) == "zoomed":  # as Windows says it
            self.root.state("normal")
        width, height = self._on_screen(*((400, 200) if mini else (430, 640)))
        self.root.geometry(f"{width}x{height}")
        kept = self._put_back("mini" if mini else "main", self.root)
        return kept.height if kept is not None else height

    def _on_screen(self, width: int, height: int) -> tuple[int, int]:
        """That size of a 96 dpi screen in this screen's dots, as far as there is room for it."""
        screen = on_screen(self.root)
        return min(self.look.px(width), screen[0]), min(self.look.px(height), screen[1])

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

    def hide(self) -> None:
        """Into the tray, or where there is none, to where it can be found again."""
        window = self._foremost()
        if self._tray.present:  # else nobody could bring it back
            window.withdraw()
        else:
            window.iconify()

    def show_dial(self) -> None:
        """The main window, ready to type a number."""
        self.show()
        self.main.type_number()

    def show_history(self) -> None:
        """The history, made if it is not open."""
        if self.history is not None and self.history.winfo_exists():
            self.history.lift()
        else:
            self.history = HistoryWindow(self.root, self.look, self.actions.seat, self._history)
            self._put_back("history", self.history)
            # Also who comes back to it has seen what was missed meanwhile.
            self.history.bind("<FocusIn>", lambda _event: self._missed_seen(), add=True)
        self._missed_seen()

    def _missed_seen(self) -> None:
        if self._model.missed:
            self._history.seen()
            self._model.missed_counted(0)
            self.main.show()
            self._tray.show(tray_content(self._model))

    def show_colleagues(self) -> None:
        """The list of colleagues, made if it is not open."""
        if self.colleagues is not None and self.colleagues.winfo_exists():
            self.colleagues.lift()
        else:
            self.colleagues = ColleaguesWindow(self.root, self.look, self._model, self.actions)
            self._put_back("colleagues", self.colleagues)

    def transfer_to(self, number: str) -> None:
        """The main window, with the transfer of the call that is up."""
        if self.main.calls.ask_transfer(number):
            self.show()

    def ask_first(self, number: str) -> None:
        """The main window, where the colleague with this number is asked about the call that is up."""
        if self.main.calls.ask_transfer(number, first=True):
            self.show()

    def history_changed(self) -> None:
        """A call was added; `show_model` shows it."""
        self._history_changed = True

    def show_model(self) -> None:
        """Show everything of the model and of the history that may have changed."""
        self.main.show()
        self.notices.offer_answer(self._model.phone_answers)
        self.notices.show(self._model.calls)
        if self._preferences.now.notices:
            self.notices.show_dialled(time.monotonic())
        if self.colleagues is not None and self.colleagues.winfo_exists():
            self.colleagues.show()
        if self._history_changed and self.history is not None and self.history.winfo_exists():
            self.history.calls_changed()
        self._history_changed = False

    def show_settings(self) -> None:
        """The settings, made if they are not open."""
        if self.settings is not None and self.settings.winfo_exists():
            self.settings.lift()
        else:
            self.settings = SettingsWindow(
                self.root, self.look, self.actions.program, self._preferences.now, self._preferences.locked
            )

    def toggle_mini_view(self) -> None:
        """The main window with state, pause and calls alone, or whole again."""
        if "mini-view" in self._preferences.locked:
            self.main.tell(_("Fixed by your administrator"))
            return
        mini = not self._preferences.now.mini_view
        if problem := self.actions.program.change_settings({"mini-view": mini}):
            self.main.tell(problem)

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

        self._keep_dialog(AboutDialog(self.root, self.look, facts, self.copy))

    def close_notices(self) -> None:
        """Take all notices of calls away."""
        self.notices.close_all()

    def copy(self, text: str) -> None:
        """Put a text into the clipboard."""
        self.root.clipboard_clear()
        self.root.clipboard_append(text)

    def selected_text(self) -> str:
        """The text that is selected in any program, else that of the clipboard; empty if there is neither."""
        text = ""
        for source in ("PRIMARY", "CLIPBOARD"):
            try:
                text = str(self.root.tk.call("selection", "get", "-selection", source))
            except tk.TclError:  # nothing is selected, or it is no text
                continue
            if text.strip():
                break
        return text

    # --- small windows ---

    def _confirm(self, action: Action, answered: Callable[[bool], None]) -> None:
        what = action.url or " ".join([action.application, *action.arguments])
        self._keep_dialog(
            QuestionDialog(
                self.root,
                self.look,
                lambda: _("Open this page?") if action.url else _("Start this program?"),
                lambda: _("Yes"),
                answered,
                detail=words.displayable(what, LONGEST_QUESTION),
                quiet=True,
            )
        )

    def _keep_dialog(self, dialog: tk.Toplevel) -> None:
        self.dialogs = [*(known for known in self.dialogs if known.winfo_exists()), dialog]

    # --- logging in ---

    def _ask_login(self, *, remembered: bool, can_remember: bool) -> None:
        """Show the log-in window instead of the main one."""
        self.root.withdraw()
        self.login = LoginWindow(
            self.root,
            self.look,
            self.actions,
            self._preferences.now,
            self._preferences.locked,
            remembered=remembered,
            can_remember=can_remember,
        )

    def _close_login(self) -> None:
        if self.login is not None:
            self.login.destroy()
            self.login = None

    def _foremost(self) -> tk.Tk | tk.Toplevel:
        return self.login if self.login is not None and self.login.winfo_exists() else self.root


def _fills_the_screen(window: tk.Tk | tk.Toplevel) -> bool:
    try:
        return bool(window.attributes("-zoomed"))
    except tk.TclError:  # of X11 alone; elsewhere it is a state
        return False


def _windows_in(widget: tk.Misc) -> Iterator[SideWindow]:
    """Every window that is open below this one."""
    for child in list(widget.children.values()):
        if isinstance(child, SideWindow):
            yield child
        yield from _windows_in(child)
