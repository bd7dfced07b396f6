"""What is done to an operator who is logged in: KICK, PAUSE, UNPAUSE."""

from __future__ import annotations

import threading
from typing import Final

from astcti_server.clients import replies
from astcti_server.clients.commands.parameters import pause_reason
from astcti_server.clients.ports import PauseStep
from astcti_server.clients.session import Session
from astcti_server.control.ports import ControlDocument, NotObeyed
from astcti_server.server_control.arguments import check_count
from astcti_server.server_control.parts import ServerParts
from schemas.protocol import ByeReason, ControlRefusal, Refusal
from schemas.wire import CommandLine

PAUSED_WITHIN: Final = 8.0  # seconds; Asterisk has five, and its thread may be busy for a moment


def kick(parts: ServerParts, line: CommandLine) -> ControlDocument:
    """`KICK user`: end the operator's session for good, as if he had said QUIT. His client stays away."""
    check_count(line, 1, least=1)
    session = _session_of(parts, line.args[0])
    text = Refusal.LOGGED_OUT_BY_ADMINISTRATOR.text()
    session.close(text, replies.bye(ByeReason.DISABLED, text), for_good=True)
    return _who(session)


def pause(parts: ServerParts, line: CommandLine) -> ControlDocument:
    """`PAUSE user [reason]`: as if he had asked for it; his client hears 310."""
    check_count(line, len(line.args), least=1)
    return _pause(parts, line.args[0], True, pause_reason(line.after(1)))


def unpause(parts: ServerParts, line: CommandLine) -> ControlDocument:
    """`UNPAUSE user`: as if he had come back; his client hears 310."""
    check_count(line, 1, least=1)
    return _pause(parts, line.args[0], False, "")


def _pause(parts: ServerParts, username: str, wish: bool, reason: str) -> ControlDocument:
    session = _session_of(parts, username)
    presence = session.presence
    if presence is None:
        raise NotObeyed(ControlRefusal.NO_SEAT.text(username=username))
    outcome = _PauseOutcome()
    parts.client_requests.pause_for_others(presence, wish, reason, outcome)
    step, text = outcome.wait(PAUSED_WITHIN)
    if step == "failed":
        raise NotObeyed(text)
    return {**_who(session), "paused": wish, "pause_reason": reason, "deferred": step == "deferred"}


class _PauseOutcome:
    """What becomes of a pause, as far as somebody waits for it."""

    def __init__(self) -> None:
        self._known = threading.Event()
        self._said: tuple[PauseStep, str] = "pending", ""

    def __call__(self, step: PauseStep, text: str) -> None:
        """On the AMI thread; see `PauseStep`."""
        if step != "pending" and not self._known.is_set():
            self._said = step, text
            self._known.set()

    def wait(self, seconds: float) -> tuple[PauseStep, str]:
        """`done`, `failed`, or `deferred` while Asterisk is not connected. NotObeyed after the time."""
        if not self._known.wait(seconds):
            raise NotObeyed(ControlRefusal.AMI_LATE.text(seconds=f"{seconds:g}"))
        return self._said


def _session_of(parts: ServerParts, username: str) -> Session:
    session = parts.registry.of_operator(username)
    if session is not None:
        return session
    known = username in parts.store.current.configuration.operator_by_username
    refusal = ControlRefusal.NOT_LOGGED_IN if known else ControlRefusal.NO_SUCH_OPERATOR
    raise NotObeyed(refusal.text(username=username))


def _who(session: Session) -> dict[str, object]:
    operator = session.operator
    return {
        "username": session.username,
        "full_name": operator.full_name if operator is not None else "",
        "extension": session.extension,
        "address": session.address,
    }
