"""The pages and programs of calls: asked for if the settings want it, started, told of if they fail.

Main thread.
"""

from __future__ import annotations

import logging

from astcti_client.settings import Settings
from astcti_client.triggers.runner import TriggerOutcome, TriggerRunner
from astcti_client.ui.app.desktop_watch import DesktopWatch
from astcti_client.ui.browser.browser_windows import BrowserWindows
from astcti_client.ui.i18n import _
from astcti_client.ui.state.preferences import Preferences
from astcti_client.ui.state.prompts import ConfirmationWanted, PassingMessage, ShowPrompt
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.text import words
from astcti_client.ui.theme.palette import palette_for
from schemas.events import Action, CallEvent

logger = logging.getLogger(__name__)


class CallTriggers:
    """Between the calls and the programs they start. See `actions.PageActions`."""

    def __init__(
        self, preferences: Preferences, desktop_watch: DesktopWatch, show_prompt: ShowPrompt
    ) -> None:
        self._preferences, self._desktop_watch = preferences, desktop_watch
        self._show_prompt = show_prompt
        self._pages = BrowserWindows(
            self._page_failed, self._page_look, reuse=preferences.now.browser_window == "reuse"
        )
        self._runner = self._new_runner()
        self._told_no_browser = False

    def event(self, event: CallEvent, *, trusted: bool) -> None:
        """Carry out the triggers that are due with this event; `trusted` as in `ServerEvent`."""
        if self._preferences.now.triggers:
            for action in self._runner.due(event):
                self._run(action, event.service, trusted=trusted)

    def open_pages(self, call: SeatCall) -> None:
        """Open the pages of a call again."""
        for action in call.pages:
            self._tell_outcome(self._runner.perform(action, call.service))

    def tick(self) -> None:
        """Tell of programs that ended badly, close windows that are gone; every second or so."""
        self._pages.tick()
        for outcome in self._runner.finished():
            self._tell_outcome(outcome)

    def settings_changed(self, before: Settings) -> None:
        """Do as the settings want it now."""
        now = self._preferences.now
        self._pages.reuse_windows(now.browser_window == "reuse")
        if before.allowed_programs != now.allowed_programs:
            self._runner.close()
            self._runner = self._new_runner()

    def close(self) -> None:
        """Close the browser's windows; programs that were started go on."""
        self._pages.close()
        self._runner.close()

    def _new_runner(self) -> TriggerRunner:
        return TriggerRunner(allowed=self._preferences.now.allowed_programs, show_page=self._pages.show)

    def _page_look(self) -> tuple[bool, str]:
        settings = self._preferences.now
        return palette_for(settings.theme, self._desktop_watch.dark).dark, settings.language

    def _run(self, action: Action, service: str, *, trusted: bool) -> None:
        def answered(yes: bool) -> None:
            if yes:
                self._tell_outcome(self._runner.perform(action, service, trusted=trusted))

        refused = self._runner.would_refuse(action, trusted=trusted)
        if self._preferences.now.confirm_triggers and not refused:
            self._show_prompt(ConfirmationWanted(action, answered))
        else:
            answered(True)

    def _tell_outcome(self, outcome: TriggerOutcome) -> None:
        if not outcome.done:
            logger.warning("%s", outcome.message)
            self._show_prompt(PassingMessage(words.told(outcome.message)))
        elif outcome.action.type == "internal-browser" and not self._pages.available():
            self._tell_no_browser()

    def _page_failed(self, url: str) -> None:
        self._tell_no_browser()
        self._runner.perform(Action("browser", url=url))

    def _tell_no_browser(self) -> None:
        if not self._told_no_browser:
            self._told_no_browser = True
            text = _("The client's own browser is not available: pages open in the system's browser.")
            self._show_prompt(PassingMessage(text))
