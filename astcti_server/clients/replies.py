"""Every line that the server says beside events: replies and announcements, ready to be sent. Any thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from schemas import wire
from schemas.configuration.model import OperatorsQueue, Service
from schemas.explanation import lines as explanation_lines
from schemas.explanation.lines import ExplanationLine
from schemas.protocol import (
    NO_SEAT,
    UNCHECKED,
    ByeReason,
    Capability,
    ColleagueState,
    ConsultState,
    PauseWord,
    PhoneAbility,
    QueueWord,
    Refusal,
    ReplyCode,
    ResumeMode,
    Word,
)

WELCOME = wire.reply(ReplyCode.OK, Word.WELCOME)
OK = wire.reply(ReplyCode.OK, Word.OK)
OK_UNCHECKED = wire.reply(ReplyCode.OK, Word.OK, UNCHECKED)
LOGGED_IN = wire.reply(ReplyCode.LOGGED_IN, Word.OK)
RESUMED = wire.reply(ReplyCode.RESUMED, Word.RESUME, Word.END)
LOGGED_OUT = wire.reply(ReplyCode.LOGGED_OUT, Word.OK)
KEEP_ALIVE_EXPIRED = wire.reply(ReplyCode.OK, Word.OK, Refusal.KEEP_ALIVE_EXPIRED.text())
SERVICES_CHANGED = wire.reply(ReplyCode.SERVICES_CHANGED, Word.SERVICES)
PAUSE_PENDING = wire.reply(ReplyCode.PAUSE_PENDING, Word.PAUSE_PENDING)
PAUSE_DONE = wire.reply(ReplyCode.PAUSE_DONE, Word.OK)
COLLEAGUES_END = wire.reply(ReplyCode.COLLEAGUE, Word.END)
PBX_DOWN = wire.reply(ReplyCode.PBX_DOWN, Word.PBX_DOWN)
PBX_UP = wire.reply(ReplyCode.PBX_UP, Word.PBX_UP)


def refused(reason: str) -> bytes:
    """The command is not carried out. `reason` is the text of a `Refusal`, or Asterisk's own."""
    return wire.reply(ReplyCode.REFUSED, Word.KO, reason)


def scram(server_first: str) -> bytes:
    """The server's first message of SCRAM, in base64."""
    return wire.reply(ReplyCode.SCRAM, Word.SCRAM, server_first)


def logged_in(server_final: str) -> bytes:
    """The operator is logged in by SCRAM; the server's final message, in base64."""
    return wire.reply(ReplyCode.LOGGED_IN, Word.OK, server_final)


def resuming(epoch: str, seq: int, mode: ResumeMode) -> bytes:
    """Events follow, the next one with the number after `seq`."""
    return wire.reply(ReplyCode.RESUMING, Word.RESUME, epoch, str(seq), mode)


def seat_known(extension: str) -> bytes:
    """The MAC address is that of the seat with this phone."""
    return wire.reply(ReplyCode.OK, Word.OK, extension)


def capabilities(keep_alive: float) -> bytes:
    """What this server can do. `keep_alive` is in seconds."""
    able = [name for name in Capability if name is not Capability.KEEPALIVE]
    return wire.reply(
        ReplyCode.CAPABILITIES, Word.CAPABILITIES, *able, f"{Capability.KEEPALIVE}={keep_alive:g}"
    )


def operator(username: str, extension: str, full_name: str) -> bytes:
    """Who is logged in where; `extension` is empty as long as there is no seat."""
    return wire.reply(ReplyCode.OPERATOR, username, extension or NO_SEAT, full_name)


def colleague(username: str, extension: str, state: ColleagueState, full_name: str) -> bytes:
    """What another operator does; `extension` is empty where no seat is known."""
    return wire.reply(ReplyCode.COLLEAGUE, username, extension or NO_SEAT, state, full_name)


def colleague_gone(username: str) -> bytes:
    """Somebody serves none of the operator's services any more."""
    return wire.reply(ReplyCode.COLLEAGUE_GONE, username)


