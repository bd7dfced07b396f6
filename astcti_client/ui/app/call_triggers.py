"""The pages and programs of calls: asked for if the settings want it, started, told of if they fail.

Main thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from astcti_client.settings import Settings
from astcti_client.triggers.event_triggers import EventTriggers
from astcti_client.triggers.runner import DueTrigger, TriggerOutcome, TriggerRunner
from astcti_client.triggers.trigger_memory import TriggerMemory
from astcti_client.ui.app.desktop_watch import DesktopWatch
from astcti_client.ui.browser.browser_windows import NOT_INSTALLED, BrowserWindows, pages_are_used
from astcti_client.ui.state.preferences import Preferences
from astcti_client.ui.state.prompts import ConfirmationWanted, ShowPrompt
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.state.seat_changes import EventHeard
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.text.trigger_problems import no_own_browser, trigger_problem
from astcti_client.ui.theme.palette import palette_for
from schemas.events import Action
from schemas.protocol import TriggerFailure

logger = logging.getLogger(__name__)


class CallTriggers:
    """Between the calls and the programs they start. See `actions.PageActions`."""

    def __init__(
        self,
        preferences: Preferences,
        desktop_watch: DesktopWatch,
        model: SeatModel,
        memory: TriggerMemory,
        say_shown: Callable[[str, str], None],
        show_prompt: ShowPrompt,
    ) -> None:
        """`memory` has what was carried out before; `say_shown` as in `ServerConnection.shown`."""
        self._preferences, self._desktop_watch, self._model = preferences, desktop_watch, model
        self._memory, self._show_prompt = memory, show_prompt
        self._pages = BrowserWindows(
            self._page_failed, self._page_look, reuse=preferences.now.browser_window == "reuse"
        )
        self._runner = self._new_runner()
        self._events = EventTriggers(self._runner, memory, say_shown, time.monotonic)
        self._interrupted: dict[str, list[DueTrigger]] = {}
        self._told_no_browser = self._logged_in = False

    def event(self, heard: EventHeard) -> None:
        """Carry out the triggers that are due with this event."""
        event = heard.event
        if not self._preferences.now.triggers and not heard.epoch:
            return
        due = self._events.hear(event, trusted=heard.trusted, epoch=heard.epoch, arrived=heard.arrived)
        for trigger in due:
            if trigger.interrupted:
                self._offer_again(trigger)
            elif self._preferences.now.triggers:
                self._run(trigger)
            else:
                self._refuse(trigger, TriggerFailure.TRIGGERS_OFF)

    def shows(self) -> None:
        """The windows show everything heard so far; `drawn` follows once that is on the screen."""
        self._events.shows(self._model.first_event)

    def drawn(self) -> None:
        """It is on the screen."""
        self._events.drawn()

    def open_pages(self, call: SeatCall) -> None:
        """Open the pages of a call again."""
        for action in call.pages:
            self._tell_outcome(self._runner.perform(action, call.service), call)

    def open_interrupted(self, call: SeatCall) -> None:
        """Do what an earlier run of the client was ended in the middle of."""
        self._model.seat_calls.opened_again(call.key)
        for trigger in self._interrupted.pop(call.key, []):
            outcome = self._runner.do_again(trigger)
            self._note_failure(outcome)
            self._tell_outcome(outcome)

    def tick(self) -> None:
        """Tell of programs that ended badly, close windows that are gone; every second or so."""
        if self._model.up and not self._logged_in:
            self._logged_in = True
            if self._preferences.now.triggers and pages_are_used():
                self._pages.keep_ready()
        self._pages.tick()
        for outcome in self._events.finished():
            self._note_failure(outcome)
            self._tell_outcome(outcome)
        for key in self._interrupted.keys() - self._model.calls.keys():
            del self._interrupted[key]  # its card is gone

    def settings_changed(self, before: Settings) -> None:
        """Do as the settings want it now."""
        now = self._preferences.now
        self._pages.reuse_windows(now.browser_window == "reuse")
        if before.allowed_programs != now.allowed_programs:
            self._runner.close()
            self._runner = self._new_runner()
            self._events.use(self._runner)

    def close(self) -> None:
        """Close the browser's windows; programs that were started go on."""
        self._pages.close()
        self._runner.close()

    def _new_runner(self) -> TriggerRunner:
        return TriggerRunner(
            allowed=self._preferences.now.allowed_programs, show_page=self._pages.show, memory=self._memory
        )

    def _page_look(self) -> tuple[bool, str]:
        settings = self._preferences.now
        return palette_for(settings.theme, self._desktop_watch.dark).dark, settings.language

    def _offer_again(self, trigger: DueTrigger) -> None:
        key = trigger.event.call.uniqueid
        self._note_failure(self._events.do(trigger))  # which only says that it was interrupted
        waiting = self._interrupted.setdefault(key, [])
        if trigger.mark not in {known.mark for known in waiting}:
            waiting.append(trigger)
        self._model.seat_calls.interrupted(key, trigger.action)

    def _run(self, trigger: DueTrigger) -> None:
        def answered(yes: bool) -> None:
            if yes:
                outcome = self._events.do(trigger)
                self._note_failure(outcome)
                self._tell_outcome(outcome)
            else:
                self._refuse(trigger, TriggerFailure.NOT_CONFIRMED)

        refused = self._runner.would_refuse(trigger.action, trusted=trigger.trusted)
        if self._preferences.now.confirm_triggers and not refused:
            self._events.asks(trigger)
            self._show_prompt(ConfirmationWanted(trigger.action, answered))
        else:
            answered(True)

    def _refuse(self, trigger: DueTrigger, failure: TriggerFailure) -> None:
        self._events.refuse(trigger, failure)
        self._model.seat_calls.trigger_failed(trigger.event.call.uniqueid, failure)

    def _note_failure(self, outcome: TriggerOutcome) -> None:
        if outcome.failure is not None and outcome.due is not None:
            self._model.seat_calls.trigger_failed(outcome.due.event.call.uniqueid, outcome.failure)

    def _tell_outcome(self, outcome: TriggerOutcome, call: SeatCall | None = None) -> None:
        if call is None and outcome.due is not None:
            call = self._model.calls.get(outcome.due.event.call.uniqueid)
        if not outcome.done:
            logger.warning("%s", outcome.message)
            self._show_prompt(trigger_problem(outcome, call))
        elif outcome.action.type == "internal-browser" and not self._pages.available():
            self._tell_no_browser(NOT_INSTALLED)

    def _page_failed(self, url: str, why: str) -> None:
        logger.warning("no window for %s: %s", url, why)
        self._tell_no_browser(why)
        self._tell_outcome(self._runner.perform(Action("browser", url=url)))

    def _tell_no_browser(self, why: str) -> None:
        if not self._told_no_browser:
            self._told_no_browser = True
            self._show_prompt(no_own_browser(why))
