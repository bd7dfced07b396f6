"""What the window says, in the user's language; strangers' texts are made harmless. No Tk, any thread."""

from __future__ import annotations

import math
import re
import sys
import unicodedata

from astcti_client.ui.i18n import _, some
from astcti_client.ui.state.calls.dialling import DialledCall
from astcti_client.ui.state.consulting.seat_consult import SeatConsult
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.state.seat_state import Pause, SeatQueue
from astcti_client.ui.text.refusals import refusal_template
from schemas.events import Originate
from schemas.explanation.lines import decode
from schemas.explanation.words import told_at
from schemas.protocol import ColleagueState, CommandName, ConsultState, Refusal
from schemas.sentences import retold

MOST_MARKS = 4  # on one letter; real languages need fewer
MOST_EMOJI = 6  # in one text
NO_EXTENSION = "Extension does not exist."  # what Asterisk itself answers to Originate (from 11 on)
LONGEST_SHOWN = 200  # characters; what is longer is cut where it is shown, never where it is used

LONGEST_REASON = 600  # of why a call popped up or not, with what to change


class _Drawn:
    """What the screen can draw."""

    emoji = sys.platform in ("win32", "darwin")


_drawn = _Drawn()


def displayable(text: str, longest: int = LONGEST_SHOWN, *, emoji: bool = False) -> str:
    """The text as it may be given to a window: one line, nothing invisible, not too long.

    `emoji`: draw a few of them, where the screen can; each costs what hundreds of letters do.
    """
    kept: list[str] = []
    marks, left = 0, MOST_EMOJI if emoji and _drawn.emoji else 0
    for character in text[: longest * 4]:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if kind in ("Cc", "Zl", "Zp", "Zs"):
            kept.append(" ")
        elif kind in ("Cf", "Cs", "Cn", "Co") or marks > MOST_MARKS:
            continue  # bidirectional overrides and other invisible marks could turn what stands around them
        elif ord(character) > 0xFFFF:
            left -= 1
            kept.append(character if left >= 0 else "\N{WHITE SQUARE}")
        else:
            kept.append(character)
        if len(kept) > longest:
            break
    line = re.sub(" +", " ", "".join(kept)).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def draw_emoji(safe: bool) -> None:
    """Say whether the screen can draw what is beyond the first plane; until then a square stands for it."""
    _drawn.emoji = safe


def told(what: str | Exception) -> str:
    """A sentence of the parts without a window, or that of an error, in the user's language."""
    return retold(what if isinstance(what, str) else next(iter(what.args), ""), _)


def clock_text(seconds: float) -> str:
    """A duration: 0:07, 12:34, 1:02:03."""
    whole = max(0, int(seconds))
    minutes, left = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def caller(call: SeatCall) -> str:
    """The other party's name, else number."""
    return displayable(call.name, 60, emoji=True) or displayable(call.number, 40) or _("Unknown number")


def number_beside(call: SeatCall) -> str:
    """The number, if the name stands in the first place."""
    return displayable(call.number, 40) if displayable(call.name) else ""


def service_and_queue(call: SeatCall) -> str:
    """Through what the call came."""
    service, queue = displayable(call.service, 60), displayable(call.queue, 60)
    return " · ".join(filter(None, (service, _("queue {queue}").format(queue=queue) if queue else "")))


def phase_text(call: SeatCall) -> str:
    """What the call does now."""
    if call.phase == "over":
        return end_text(call)
    if call.unconfirmed:
        return _("Not confirmed: no connection")
    return {
        "ringing": _("Ringing"),
        "calling": _("Calling"),
        "talking": _("In conversation"),
        "parted": _("Not connected at the moment"),
    }[call.phase]


def interrupted_text() -> str:
    """What the card says of a trigger that an earlier run of the client was ended in the middle of."""
    return _("This program was ended while it opened what belongs to this call. Is it missing? Open it.")


def end_text(call: SeatCall) -> str:
    """How the call ended, as seen from this seat."""
    if call.direction == "outbound":
        return _("Ended") if call.was_answered else _("Not answered")
    return {
        "": _("Ended"),
        "answered": _("Ended"),
        "answered-elsewhere": _("Answered elsewhere"),
        "cancelled": _("The caller hung up"),
        "missed": _("Missed"),
        "refused": _("Refused"),
    }[call.end]


def missed_text(count: int) -> str:
    """How many calls were missed that nobody looked at yet."""
    return some("{count} missed call", "{count} missed calls", count).format(count=count)


def pause_text(pause: Pause) -> str:
    """The pause state in words."""
    reason = displayable(pause.reason, 60)
    return {
        "out": _("Available"),
        "requested": _("Pause requested …"),
        "leaving": _("Coming back …"),
        "in": _("In pause: {reason}").format(reason=reason) if reason else _("In pause"),
    }[pause.phase]


def lost_pause(reason: str) -> str:
    """What is said to whom the server forgot while the desk was empty."""
    if shown := displayable(reason, 60):
        return _("You were in {reason}; the connection was lost.").format(reason=shown)
    return _("You were in pause; the connection was lost.")


def next_attempt(seconds: float) -> str:
    """When the client tries again to connect."""
    whole = math.ceil(seconds)
    if whole < 2:  # by then it has begun
        return _("Trying again …")
    return some("Next attempt in {count} second", "Next attempt in {count} seconds", whole).format(
        count=whole
    )


def queue_text(queue: SeatQueue) -> str:
    """What a queue's mark means."""
    if queue.state == "joined":
        return _("Member of this queue")
    if queue.state == "left":
        return _("Not a member of this queue")
    return _("Could not join this queue: {reason}").format(reason=server_reason(queue.reason))


