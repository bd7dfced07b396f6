"""Carries out what an event asks for: runs a program or opens a page.

No shell is involved and nothing is substituted here: the server sends arguments and addresses filled in. What
an event asks for is checked again all the same. Everything here runs on the thread that takes messages from
the queue, never on the network thread, and nothing waits for the programs it starts.
"""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from astcti_client.triggers.child_processes import start_detached
from astcti_client.triggers.memory_file import NoFile
from astcti_client.triggers.programs import TriggerRefused, find_program, search_path
from astcti_client.triggers.system_browser import NoBrowserStarts, PageOpening
from astcti_client.triggers.trigger_memory import TriggerMemory
from schemas.configuration.model import TriggerSystem
from schemas.events import Action, CallEvent
from schemas.protocol import TriggerFailure
from schemas.sentences import said

logger = logging.getLogger(__name__)

MOST_TRIGGERS_REMEMBERED = 2000  # pop-ups; far more than the calls one phone has in a day
LONGEST_URL = 32768  # characters; browsers take no more


@dataclass(frozen=True, slots=True)
class TriggerOutcome:
    """What became of a trigger, in a sentence."""

    action: Action
    done: bool
    message: str
    failure: TriggerFailure | None = None
    """Why not, in one word for the server."""
    due: DueTrigger | None = None
    """What was asked for, if an event did."""


@dataclass(frozen=True, slots=True)
class DueTrigger:
    """What an event asks of this system, and was not carried out yet."""

    action: Action
    event: CallEvent
    trusted: bool
    """As in `TriggerRunner.perform`."""
    epoch: str = ""
    """What the event's number belongs to."""
    mark: str = ""
    """What stands for it in the memory on disk; empty for a server that does not resume."""
    interrupted: bool = False
    """An earlier process of the client ended while it carried it out: only the user may do it again."""


def own_system() -> TriggerSystem:
    """The system this client runs on, by the name that triggers use."""
    if sys.platform == "win32":
        return "windows"
    return "macos" if sys.platform == "darwin" else "linux"


def actions_for_system(actions: Sequence[Action], system: TriggerSystem) -> tuple[Action, ...]:
    """Those for this system; for a type that has none, those for any system. In the event's order."""
    own = {action.type for action in actions if action.os == system}
    return tuple(
        action for action in actions if action.os == system or (action.os == "any" and action.type not in own)
    )


def check_page_address(url: str) -> None:
    """Raise TriggerRefused unless this is a web address that may be given to a browser."""
    if len(url) > LONGEST_URL:
        raise TriggerRefused(
            said("an address of {length} characters is too long for a browser", length=len(url))
        )
    # These never occur in a proper address, and what stands between us and the browser may trip over them.
    if any(not character.isprintable() or character.isspace() or character in '\\"<>`' for character in url):
        raise TriggerRefused(
            said(
                "{url}: a web address cannot contain blanks, quotes, backslashes or control characters",
                url=repr(url),
            )
        )
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise TriggerRefused(f"{url!r}: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise TriggerRefused(
            said(
                "{url}: only addresses that begin with http:// or https:// and a host are opened",
                url=repr(url),
            )
        )


class PopUpMemory:
    """Which triggers were carried out, so that a call pops up once even if its event is told again."""

    def __init__(self, size: int = MOST_TRIGGERS_REMEMBERED) -> None:
        self._size = size
        self._done: OrderedDict[tuple[object, ...], None] = OrderedDict()

    def first_time(self, event: CallEvent, action: Action) -> bool:
        """Whether this trigger was not seen yet for this leg, other party and kind of event; remembers it.

        With a key or without it is the same one.
        """
        call = event.call
        other = call.connected.uniqueid if call.connected else call.calleridnum
        key = (call.linkedid, call.uniqueid, other, event.id, action._replace(key=""))
        if key in self._done:
            return False
        self._done[key] = None
        if len(self._done) > self._size:
            self._done.popitem(last=False)
        return True


