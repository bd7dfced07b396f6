"""Why a call popped up at a phone or not: the codes that travel, and what they say in English.

Codes and their arguments travel; words are made at the end that shows them, by `schemas.explanation.words`.
A code stays what it is for ever: a newer server may have more of them, with other arguments none.
Standard library only: the seats' PCs import this.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from string import Formatter
from typing import Final

from schemas.protocol import TriggerFailure


class ExplanationCode(StrEnum):
    """A code, with its text and, of a cause, what to change. The arguments are those that these name."""

    text: str
    advice: str
    arguments: tuple[str, ...]
    """Names of the arguments, in their order on the wire."""

    def __new__(cls, code: str, text: str, advice: str = "") -> ExplanationCode:
        """The code as it travels; `{name}` in the texts stands for an argument."""
        made = str.__new__(cls, code)
        made._value_ = code
        made.text, made.advice = text, advice
        names = [name for _, name, _, _ in Formatter().parse(f"{text} {advice}") if name]
        made.arguments = tuple(dict.fromkeys(names))
        return made


class Verdict(ExplanationCode):
    """What an answer begins with: that it popped up, or the first cause why not. Also what else is odd."""

    # It did.
    POPPED_UP = "popped-up", "It popped up at {extension} for {operator}: service {service}, {moment}"
    SHOWN = (
        "shown",
        "It popped up at {extension} for {operator}: service {service}, {moment}; on the screen after "
        "{milliseconds} ms",
    )
    # It still may.
    NOT_YET = "not-yet", "It has not popped up yet: no phone has answered the call"
    # Nobody talked at this phone.
    ANSWERED_ELSEWHERE = "answered-elsewhere", "Another phone answered: {phone}"
    CALLER_LEFT = "caller-left", "The caller left before this phone was connected"
    NOBODY_ANSWERED = "nobody-answered", "The phone rang, and nobody answered"
    FORWARDED = "forwarded", "This phone forwarded the call to another one"
    REFUSED = "refused", "The call was refused at this phone, or the phone was busy or could not be reached"
    NOT_CONNECTED = "not-connected", "This phone called, and nobody answered there"
    NO_PHONE = (
        "no-phone",
        "It was connected with no phone: a conference, voicemail, an announcement, an echo test, a queue "
        "that it waited in, or somebody who listens in",
    )
    NO_SEAT_TOOK_PART = "no-seat-took-part", "No seat's phone took part in the call"
    # Who sat there.
    NOBODY_LOGGED_IN = (
        "nobody-logged-in",
        "Nobody was logged in at {extension}",
        "Start the client there and log in.",
    )
    LOGGED_IN_WITHOUT_SEAT = (
        "logged-in-without-seat",
        "Nobody was logged in at {extension}; logged in without a seat: {operators}",
        "Configure the MAC address of that PC as a seat, or bind the operator to a seat.",
    )
    OPERATOR_NOT_LOGGED_IN = (
        "operator-not-logged-in",
        "{operator} is not logged in",
        "Start the client and log in.",
    )
    OPERATOR_WITHOUT_SEAT = (
        "operator-without-seat",
        "{operator} is logged in without a seat, so at no phone",
        "Configure the MAC address of that PC as a seat, or bind the operator to a seat.",
    )
    CLIENT_LOST = (
        "client-lost",
        "The connection to the client of {operator} was lost before it could be told",
        "Look at the PC and at the network between.",
    )
    CLIENT_LOST_LATER = (
        "client-lost-later",
        "The connection to the client of {operator} was lost {seconds} s later: perhaps it was not shown",
        "Look at the PC and at the network between.",
    )
    TOLD_LATER = (
        "told-later",
        "The client of {operator} was away, and was told {seconds} s later, when it was back",
        "Look at the PC and at the network between.",
    )
    TAKEN_OVER = (
        "taken-over",
        "The session of {operator} was taken over: {other} logged in",
        "One operator, one seat: log out before somebody else logs in.",
    )
    LOGGED_IN_DURING_CALL = (
        "logged-in-during-call",
        "{operator} logged in while the call was going on: it is shown, and opens nothing",
    )
    PHONE_IS_NO_SEAT = (
        "phone-is-no-seat",
        "{phone} is the phone of no configured seat",
        "Configure a seat with this extension.",
    )
    PHONE_NEARLY_A_SEAT = (
        "phone-nearly-a-seat",
        "{phone} is the phone of no seat; configured is {extension}",
        "If {phone} is what Asterisk calls the phone, write the seat's extension so.",
    )
    # Which service it was.
    NO_SERVICE = (
        "no-service",
        "No service fits this call (contexts: {contexts}; queues: {queues})",
        "If it should pop up, configure a service for one of these.",
    )
    NEARLY_A_SERVICE = (
        "nearly-a-service",
        "No service fits this call: it went through {place}; configured is {configured}, which differs in "
        "{difference}",
        "Write it in the configuration as the dialplan does, or configure a service of its own.",
    )
    SERVICE_DISABLED = "service-disabled", "The service {service} is disabled", "Enable it."
    NOT_BOUND = ("not-bound", "{operator} is not bound to the service {service}", "Bind the operator to it.")
    OUTBOUND_AT_CALLED_END = (
        "outbound-at-called-end",
        "{service} is an outbound service: it pops up at the phone that calls, and this one was called",
        "Configure an inbound service for this context.",
    )
    INBOUND_AT_CALLING_END = (
        "inbound-at-calling-end",
        "{service} is an inbound service: it pops up at the phone that is called, and this one called",
        "Configure an outbound service for this context.",
    )
    NO_TRIGGER = "no-trigger", "The service {service} has no trigger", "Give it one."
    OTHER_MOMENT = (
        "other-moment",
        "{service} opens nothing when a call is answered: its triggers are for another moment ({moments})",
        'Write on="answer" at a trigger if it is to open then.',
    )
    OTHER_SYSTEM = (
        "other-system",
        "The triggers of {service} are for {systems}, and the client runs on another system",
        "Give it a trigger for any system.",
    )
    CONFIGURATION_CHANGED = (
        "configuration-changed",
        "The configuration changed during the call, {seconds} s after it began: it keeps what it began with",
        "Try another call.",
    )
    # It was told before, or too late.
    CONNECTED_BEFORE = (
        "connected-before",
        "The two had been connected before: a pop-up comes once for a pair",
    )
    RUNG_BEFORE = (
        "rung-before",
        "The same caller had rung here less than a minute before: its trigger comes once a minute",
        'Write again="yes" at the trigger if it is to come with each ring.',
    )
    FOUND_CONNECTED = (
        "found-connected",
        "The call was found going on when the link to Asterisk came back, and nothing showed that it was new",
    )
    PBX_DOWN = (
        "pbx-down",
        "The link to Asterisk was down for {seconds} s at that time: nothing of it was heard",
        "Look why the link was lost: the log says it.",
    )
    HELD_EVENTS_LOST = (
        "held-events-lost",
        "It was known too late which service the call is of: {count} events of the ringing phone were not "
        "kept",
    )
    STANDBY = "standby", "This server stands by: {holder} serves this Asterisk", "Ask that server."
    NO_CALL = (
        "no-call",
        "No call is known of {what}: ended calls are kept for an hour at most, and only those of seats' "
        "phones and of services",
    )
    # What the trigger lacks.
    VARIABLE_NEVER_SET = (
        "variable-never-set",
        "The variable {name} was never set in this call",
        "Set it in the dialplan, on the caller's channel, before Queue() or Dial().",
    )
    VARIABLE_OTHER_NAME = (
        "variable-other-name",
        "The variable {name} was never set, but {found} was",
        "Write the name in the configuration as the dialplan does: the case counts.",
    )
    VARIABLE_LATE = (
        "variable-late",
        "The variable {name} was set {seconds} s after the pop-up",
        "Set it before Queue() or Dial().",
    )
    VARIABLE_OF_ANOTHER_SERVICE = (
        "variable-of-another-service",
        "The variable {name} was set, but only {service} declares it",
        "Declare it in the service of this call.",
    )
    VALUE_CUT = "value-cut", "The value of {name} has {bytes} bytes, and was cut"
    NO_DIALPLAN_EVENTS = (
        "no-dialplan-events",
        "Asterisk tells nothing of the dialplan: neither its steps nor its variables",
        "Give the manager user the class dialplan in read, and look for an eventfilter in manager.conf.",
    )
    # What the client says, when it says what became of it.
    PROGRAM_NOT_ALLOWED = (
        "program-not-allowed",
        "The client of {operator} may not start the program",
        "Allow the program in the client's settings.",
    )
    PROGRAM_NOT_FOUND = (
        "program-not-found",
        "The program was not found on the PC of {operator}",
        "Install it there, or correct its path in the trigger.",
    )
    NO_BROWSER = "no-browser", "The client of {operator} found no browser", "Install one there."
    TRIGGER_INTERRUPTED = (
        "trigger-interrupted",
        "The client of {operator} ended while it carried the trigger out",
        "Open it by hand: the call's card offers it.",
    )
    TRIGGERS_OFF = (
        "triggers-off",
        "The client of {operator} is set to carry out no triggers",
        "Switch that on in the client's settings.",
    )
    TRIGGER_NOT_CONFIRMED = (
        "trigger-not-confirmed",
        "The client of {operator} asked whether to carry the trigger out, and nobody said yes",
        "Say yes next time, or switch the question off in the client's settings.",
    )
    TRIGGER_FAILED = (
        "trigger-failed",
        "The client of {operator} could not carry the trigger out",
        "Look into the client's log on that PC.",
    )
    # What an answer does not know.
    OTHER_NUMBERS = (
        "other-numbers",
        "This is the latest call of {number}; other numbers end like {what}, too: {numbers}",
        "Ask with the whole number for one of those.",
    )
    STEPS_LEFT_OUT = "steps-left-out", "{count} steps in the middle of the story were not kept"
    BYTES_NOT_KEPT = (
        "bytes-not-kept",
        "What Asterisk sent then is not kept, so contexts and variables of no service cannot be named",
    )


RESERVED: Final = frozenset({Verdict.STANDBY})
"""Codes that no server says so far: there is no second one that stands by. They have words already, so that
the clients of today can show them when a server does."""

VERDICT_OF_FAILURE: Final[Mapping[str, Verdict]] = {
    TriggerFailure.NOT_ALLOWED: Verdict.PROGRAM_NOT_ALLOWED,
    TriggerFailure.NOT_FOUND: Verdict.PROGRAM_NOT_FOUND,
    TriggerFailure.NO_BROWSER: Verdict.NO_BROWSER,
    TriggerFailure.TRIGGERS_OFF: Verdict.TRIGGERS_OFF,
    TriggerFailure.INTERRUPTED: Verdict.TRIGGER_INTERRUPTED,
    TriggerFailure.OTHER_SYSTEM: Verdict.OTHER_SYSTEM,
    TriggerFailure.NOT_CONFIRMED: Verdict.TRIGGER_NOT_CONFIRMED,
    TriggerFailure.FAILED: Verdict.TRIGGER_FAILED,
}
"""Why a trigger was not carried out, as the client says it and as an answer does: each `TriggerFailure`."""


class TrailStep(ExplanationCode):
    """One step of the story of a call, at the phone or channel that the line names."""

    BEGAN = "began", "calls: number {number}, name {name}, dialled {exten}"
    ENTERED = "entered", "entered the context {context} of a service; dialled {exten}"
    JOINED_QUEUE = "joined-queue", "joined the queue {queue}"
    LEFT_QUEUE = "left-queue", "left the queue {queue}"
    VARIABLE_SET = "variable-set", "the variable {name} became {value} ({bytes} bytes)"
    RINGS = "rings", "rings the phone {phone}"
    RUNG_BY = "rung-by", "is rung by {phone}, {number}"
    RING_TOLD = "ring-told", "rings, and who calls is known"
    NOBODY_THERE = "nobody-there", "nobody is logged in there"
    SEATED = "seated", "{operator} sits there now"
    MATCHED = "matched", "it is a call of the service {service}, for {operator}"
    UNMATCHED = ("unmatched", "no service of {operator} fits it (contexts: {contexts}; queues: {queues})")
    CONNECTED = "connected", "is connected with {phone}"
    PARTED = "parted", "is no longer connected with {phone}"
    FOUND_CONNECTED = "found-connected", "was found connected with {phone} when the channels were read"
    TOLD_AGAIN = "told-again", "its client is told of the conversation with {phone}, which is not a new one"
    OPENED = (
        "opened",
        "{moment}, triggers ({count}) of {service} were sent to the client of {operator}, for {systems}",
    )
    NOT_OPENED = "not-opened", "{moment}, no trigger of {service} went to {operator}: {reason}"
    LACKED = "lacked", "{name} has no value: its place in the trigger stays empty"
    NOT_DELIVERED = "not-delivered", "the client of {operator} could not be told ({event})"
    RESUMED = "resumed", "the client of {operator} is back, and is told what it had missed ({event})"
    HELD_EVENTS_LOST = "held-events-lost", "an event that waited for its service was thrown away"
    SHOWN = "shown", "on the screen after {milliseconds} ms ({moment})"
    ON_SCREEN = "on-screen", "on the screen ({moment})"
    TRIGGER_REFUSED = "trigger-refused", "the client did not carry the trigger out: {reason} ({moment})"
    RING_ENDED = "ring-ended", "the ringing ended: {status}"
    HUNG_UP = "hung-up", "hung up: {cause} {meaning}"
    # Of the whole server, at the time of the call.
    LOGGED_IN = "logged-in", "{operator} logged in at {extension}"
    LOGGED_OUT = "logged-out", "the session of {operator} at {extension} ended: {reason}"
    TAKEN_OVER = "taken-over", "the session of {operator} at {extension} was taken over by {other}"
    LINK_UP = "link-up", "the link to Asterisk came up"
    LINK_DOWN = "link-down", "the link to Asterisk was lost"
    CONFIGURED = "configured", "another configuration is in force"
