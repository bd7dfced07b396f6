"""The pages and programs of calls: asked for if the settings want it, started, told of if they fail.

Main thread.
"""

from __future__ import annotations

import logging

from astcti_client.settings import Settings
from astcti_client.triggers.runner import Outcome, TriggerRunner
from astcti_client.ui.app.open_windows import Windows
from astcti_client.ui.browser.pages import Pages
from astcti_client.ui.i18n import _
from astcti_client.ui.state.calls import SeatCall
from astcti_client.ui.state.preferences import Preferences
from astcti_client.ui.text import words
from astcti_client.ui.windows.dialogs import Question
from schemas.events import Action, CallEvent

logger = logging.getLogger(__name__)


class TriggerDesk:
    """Between the calls and the programs they start."""

    def __init__(self, preferences: Preferences, windows: Windows) -> None:
        self._preferences, self._windows = preferences, windows
        self.pages = Pages(self._page_failed, reuse=preferences.now.browser_window == "reuse")
        self.pages.look = lambda: (windows.look.palette.dark, preferences.now.language)
        self.runner = self._new_runner()
        self._told_no_browser = False

    def event(self, event: CallEvent) -> None:
        """Carry out the triggers that are due with this event."""
        if self._preferences.now.triggers:
            for action in self.runner.due(event):
                self._run(action, event.service)

    def open_pages(self, call: SeatCall) -> None:
        """Open the pages of a call again."""
        for action in call.pages:
            self._tell(self.runner.perform(action, call.service))

    def tick(self) -> None:
        """Tell of programs that ended badly, close windows that are gone; every second or so."""
        self.pages.tick()
        for outcome in self.runner.finished():
            self._tell(outcome)

    def settings_changed(self, before: Settings) -> None:
        """Do as the settings want it now."""
        now = self._preferences.now
        self.pages.reuse = now.browser_window == "reuse"
        if before.allowed_programs != now.allowed_programs:
            self.runner.close()
            self.runner = self._new_runner()

    def close(self) -> None:
        """Close the browser's windows; programs that were started go on."""
        self.pages.close()
        self.runner.close()

    def _new_runner(self) -> TriggerRunner:
        return TriggerRunner(allowed=self._preferences.now.allowed_programs, show_page=self.pages.show)

    def _run(self, action: Action, service: str) -> None:
        if not self._preferences.now.confirm_triggers:
            self._tell(self.runner.perform(action, service))
            return

        def answered(yes: bool) -> None:
            if yes:
                self._tell(self.runner.perform(action, service))

        windows = self._windows
        what = words.shown(action.url or " ".join([action.application, *action.arguments]), 300)
        windows.ask(
            lambda: Question(
                windows.root,
                windows.look,
                lambda: _("Open this page?") if action.url else _("Start this program?"),
                lambda: _("Yes"),
                answered,
                detail=what,
                quiet=True,
            )
        )

    def _tell(self, outcome: Outcome) -> None:
        if not outcome.done:
            logger.warning("%s", outcome.message)
            self._windows.tell(words.told(outcome.message))
        elif outcome.action.type == "internal-browser" and not self.pages.available():
            self._tell_no_browser()

    def _page_failed(self, url: str) -> None:
        self._tell_no_browser()
        self.runner.perform(Action("browser", url=url))

    def _tell_no_browser(self) -> None:
        if not self._told_no_browser:
            self._told_no_browser = True
            self._windows.tell(
                _("The client's own browser is not available: pages open in the system's browser.")
            )
