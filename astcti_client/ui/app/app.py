"""The program with a window: takes messages from the queue, changes the model, and has the windows show it.

Tk belongs to the main thread. What other threads want (the network, the tray, the hot key, other programs
with a number to call) comes through one queue, which wakes Tk where it can wait for that.
"""

from __future__ import annotations

import gc
import itertools
import logging
import time
import tkinter as tk
from collections.abc import Callable
from pathlib import Path

from astcti_client.hand_over.requests import DialRequest, ShowRequest
from astcti_client.net.messages import ConnectionMessage, ConnectionState
from astcti_client.settings import LoadedSettings
from astcti_client.settings_file import Writable
from astcti_client.stop_signals import StopRequest
from astcti_client.triggers.trigger_memory import TriggerMemory
from astcti_client.ui import i18n
from astcti_client.ui.app.call_records import CallRecords
from astcti_client.ui.app.call_triggers import CallTriggers
from astcti_client.ui.app.desktop_watch import DesktopWatch
from astcti_client.ui.app.inbox import HangUpKeyPressed, HotKeyPressed, Inbox, InboxReader, requests_into
from astcti_client.ui.app.open_windows import OpenWindows
from astcti_client.ui.app.pause_records import PauseRecords
from astcti_client.ui.app.seat_commands import SeatCommands
from astcti_client.ui.app.sign_in import SignIn
from astcti_client.ui.app.tray_menu import TrayMenu, tray_content
from astcti_client.ui.desktop.ring_sound import RingSound
from astcti_client.ui.desktop.system_colours import SystemColours
from astcti_client.ui.desktop.system_keyring import SystemKeyring
from astcti_client.ui.desktop.tray import Tray, TrayRequest
from astcti_client.ui.state.history import History
from astcti_client.ui.state.pause_file import PauseFile
from astcti_client.ui.state.preferences import CannotChange, Preferences
from astcti_client.ui.state.prompts import PassingMessage, Prompt
from astcti_client.ui.state.seat_changes import (
    CallExplained,
    CallOver,
    CommandRefused,
    DialOutcome,
    DialOver,
    EventHeard,
    JoinedAgainstWish,
    PauseLost,
    RingBegan,
    SeatChange,
    TransferUnchecked,
)
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.state.seat_session import SeatSession, SessionMessage
from astcti_client.ui.state.window_places import WindowPlaces
from astcti_client.ui.text import words

logger = logging.getLogger(__name__)

SECOND = 1000
DRAWING = 1  # milliseconds until the screen has answered where new windows are
NOTICE_FIRST = 15  # milliseconds in which a notice is drawn before the main window shows the same call
MINUTE = 60  # seconds between two looks for calls that are too old, and two full collections of garbage
SOON = 10  # seconds between two full collections while there are calls
LOGOUT_TIME = 4.0  # seconds for logging out at the end
LOGOUT_LOOK = 50  # milliseconds between two looks whether that is done


