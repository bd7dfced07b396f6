"""Events and replies in plain words. Pure functions; what strangers sent is made harmless for a terminal."""

from __future__ import annotations

from schemas.events import Call, CallEvent
from schemas.log_lines import harmless
from schemas.protocol import PauseWord, ReplyCode, ResumeMode
from schemas.wire import Reply

_ENDS = {
    "answered": "the call was answered",
    "answered-elsewhere": "somebody else answered",
    "cancelled": "the caller gave up",
    "missed": "nobody answered",
    "refused": "the call was refused",
}


def other_party(call: Call) -> str:
    """The other party, as number and name."""
    name = f'"{call.calleridname}"' if call.calleridname else ""
    return " ".join(filter(None, (call.calleridnum, name))) or "an unknown number"


def event_in_words(event: CallEvent) -> str:
    """One line about an event: what happened, then everything that is known of the call."""
    parts = [_what_happened(event), *_facts(event)]
    return harmless(f"{event.id}: {'; '.join(parts)}")


def _what_happened(event: CallEvent) -> str:
    call = event.call
    outbound = call.direction == "outbound"
    match event.id:
        case "Newchannel":
            return f"{call.channel} begins a call"
        case "Dial":
            return (
                f"{call.channel} calls {other_party(call)}"
                if outbound
                else f"{other_party(call)} calls {call.channel}"
            )
        case "Newstate":
            return f"{call.channel} is {call.state or 'in a new state'}"
        case "Callerid":
            return f"the caller at {call.channel} is {other_party(call)}"
        case "Newexten":
            return f"the call at {call.channel} has new data"
        case "Link":
            already = " already (told again after the log-in)" if event.repeat else ""
            return f"{call.channel} is connected with {other_party(call)}{already}"
        case "Unlink":
            return f"{call.channel} is no longer connected with {other_party(call)}"
        case "Hangup":
            why = _ENDS[event.cause.end] if event.cause else "the call is over"
            cause = f" ({event.cause.code} {event.cause.text})" if event.cause else ""
            return f"{call.channel} hung up, {why}{cause}"
        case "OriginateResponse":
            made = event.originate
            return (
                f"the call to {made.exten}: {made.response} ({made.reason})" if made else "the call asked for"
            )


def _facts(event: CallEvent) -> list[str]:
    call = event.call
    named = {
        "service": event.service,
        "queue": call.queue,
        "context": call.context,
        "state": call.state if event.id != "Newstate" else "",
        "uniqueid": call.uniqueid,
        "linkedid": call.linkedid,
    }
    facts = [f"{name} {value}" for name, value in named.items() if value]
    return facts + [f"{key}={value}" for key, value in call.appdata]


def announcement_in_words(reply: Reply) -> str:
    """What an announcement of the server means, or nothing if it needs no words."""
    about = reply.information
    match reply.number:
        case ReplyCode.QUEUE_JOINED:
            return f"member of queue {about}"
        case ReplyCode.QUEUE_LEFT:
            return f"no longer a member of queue {about}"
        case ReplyCode.QUEUE_REFUSED:
            return f"could not join queue {reply.text}"
        case ReplyCode.SERVICES_CHANGED:
            return "the services of this operator changed"
        case ReplyCode.PAUSE_STATE if reply.token == PauseWord.IN:
            return f"in pause: {reply.text}" if reply.text else "in pause"
        case ReplyCode.PAUSE_STATE:
            return "no longer in pause"
        case ReplyCode.RESUMING if reply.text.endswith(f" {ResumeMode.FROM}"):
            return "the server tells what was missed"
        case ReplyCode.PBX_DOWN:
            return "the server lost the telephone exchange; it keeps trying"
        case ReplyCode.PBX_UP:
            return "the telephone exchange is back"
        case ReplyCode.SESSION_ENDED:
            return f"the server ends this session: {reply.text}"
    return ""
