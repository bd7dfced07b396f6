"""Whether a call can reach this agent, in one sentence: the same wherever it is told. No Tk."""

from __future__ import annotations

from collections.abc import Callable

from astcti_client.ui.i18n import _
from astcti_client.ui.state.receiving import Obstacle, ObstacleKind
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.text.words import displayable, missed_text, server_reason

LONGEST_REASON = 60  # characters of a reason that somebody chose
LONGEST_TIP = 120  # of the tray's; Windows takes 127 units of UTF-16

_WHY: dict[ObstacleKind, Callable[[], str]] = {
    "connecting": lambda: _("connecting to the server"),
    "logging-in": lambda: _("logging in"),
    "connection-lost": lambda: _("no connection to the server"),
    "taken-over": lambda: _("somebody else logged in as you or at your seat"),
    "disabled": lambda: _("the server logged you out"),
    "logged-out": lambda: _("not logged in"),
    "pbx-down": lambda: _("the telephone system is not available"),
    "seat-unknown": lambda: _("the server does not know this PC"),
    "paused": lambda: _("in pause"),
    "coming-back": lambda: _("still in pause"),
    "joining": lambda: _("joining the queues"),
    "queues-refuse": lambda: _("your queues cannot be joined"),
    "queues-left": lambda: _("you are in none of your queues"),
    "no-queue": lambda: _("you have no queue"),
}


def obstacle_text(obstacle: Obstacle) -> str:
    """The sentence."""
    why = _WHY[obstacle.kind]()
    reason = obstacle.reason
    reason = (
        server_reason(reason) if obstacle.kind == "queues-refuse" else displayable(reason, LONGEST_REASON)
    )
    text = _("Not receiving calls: {why}").format(why=why)
    return f"{text} ({reason})" if reason else text


def tray_text(model: SeatModel) -> str:
    """The tray's tip."""
    first = {"ringing": _("the phone rings"), "talking": _("in a call"), "available": _("available")}.get(
        model.tray_state, ""
    )
    if not first and model.obstacle is not None:
        first = obstacle_text(model.obstacle)
    who = " · ".join(filter(None, (displayable(model.full_name, 40), displayable(model.extension, 30))))
    missed = f"\n{missed_text(model.missed)}" if model.missed else ""
    text = "AsteriskCTI: " + first + missed + (f"\n{who}" if who else "")
    while len(text.encode("utf-16-le")) > 2 * LONGEST_TIP:
        text = text[:-2].rstrip() + "…"
    return text