class App:
    """Makes the parts and joins them; see `actions.ProgramActions`. Main thread.

    The parts that decide come first and know no window: what they have to say they hand to `_show_prompt`.
    The windows come last and are given those parts.
    """

    def __init__(
        self,
        root: tk.Tk,
        loaded: LoadedSettings,
        reload: Callable[[], LoadedSettings],
        file: Path,
        history: History,
        memory: TriggerMemory,
        pause_file: PauseFile,
        places: WindowPlaces | None = None,
    ) -> None:
        """`reload` reads the settings again after `file` was changed. Raises OtherClient.

        `memory` has what was carried out before, `pause_file` the pause in which an earlier run was killed,
        `places` where the windows were.
        """
        self.root, self.history = root, history
        self.inbox = Inbox()
        self._listener = requests_into(self.inbox)
        self.preferences = Preferences(loaded, reload, file)
        self.model = SeatModel(time.monotonic)
        self.session = SeatSession(self.inbox, memory)
        self._records = CallRecords(history, self.preferences, self.model, self.session)
        self._desktop_watch = DesktopWatch(self.preferences, self.inbox)
        told = self._show_prompt, self._show
        self._pauses = PauseRecords(pause_file, self.model, time.monotonic)
        self.sign_in = SignIn(
            self.preferences, self.model, self.session, SystemKeyring(), self._pauses, *told
        )
        is_password = self.sign_in.is_password
        self.commands = SeatCommands(self.preferences, self.model, self.session, is_password, *told)
        self.triggers = CallTriggers(
            self.preferences, self._desktop_watch, self.model, memory, self.session.shown, self._show_prompt
        )
        self._sound = RingSound()
        self.tray = Tray(self.inbox.put, tray_content(self.model))
        self.windows = OpenWindows(
            root,
            self.preferences,
            self.model,
            history,
            self.tray,
            seat=self.commands,
            session=self.sign_in,
            pages=self.triggers,
            program=self,
            places=places or WindowPlaces(),
            dark=self._desktop_watch.dark,
        )
        self._tray_menu = TrayMenu(root, self.model, self.windows.actions)
        self._quitting: float | None = None
        self._changed = self._heard_event = False
        self._rest: str | None = None
        """The timer that shows the rest, while notices are drawn."""
        self._tell(self._desktop_watch.set_hot_keys())
        self._tell(self._desktop_watch.set_start())
        # What Tk made must be thrown away on this thread too, and Python collects cycles on any.
        gc.disable()
        self._seconds = itertools.count(1)
        self._made_garbage = False
        """Whether a card may have gone since all garbage was collected last."""
        for event in ("<Map>", "<FocusIn>"):
            root.bind(event, self._looked_at, add=True)
        self._reader = InboxReader(root, self.inbox, self._take, self._show_changes)
        self._next_second = root.after(SECOND, self._every_second)

    def _looked_at(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self.root:  # what is in the window tells of itself, too
            self._desktop_watch.looked_at()

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
            self._quitting = time.monotonic() + LOGOUT_TIME
            self._reader.stop()
            self.root.withdraw()
            self.windows.close_notices()
            self.session.stop()
            self._pauses.log_out()
            self._end_when_logged_out()

    def _end_when_logged_out(self) -> None:
        assert self._quitting is not None
        if not self.session.ended() and time.monotonic() < self._quitting:
            self.root.after(LOGOUT_LOOK, self._end_when_logged_out)
            return
        self.root.quit()

    def close(self) -> None:
        """Let go of everything but the inbox, after the main loop."""
        self._reader.stop()
        self.root.after_cancel(self._next_second)
        if self._rest is not None:
            self.root.after_cancel(self._rest)
        self.session.stop()
        if self._listener:
            self._listener.close()
        self._desktop_watch.close()
        self._sound.stop()
        self.tray.close()
        self.triggers.close()
        self.history.close()
        self.windows.notices.close()
        until = time.monotonic() + LOGOUT_TIME
        while not self.session.ended() and time.monotonic() < until:
            time.sleep(0.02)
        gc.enable()

    def change_settings(self, changes: dict[str, Writable]) -> str:
        """Write settings into the user's file and have every part use them; what is wrong, or nothing."""
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
            i18n.use_language(self.preferences.now.language)
        problem = self._desktop_watch.settings_changed(before)
        self.windows.settings_changed(self._desktop_watch.dark)
        self._tell(problem)
        self._show()
        return ""

    # --- what happens ---

    def _take(self, item: object) -> None:
        match item:
            case SessionMessage(message=message):
                if self.session.is_present(item):
                    self._hear(message)
            case TrayRequest():
                self._tray_menu.act_on(item)
            case DialRequest(number=number, reply=reply):
                self.commands.dial_for(number, reply)
            case ShowRequest():
                self.windows.show()
            case SystemColours(dark=dark):
                self._desktop_watch.colours_changed(item)
                self.windows.system_colours(dark)
            case HotKeyPressed():
                self.commands.dial_selected(self.windows.selected_text())
            case HangUpKeyPressed():
                self.commands.hang_up_present()
            case StopRequest():
                self.quit()
            case _:
                logger.error("unknown item %r", item)

    def _hear(self, message: ConnectionMessage) -> None:
        self.session.hear(message)
        self._made_garbage = True
        changes = self.model.hear(message)
        if isinstance(message, ConnectionState):
            self.sign_in.connection_changed(message)
        for change in changes:
            self._act_on(change)
        self._changed = True

    def _show_changes(self) -> None:
        if self.windows.notices.show(self.model.calls):
            # Tk draws what is new in the order in which it was changed, and waits for the screen meanwhile.
            if self._rest is None:
                self._rest = self.root.after(NOTICE_FIRST, self._show_the_rest)
        elif self._rest is None:
            self._show_the_rest()

    def _show_the_rest(self) -> None:
        self._rest = None
        if self._changed:
            self._show()
        if self._heard_event:
            self._heard_event = False
            self.triggers.shows()
            # What is new is laid out now; once the screen said where, it is drawn before the idle call.
            self.root.update_idletasks()
            self.root.after(DRAWING, lambda: self.root.after_idle(self.triggers.drawn))

    def _show(self) -> None:
        self._changed = False
        self._pauses.note()
        self._tell(self.history.commit())
        self.windows.show_model()
        if self.model.tray_state != "ringing":
            self._sound.stop()
        self.tray.show(tray_content(self.model))

    def _ring_sound(self) -> None:
        wanted = self.preferences.now.ring_sound
        if wanted and not self._sound.play(wanted):
            self.root.bell()

    def _show_prompt(self, prompt: Prompt) -> None:
        self.windows.show_prompt(prompt)

    def _tell(self, text: str) -> None:
        if text:
            self.windows.show_prompt(PassingMessage(text))

    def _every_second(self) -> None:
        try:
            for change in self.model.tick():
                self._act_on(change)
            self.windows.tick()
            self.tray.tick()
            self.triggers.tick()
            self._show()
        except Exception:
            logger.exception("the window could not be brought up to date")
        second = next(self._seconds)
        if second % MINUTE == 0:
            self.history.forget_old(time.time())
        self._collect_garbage(second)
        if self._quitting is None:
            self._next_second = self.root.after(SECOND, self._every_second)

    def _collect_garbage(self, second: int) -> None:
        """The oldest generation, of which looking through takes 4 ms, only now and then.

        A card lives longer than a second and leaves some hundred objects in cycles. What a minute of calls
        leaves raises what Python takes from the system, and it gives little of that back.
        """
        in_all = second % MINUTE == 0 or (self._made_garbage and second % SOON == 0)
        gc.collect(2 if in_all else 1)
        if in_all:
            self._made_garbage = False

    def _act_on(self, change: SeatChange) -> None:
        match change:
            case RingBegan(call=call):
                if self.preferences.now.notices:
                    self.windows.notices.ring(call)
                self._ring_sound()
            case CallOver(call=call):
                self._records.add(call)
                self.windows.history_changed()
            case CallExplained(key=key, verdict=verdict):
                self._records.explain(key, verdict)
                self.windows.history_changed()
            case EventHeard():
                self._heard_event = True
                self.triggers.event(change)
            case DialOutcome(originate=originate):
                self.commands.dial_outcome(originate)
            case DialOver(number=number, answered=answered):
                self.commands.dial_over(number, answered=answered)
            case CommandRefused(what=what, why=why):
                self._tell(words.refusal_text(what, why))
            case PauseLost(reason=reason):
                self.commands.pause_again(reason)
            case JoinedAgainstWish(queue=queue):
                self.commands.leave_queue(queue)
            case TransferUnchecked():
                self._tell(words.unchecked_transfer())