def services(services: Iterable[Service]) -> bytes:
    """A line for each service, and the end of the list."""
    lines = [
        wire.reply(ReplyCode.SERVICE, service.type, service.context, service.name) for service in services
    ]
    return b"".join([*lines, wire.reply(ReplyCode.SERVICE, Word.END)])


def transfer_targets(contexts: Mapping[str, Sequence[str]]) -> bytes:
    """A line for each context that calls may be transferred to, and the end of the list.

    After the context come the services' names; where there are none the context again, so that no line but
    the last can be taken for the end.
    """
    lines = [
        wire.reply(ReplyCode.TRANSFER_TARGET, context, ", ".join(names) or context)
        for context, names in contexts.items()
    ]
    return b"".join([*lines, wire.reply(ReplyCode.TRANSFER_TARGET, Word.END)])


def operators_queues(queues: Iterable[OperatorsQueue]) -> bytes:
    """A line for each queue of an operator, with the names of his services there, and the end of the list."""
    lines = [
        wire.reply(
            ReplyCode.OPERATORS_QUEUE,
            QueueWord.MAY_LEAVE if queue.may_leave else QueueWord.STAYS,
            queue.name,
            ", ".join(queue.services),
        )
        for queue in queues
    ]
    return b"".join([*lines, wire.reply(ReplyCode.OPERATORS_QUEUE, Word.END)])


def phone_abilities(able: Iterable[PhoneAbility]) -> bytes:
    """What can be done with the seat's phone now."""
    return wire.reply(ReplyCode.PHONE, Word.PHONE, *able)


def consultation(uniqueid: str, state: ConsultState, exten: str, context: str) -> bytes:
    """How it stands with the colleague who is asked about the leg with this id."""
    return wire.reply(ReplyCode.CONSULTATION, Word.CONSULT, uniqueid, state, exten, context)


def pause_reasons(names: Iterable[str]) -> bytes:
    """A line for each reason, and the end of the list."""
    lines = [wire.reply(ReplyCode.PAUSE_REASON, name) for name in names]
    return b"".join([*lines, wire.reply(ReplyCode.PAUSE_REASON, Word.END)])


def explanation(lines: Iterable[ExplanationLine]) -> bytes:
    """A line for each, and the end of the list."""
    told = [wire.reply(ReplyCode.EXPLANATION, explanation_lines.encode(line)) for line in lines]
    return b"".join([*told, wire.reply(ReplyCode.EXPLANATION, Word.END)])


def pause_refused(reason: str) -> bytes:
    """The pause stays as it was. `reason` as in `refused`."""
    return wire.reply(ReplyCode.PAUSE_REFUSED, Word.KO, reason)


def pause_state(paused: bool, reason: str = "") -> bytes:
    """The operator is in pause, or not, without this client having asked."""
    return wire.reply(ReplyCode.PAUSE_STATE, PauseWord.IN if paused else PauseWord.OUT, reason)


def pause_lasts(seconds: float) -> bytes:
    """The pause that `pause_state` tells next began so long ago."""
    return wire.reply(ReplyCode.PAUSE_LASTS, Word.LASTS, f"{seconds:.0f}")


def queue_joined(queue: str) -> bytes:
    """The phone is a member of the queue."""
    return wire.reply(ReplyCode.QUEUE_JOINED, queue)


def queue_left(queue: str) -> bytes:
    """The phone is no longer a member of the queue."""
    return wire.reply(ReplyCode.QUEUE_LEFT, queue)


def queue_refused(queue: str, reason: str) -> bytes:
    """The phone could not become a member of the queue. `reason` as in `refused`."""
    return wire.reply(ReplyCode.QUEUE_REFUSED, Word.KO, queue, reason)


def bye(why: ByeReason, text: str) -> bytes:
    """The server ends the session."""
    return wire.reply(ReplyCode.SESSION_ENDED, Word.BYE, why, text)