class TriggerRunner:
    """Carries out the triggers of events and looks after the processes it started. For one thread only."""

    def __init__(
        self,
        *,
        system: TriggerSystem | None = None,
        allowed: Sequence[str] | None = None,
        environ: Mapping[str, str] | None = None,
        show_page: Callable[[str, str], None] | None = None,
        memory: TriggerMemory | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`show_page` opens a page (address, service) in the client's own window.

        Without it, or when it raises TriggerRefused, the system's browser is used. `memory` is what was
        carried out for servers that resume; without it, nothing yet. `clock` gives seconds.
        """
        self._system = system or own_system()
        self._allowed = allowed
        self._environ = environ
        self._show_page = show_page
        self._told_no_window = False
        self._memory = memory or TriggerMemory(NoFile())
        self._asked = PopUpMemory()
        self._clock = clock
        self._programs: list[subprocess.Popen[bytes]] = []
        self._pages: list[tuple[PageOpening, Action, DueTrigger | None]] = []

    def concerns_others(self, event: CallEvent) -> bool:
        """Whether an event is news and has triggers, and none of them is for this system."""
        return (
            bool(event.triggers) and not event.repeat and not actions_for_system(event.triggers, self._system)
        )

    def carry_out(self, event: CallEvent, *, trusted: bool) -> list[TriggerOutcome]:
        """Do what the event asks of this system. Never raises for what the event contains.

        `trusted`: as in `perform`.
        """
        return [self.do(due) for due in self.due(event, trusted=trusted)]

    def due(self, event: CallEvent, *, trusted: bool, epoch: str = "") -> list[DueTrigger]:
        """What the event asks of this system and is not carried out yet; each goes to `do` or `refuse` once.

        Asked again before that it is not due a second time.
        """
        if event.repeat:
            return []  # the call was there before; its pop-up was shown when it began
        found = []
        for action in actions_for_system(event.triggers, self._system):
            if not event.seq:
                if self._asked.first_time(event, action):
                    found.append(DueTrigger(action, event, trusted))
                continue
            mark = self._memory.mark(event, action)
            state = self._memory.state(mark)
            if state == "new" and event.late and event.id != "Hangup":
                continue  # who is gone needs no page any more
            if state == "new":
                if not self._asked.first_time(event, action):
                    continue  # a server of the release before, which has no keys, asked for it
                self._memory.take(mark)
                found.append(DueTrigger(action, event, trusted, epoch, mark))
            elif state == "interrupted":
                found.append(DueTrigger(action, event, trusted, epoch, mark, interrupted=True))
        return found

    def do(self, due: DueTrigger) -> TriggerOutcome:
        """Carry it out. One that was interrupted only says so, see `do_again`."""
        if due.interrupted:
            what = shlex.join([due.action.application, *due.action.arguments])
            message = said(
                "{what}: not done again, because the client ended while it did so before",
                what=due.action.url or what,
            )
            return TriggerOutcome(due.action, False, message, TriggerFailure.INTERRUPTED, due)
        if not due.mark:
            return replace(self._done(due), due=due)
        self._memory.begin(due.mark)
        outcome = self._done(due)
        self._settle(due)
        return replace(outcome, due=due)

    def do_again(self, due: DueTrigger) -> TriggerOutcome:
        """The user wants what was interrupted."""
        outcome = self._done(due)
        self._settle(due)
        return replace(outcome, due=due)

    def refuse(self, due: DueTrigger) -> None:
        """Do not carry it out, now and later."""
        if not due.interrupted:
            self._settle(due)

    def _settle(self, due: DueTrigger) -> None:
        if due.mark:
            self._memory.end(due.mark)

    def _done(self, due: DueTrigger) -> TriggerOutcome:
        return self._perform(due.action, due.event.service, trusted=due.trusted, due=due)

    def finished(self) -> list[TriggerOutcome]:
        """Clear away programs that ended, and report pages that no browser took. Call it now and then.

        A browser that failed is followed by the next one that there is.
        """
        self._programs = [program for program in self._programs if program.poll() is None]
        asked = [(opening.poll(), opening, action, due) for opening, action, due in self._pages]
        self._pages = [(opening, action, due) for taken, opening, action, due in asked if taken is None]
        return [
            TriggerOutcome(
                action,
                False,
                said("no web browser could be started for {url}; set BROWSER to one", url=action.url),
                TriggerFailure.NO_BROWSER,
                due,
            )
            for taken, _opening, action, due in asked
            if taken is False
        ]

    def close(self) -> None:
        """Let go of the programs that still run: they are meant to outlive the client."""
        self.finished()
        for program in self._programs:
            program.returncode = 0  # or Popen complains about a child that nobody waited for
        for opening, _action, _due in self._pages:
            opening.let_go()
        self._programs.clear()
        self._pages.clear()

    def perform(self, action: Action, service: str = "", *, trusted: bool = False) -> TriggerOutcome:
        """Run the program or open the page. Never raises for what the action contains.

        `trusted`: the server is known to be the right one (see `ServerEvent`), and so may name programs that
        no setting lists.
        """
        return self._perform(action, service, trusted=trusted)

    def _perform(
        self, action: Action, service: str, *, trusted: bool, due: DueTrigger | None = None
    ) -> TriggerOutcome:
        try:
            if action.type == "application":
                return TriggerOutcome(action, True, self._run_application(action, trusted=trusted))
            return TriggerOutcome(action, True, self._open_page(action, service, due))
        except TriggerRefused as refused:
            return TriggerOutcome(action, False, refused.why, refused.failure)
        except Exception as error:  # a bad trigger ends only itself
            logger.exception("a trigger could not be carried out: %r", action)
            what = action.application or action.url
            return TriggerOutcome(action, False, f"{what}: {error}", TriggerFailure.FAILED)

    def would_refuse(self, action: Action, *, trusted: bool) -> bool:
        """Whether `perform` would only say why not, so that nobody needs to be asked before."""
        try:
            if action.type == "application":
                self._find_program(action, trusted=trusted)
            else:
                check_page_address(action.url)
        except TriggerRefused:
            return True
        return False

    def _find_program(self, action: Action, *, trusted: bool) -> str:
        environ = os.environ if self._environ is None else self._environ
        return find_program(
            action.application,
            system=self._system,
            path=search_path(environ),
            trusted=trusted,
            allowed=self._allowed,
        )

    def _run_application(self, action: Action, *, trusted: bool) -> str:
        program = self._find_program(action, trusted=trusted)
        try:
            self._programs.append(start_detached([program, *action.arguments], self._environ))
        except ValueError as error:  # a NUL in an argument
            raise TriggerRefused(f"{program}: {error}; it was not run") from None
        except OSError as error:
            why = str(error.strerror or error)
            raise TriggerRefused(
                said("{program}: could not be started: {why}", program=program, why=why)
            ) from None
        return f"started {shlex.join([action.application, *action.arguments])}"

    def _open_page(self, action: Action, service: str, due: DueTrigger | None) -> str:
        check_page_address(action.url)
        if action.type == "internal-browser":
            if self._show_page is not None:
                try:
                    self._show_page(action.url, service)
                    return f"opened {action.url} in the client's window"
                except TriggerRefused as refused:
                    logger.warning("%s; the system's browser opens it", refused)
            elif not self._told_no_window:
                self._told_no_window = True
                logger.warning(
                    "this client has no browser window of its own: pages meant for it open "
                    "in the system's browser"
                )
        try:
            opening = PageOpening(action.url, system=self._system, environ=self._environ, clock=self._clock)
        except NoBrowserStarts as error:
            logger.warning("%s", error)
            raise TriggerRefused(
                said("no web browser could be started for {url}; set BROWSER to one", url=action.url),
                TriggerFailure.NO_BROWSER,
            ) from None
        self._pages.append((opening, action, due))
        return f"opened {action.url} in the browser"
