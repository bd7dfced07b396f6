"""Why the page or the program of a call did not come, in the words of who waits for it. No Tk."""

from __future__ import annotations

from collections.abc import Callable

from astcti_client.triggers.runner import TriggerOutcome
from astcti_client.ui.i18n import _
from astcti_client.ui.state.lasting_messages import LastingMessage
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.text.words import caller, displayable, told
from schemas.protocol import TriggerFailure

LONGEST_DETAIL = 500  # characters
LONGEST_WHAT = 200  # of them for the address or the command line

_WHY: dict[TriggerFailure, Callable[[], str]] = {
    TriggerFailure.NOT_ALLOWED: lambda: _("it is not allowed on this PC"),
    TriggerFailure.NOT_FOUND: lambda: _("it is not on this PC"),
    TriggerFailure.NO_BROWSER: lambda: _("no browser could be started"),
}


def trigger_problem(outcome: TriggerOutcome, call: SeatCall | None) -> LastingMessage:
    """What to say of a trigger that was not carried out; `call` is the one that it belongs to, if known."""
    action = outcome.action
    who = caller(call) if call is not None else _("Unknown number")
    why = _WHY.get(outcome.failure, lambda: "")() if outcome.failure is not None else ""
    if action.type == "application":
        text = _("The program for the call with {who} was not started").format(who=who)
    else:
        text = _("The page for the call with {who} was not opened").format(who=who)
    text = f"{text}: {why}." if why else f"{text}."
    what = action.url or " ".join([action.application, *action.arguments])
    detail = _detail(displayable(told(outcome.message), LONGEST_DETAIL), displayable(what, LONGEST_WHAT))
    return LastingMessage(f"trigger {call.key if call is not None else ''} {what}", text, detail)


def no_own_browser(why: str) -> LastingMessage:
    """That pages meant for the client's own windows open elsewhere."""
    text = _("The client's own browser is not available: pages open in the system's browser.")
    return LastingMessage("own browser", text, displayable(told(why), LONGEST_DETAIL))


def _detail(why: str, what: str) -> str:
    return why if what in why else f"{why} ({what})"