def colleague_text(state: ColleagueState) -> str:
    """What a colleague does."""
    return {
        ColleagueState.READY: _("Ready"),
        ColleagueState.RINGING: _("Phone rings"),
        ColleagueState.TALKING: _("In a call"),
        ColleagueState.PAUSED: _("In pause"),
        ColleagueState.OFFLINE: _("Not logged in"),
        ColleagueState.UNREACHABLE: _("Not reachable"),
    }[state]


def rings_beside(call: SeatCall) -> str:
    """That this one rings while another call is talked to."""
    return _("Also rings: {name}").format(name=caller(call))


def refusal_text(what: str, why: str) -> str:
    """Why the server did not do something: `what` is the command's name."""
    names: dict[str, str] = {
        CommandName.PAUSE: _("The pause was not granted"),
        CommandName.QUEUE: _("The queue stays as it is"),
        CommandName.COLLEAGUES: _("The colleagues cannot be shown"),
        CommandName.ANSWER: _("Your phone was not told to answer"),
        CommandName.HANGUP: _("The call was not ended"),
        CommandName.TRANSFER: _("The call was not transferred"),
        CommandName.CONSULT: _("The colleague was not asked"),
        CommandName.COMPLETE: _("The call was not handed over"),
        CommandName.CANCEL: _("The call was not taken back"),
        CommandName.ORIG: _("The call was not made"),
    }
    lost = _("the connection to the server was lost; nobody knows whether it was done")
    return f"{names.get(what, what)}: {server_reason(told(why)) or lost}"


def consult_text(consult: SeatConsult) -> str:
    """How it stands with the colleague who is asked about a call."""
    text = {
        ConsultState.OWN_PHONE: _("Take up your phone: it calls {number}"),
        ConsultState.CALLING: _("Consulting {number}: it rings"),
        ConsultState.TALKING: _("Consulting {number}: in conversation"),
        ConsultState.HANDED_OVER: _("Handed over to {number}"),
        ConsultState.TAKEN_BACK: _("Taken back from {number}"),
        ConsultState.BUSY: _("{number} is busy"),
        ConsultState.NOT_ANSWERED: _("{number} did not answer"),
        ConsultState.COLLEAGUE_LEFT: _("{number} hung up"),
        ConsultState.CALLER_LEFT: _("The caller hung up while you were asking {number}"),
        ConsultState.OWN_PHONE_REFUSED: _("Your phone did not take the call to {number}"),
        ConsultState.FAILED: _("{number} could not be asked: the telephone system did nothing"),
        ConsultState.ENDED: _("The call ended while you were asking {number}"),
    }[consult.state]
    return text.format(number=displayable(consult.exten, 40))


def unchecked_transfer() -> str:
    """What is said where nobody can know whether the call that was transferred arrives."""
    return _("The call was handed over. Asterisk could not say whether the number exists.")


def server_reason(text: str) -> str:
    """A reason of the server in the user's language; a text that is not its own, but Asterisk's, as it is."""
    if (found := Refusal.of(text)) is None:
        return displayable(text)
    refusal, values = found
    return refusal_template(refusal).format(
        **{name: displayable(value, 60) for name, value in values.items()}
    )


def why_text(why: str) -> str:
    """Why a call popped up or did not, from what the history keeps; empty where nothing is known."""
    try:
        return displayable(told_at(decode(why), _), LONGEST_REASON) if why else ""
    except ValueError:  # of another program, or damaged
        return ""


def dialled_number(call: DialledCall) -> str:
    """What is called, and through what."""
    return " · ".join(filter(None, (displayable(call.number, 40), displayable(call.service, 60))))


def dialled_text(call: DialledCall) -> tuple[str, str]:
    """How far a call is that was asked for, or whose fault it was, and a sentence about it; perhaps empty."""
    number = displayable(call.number, 40)
    if call.cancelling and call.phase != "failed":
        return _("Cancelling …"), ""
    if call.phase == "calling":
        return _("Calling …"), ""
    if call.phase != "failed":
        return _("Pick up your phone"), _("It rings; then {number} is called.").format(number=number)
    if call.called:
        return {
            "busy": (_("The number is busy"), ""),
            "refused": (_("The call was declined"), _("Whoever was called does not take it.")),
            "no-answer": (_("Nobody answered"), ""),
            "unreachable": (_("The number cannot be reached"), ""),
            "unknown": (_("This number does not exist"), ""),
            "congested": (_("All lines are busy"), _("Try again in a moment.")),
        }[call.called]
    not_called = _("The number was not called.")
    match call.phone:
        case "refused":
            why = _("It is busy, does not want to be disturbed, or somebody declined the call there.")
            return _("Your phone refused the call"), f"{why} {not_called}"
        case "unreachable":
            return _("Your phone cannot be reached"), f"{_('Is it switched on and connected?')} {not_called}"
        case "no-answer":
            return _("Your phone was not picked up"), not_called
        case "unknown":
            return _("Nobody knows what became of the call"), _("The telephone system does not tell.")
    if call.problem == NO_EXTENSION:
        why = _("The telephone system does not know {number}.").format(number=number)
        return _("This number does not exist"), why
    return _("The call was not made"), server_reason(told(call.problem)) or _dial_reason(call.reason)


def dial_outcome(originate: Originate) -> str:
    """What became of a dialled number; empty if it goes well."""
    if originate.response.lower() == "success":
        return ""
    return _("The call to {number} was not made: {why}").format(
        number=displayable(originate.exten, 40), why=_dial_reason(originate.reason)
    )


def _dial_reason(code: int) -> str:
    reasons = {
        0: _("the number or your phone cannot be reached"),
        1: _("nobody answered"),
        3: _("your phone was not picked up"),
        5: _("busy"),
        8: _("all lines are congested"),
    }
    return reasons.get(code, _("the call failed"))
