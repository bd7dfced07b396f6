"""The words of the client protocol, for both ends: reply numbers, commands, fixed words, reasons of refusals.

`docs/protocol.md` explains each of them, and nothing else in the programs spells one. How lines are cut and
put together is in `schemas.wire`. Standard library only: the seats' PCs import this.
Source: section 2.2.3.2 of the specification, and what docs/protocol.md added to it.
"""

from __future__ import annotations

import re
from enum import Enum, IntEnum, StrEnum
from typing import Final, get_args

from schemas.configuration.model import ServiceType
from schemas.sentences import template_pattern


class ReplyCode(IntEnum):
    """The number that begins each line of the server but an event."""

    OK = 100
    """The command was carried out; also the welcome, and the end of a client that was silent too long."""
    REFUSED = 101
    """The command was not carried out: `KO` and the reason."""
    LOGGED_IN = 102
    """The password was right."""
    RESUMING = 104
    """To a client that said RESUME, after its login: `RESUME epoch seq from|state`. Events follow."""
    RESUMED = 105
    """`RESUME END`: the client knows all that goes on now. Calls that it was not told of are over."""
    SCRAM = 106
    """The server's first message of a login by SCRAM."""
    CAPABILITIES = 110
    """What this server can do: the answer to CAPA."""
    QUEUE_JOINED = 200
    """The seat's phone is a member of a queue."""
    QUEUE_LEFT = 210
    """It no longer is."""
    QUEUE_REFUSED = 211
    """It could not become one: `KO`, the queue and the reason."""
    SERVICE = 220
    """One service of the operator, or `END`: the answer to SERVICES."""
    SERVICES_CHANGED = 221
    """The operator's services are others now, or where calls may be transferred to; announced."""
    TRANSFER_TARGET = 222
    """One context that calls may be transferred to, or `END`: the answer to TARGETS."""
    OPERATORS_QUEUE = 223
    """One queue of the operator's services, or `END`: the answer to QUEUES."""
    PHONE = 224
    """What the seat's phone can do now: the answer to PHONE, then announced at each change."""
    CONSULTATION = 225
    """A colleague is asked before a call is handed over: `CONSULT`, id, `ConsultState`, number, context."""
    PAUSE_REASON = 230
    """One reason to offer for a pause, or `END`: the answer to REASONS."""
    OPERATOR = 240
    """Who is logged in, and where: the answer to WHO."""
    COLLEAGUE = 242
    """One colleague, or `END`: the answer to COLLEAGUES; announced when he does something else."""
    COLLEAGUE_GONE = 243
    """Somebody is no colleague any more; announced."""
    EXPLANATION = 250
    """One line of why a call popped up or did not, or `END`: the answer to WHY."""
    DOCUMENT_PART = 260
    """One part of an answer that has several, or `END`: on the control socket only."""
    PAUSE_DONE = 300
    """The pause that was asked for is in force, or its end is."""
    PAUSE_PENDING = 301
    """The pause is asked of Asterisk; `PAUSE_DONE` or `PAUSE_REFUSED` follows."""
    PAUSE_REFUSED = 302
    """The pause is as it was before: `KO` and the reason."""
    PAUSE_STATE = 310
    """In pause or not, without this client having asked; announced."""
    PAUSE_LASTS = 311
    """For how many seconds the pause lasts that `PAUSE_STATE` tells next; announced."""
    LOGGED_OUT = 900
    """The answer to QUIT; the connection is closed."""
    PBX_DOWN = 901
    """The connection to Asterisk is lost; announced."""
    PBX_UP = 902
    """The connection to Asterisk is back; announced."""
    SESSION_ENDED = 910
    """The server ends this session: `BYE`, a `ByeReason` and a text."""


class CommandName(StrEnum):
    """The word that begins each line of a client. Written in any case."""

    USER = "USER"
    PASS = "PASS"
    SCRAM = "SCRAM"
    MAC = "MAC"
    NOOP = "NOOP"
    QUIT = "QUIT"
    ORIG = "ORIG"
    PAUSE = "PAUSE"
    CAPA = "CAPA"
    WHO = "WHO"
    SERVICES = "SERVICES"
    REASONS = "REASONS"
    HANGUP = "HANGUP"
    TRANSFER = "TRANSFER"
    TARGETS = "TARGETS"
    QUEUES = "QUEUES"
    QUEUE = "QUEUE"
    COLLEAGUES = "COLLEAGUES"
    PHONE = "PHONE"
    CONSULT = "CONSULT"
    COMPLETE = "COMPLETE"
    CANCEL = "CANCEL"
    ANSWER = "ANSWER"
    WHY = "WHY"
    RESUME = "RESUME"
    SHOWN = "SHOWN"


class ControlCommand(StrEnum):
    """What may be said on the control socket, beside CAPA, NOOP and QUIT. Written in any case."""

    STATUS = "STATUS"
    EXPLAIN = "EXPLAIN"
    SESSIONS = "SESSIONS"
    CALLS = "CALLS"
    QUEUES = "QUEUES"
    SEEN = "SEEN"
    REPORT = "REPORT"
    KICK = "KICK"
    PAUSE = "PAUSE"
    UNPAUSE = "UNPAUSE"
    LOG_LEVEL = "LOG-LEVEL"
    ACCEPT = "ACCEPT"
    STOP = "STOP"


class Word(StrEnum):
    """What stands after a reply's number, always the same."""

    WELCOME = "WELCOME"
    OK = "OK"
    KO = "KO"
    CAPABILITIES = "CAPA"
    SCRAM = "SCRAM"
    RESUME = "RESUME"
    END = "END"
    """Closes the lists: of services, contexts, pause reasons, explanations, and parts of the status."""
    SERVICES = "SERVICES"
    PHONE = "PHONE"
    CONSULT = "CONSULT"
    PAUSE_PENDING = "PAUSE PENDING"
    LASTS = "LASTS"
    PBX_DOWN = "PBX DOWN"
    PBX_UP = "PBX UP"
    BYE = "BYE"


DIALLED_CALL: Final = "ORIG"
"""In place of an id, in HANGUP: the call that ORIG asked for, though nothing was told of it yet."""


class PauseWord(StrEnum):
    """Into a pause or out of it: in the command, and in the announced state."""

    IN = "IN"
    OUT = "OUT"


class QueueWord(StrEnum):
    """Into a queue or out of it, and whether the operator may say so."""

    IN = "IN"
    OUT = "OUT"
    MAY_LEAVE = "may-leave"
    STAYS = "stays"


class ColleagueState(StrEnum):
    """What an operator does, as far as who wants to call him has to know."""

    READY = "ready"
    RINGING = "ringing"
    TALKING = "talking"
    PAUSED = "paused"
    OFFLINE = "offline"
    """Not logged in."""
    UNREACHABLE = "unreachable"
    """Logged in, but no call reaches him: no seat, in none of his queues, or the PBX is down."""


class Capability(StrEnum):
    """What a server can do beside the specification. `KEEPALIVE=60` has a value, the others have none."""

    MAC = "MAC"
    SERVICES = "SERVICES"
    REASONS = "REASONS"
    HANGUP = "HANGUP"
    TRANSFER = "TRANSFER"
    WHO = "WHO"
    TARGETS = "TARGETS"
    QUEUES = "QUEUES"
    """QUEUES and QUEUE."""
    COLLEAGUES = "COLLEAGUES"
    CONSULT = "CONSULT"
    """PHONE, CONSULT, COMPLETE and CANCEL."""
    WHY = "WHY"
    DIALLING = "DIALLING"
    """`HANGUP ORIG`, and events that say whose fault it was that a call of ORIG came to nothing."""
    RESUME = "RESUME"
    """RESUME and SHOWN."""
    SCRAM = "SCRAM"
    KEEPALIVE = "KEEPALIVE"


class PhoneAbility(StrEnum):
    """What can be done with a seat's phone, as Asterisk and the configuration are now."""

    CONSULT = "CONSULT"
    ANSWER = "ANSWER"
    """The phone can be told to answer."""


class ConsultState(StrEnum):
    """How it stands with a colleague who is asked before a call is handed over."""

    OWN_PHONE = "own-phone"
    """The operator's own phone rings for a second call."""
    CALLING = "calling"
    """The colleague's phone rings; the first caller waits."""
    TALKING = "talking"
    """The colleague has answered."""
    HANDED_OVER = "handed-over"
    """It is over: the first caller has the colleague, or waits for him to answer."""
    TAKEN_BACK = "taken-back"
    """It is over: the operator gave the colleague up."""
    BUSY = "busy"
    """It is over: the colleague's phone was busy."""
    NOT_ANSWERED = "not-answered"
    """It is over: the colleague did not answer."""
    COLLEAGUE_LEFT = "colleague-left"
    """It is over: the colleague hung up."""
    CALLER_LEFT = "caller-left"
    """It is over: the first caller hung up."""
    OWN_PHONE_REFUSED = "own-phone-refused"
    """It is over: the operator's own phone did not take the second call."""
    FAILED = "failed"
    """It is over: nothing came of it."""
    ENDED = "ended"
    """It is over: the first call is."""


class ResumeMode(StrEnum):
    """What follows a 104."""

    FROM = "from"
    """What was missed since the number that the client said, in its order."""
    STATE = "state"
    """The calls that go on now: what was missed is not known any more, or never was."""


class TriggerFailure(StrEnum):
    """Why a client did not carry a trigger out, as SHOWN says it: one word."""

    NOT_ALLOWED = "not-allowed"
    """Its settings do not allow the program."""
    NOT_FOUND = "not-found"
    """There is no such program."""
    NO_BROWSER = "no-browser"
    """It found nothing to open a page with."""
    TRIGGERS_OFF = "triggers-off"
    """It is set to carry out none."""
    INTERRUPTED = "interrupted"
    """It ended while it began to, and does not try again by itself."""
    OTHER_SYSTEM = "other-system"
    """None of the event's triggers is for its system."""
    NOT_CONFIRMED = "not-confirmed"
    """It is set to ask first, and nobody said yes."""
    FAILED = "failed"
    """Something else."""


class ByeReason(StrEnum):
    """Why the server ends a session."""

    TAKEOVER = "TAKEOVER"
    """The operator or the seat logged in elsewhere. A client that came back would throw the other one out."""
    DISABLED = "DISABLED"
    """The operator was removed or disabled: coming back is of no use."""
    CONFIG = "CONFIG"
    """Password, seat or extension changed: log in again."""
    SHUTDOWN = "SHUTDOWN"
    """The server stops: come back later."""


EPOCH: Final = re.compile(r"[0-9a-f]{16}")
"""An epoch, and a trigger's key: 16 hexadecimal digits."""
MOST_SEQ: Final = 2**31 - 1
"""No number of an event is larger."""
KEPT_FOR: Final = 180.0
"""Seconds for which a server keeps what it tells a client whose connection was lost."""
RESUME_NEW: Final = "NEW"
"""After RESUME: the client knows of nothing that was told before."""
KEEP_MEMBERS: Final = "KEEP-MEMBERS"
MASK: Final = "MASK"
"""What may follow REPORT."""
"""After STOP: the members stay in their queues, whatever the configuration says."""
NO_SEAT: Final = "-"
"""Stands for the extension in the answers to WHO and COLLEAGUES as long as no seat is known."""
NO_MORE: Final = "OFF"
"""After COLLEAGUES: changes are not to be told any more."""
UNCHECKED: Final = "unchecked"
"""Follows `100 OK` where it could not be known before whether there is anything at a transfer's target."""
CONSULT_GOES_ON: Final = frozenset((ConsultState.OWN_PHONE, ConsultState.CALLING, ConsultState.TALKING))
"""All other states end it."""
SERVICE_TYPES: Final[tuple[ServiceType, ...]] = get_args(ServiceType)
"""The words that say in a line of SERVICES in which direction the calls of a service go."""


class RefusalText(Enum):
    """A reason for not doing something: a text, or a template of it with `{name}` for each value."""

    def text(self, **values: object) -> str:
        """The text for the wire. Raises KeyError if a value is missing."""
        template: str = self.value
        return template.format(**values)


class ControlRefusal(RefusalText):
    """A reason given on the control socket alone: 101. A seat's client never hears one."""

    NOT_ALLOWED_HERE = "you may not use this socket"
    NOT_ALLOWED = "you may not use {command}: only root and the user that the server runs as may"
    TOO_MANY_CONNECTIONS = "too many connections to the control socket"
    SILENT_TOO_LONG = "nothing was said for {seconds} seconds"
    BAD_STOP_WORD = "STOP takes KEEP-MEMBERS or nothing"
    BAD_SHA256 = "ACCEPT takes the SHA-256 of a file in 64 hexadecimal digits, or nothing"
    NOTHING_HELD = "no configuration is held"
    NOT_HELD = "no configuration with this SHA-256 is held: status names those that are"
    MORE_HELD = "more than one configuration is held: say the SHA-256 of the one that is meant"
    HELD_CHANGED = "the file is not what it was when it was held: look again"
    NOT_ACCEPTED_YET = "no answer within {seconds} seconds: look at the log"
    FAILED = "it could not be done: the log says why"
    NO_SUCH_OPERATOR = "there is no operator {username}"
    NOT_LOGGED_IN = "{username} is not logged in"
    NO_SEAT = "{username} is at no seat, so there is nothing to pause"
    NO_SUCH_QUEUE = "no service has a queue {queue}, and no operator is in it"
    NOTHING_IS_KEPT = "nothing of what Asterisk says is kept: <kept-ami> in server.xml says so"
    NOT_KEPT = "nothing of {what} is kept: it did not happen, or is too old, see <kept-ami> in server.xml"
    REPORT_UNDER_WAY = "a report is being made: ask again in a moment"
    BAD_TIME = "this is no time: write 10:05-10:15, or 2026-03-01T10:05/2026-03-01T10:15"
    BAD_LEVEL = "LOG-LEVEL takes debug, info, warning, error, or nothing"
    AMI_SILENT = "the thread that knows this does not answer"
    AMI_LATE = "the thread that knows this did not answer within {seconds} seconds"
    NOT_EXPLAINED = "the server is busy and did not look in time: try again"


class Refusal(RefusalText):
    """A reason, in English, that the server gives for not doing something or for ending a session.

    The value is the text, or a template of it: `{seconds}` stands for a value, which contains no blanks.
    Beside these a client may hear a reason in Asterisk's own words.
    """

    # A line that cannot be understood: 101.
    NOT_UTF8 = "not UTF-8"
    EMPTY_LINE = "empty line"
    NOT_A_COMMAND = "not a command"
    LINE_TOO_LONG = "line longer than {limit} bytes"
    UNKNOWN_COMMAND = "unknown command"
    WRONG_PARAMETER_COUNT = "wrong number of parameters for {command}"
    EMPTY_PARAMETER = "empty parameter"
    BAD_EXTENSION = "bad extension: 1 to 40 of 0-9 A-Z a-z * # +"
    NOT_A_NUMBER = "h, i, t, e and T are places of the dialplan, not numbers"
    BAD_PRIORITY = "bad priority: a number from 1 to {highest}"
    BAD_UNIQUEID = "bad uniqueid"
    BAD_MAC = "bad MAC address"
    BAD_PASSWORD_HASH = "PASS takes the MD5 of the password in 32 hexadecimal digits"
    BAD_SCRAM = "SCRAM takes a message of RFC 5802 in base64"
    NO_CHANNEL_BINDING = "SCRAM without channel binding only"
    BAD_RESUME = "RESUME takes NEW, or an epoch and the number of an event"
    BAD_PAUSE_WORD = "PAUSE takes IN or OUT"
    BAD_COLLEAGUES_WORD = "COLLEAGUES takes OFF or nothing"
    BAD_QUEUE_WORD = "QUEUE takes the name of a queue, then IN or OUT"
    # A command out of place: 101.
    USER_FIRST = "USER first"
    ALREADY_LOGGED_IN = "already logged in"
    LOG_IN_FIRST = "log in first"
    MAC_FIRST = "no seat: MAC first"
    # Connecting and logging in: 101. The first two stand in place of the welcome.
    TOO_MANY_CLIENTS = "too many clients"
    TOO_MANY_FROM_ADDRESS = "too many clients from your address"
    LOGIN_TIME_EXPIRED = "login time expired"
    WRONG_PASSWORD = "unknown user or wrong password"
    TOO_MANY_LOGINS = "too many failed logins: try again in {seconds} s"
    NO_SCRAM = "no SCRAM for this operator: USER and PASS"
    UNKNOWN_SEAT = "unknown seat"
    NOT_YOUR_SEAT = "this is not your seat"
    WRONG_ADDRESS = "this seat has another address"
    ALREADY_SEATED = "already at {extension}"
    # Calls: 101.
    NOT_YOUR_SERVICE = "not a context of your outbound services"
    PRIORITY_NOT_ALLOWED = "only priority 1 may be called"
    NOT_FOR_TRANSFERS = "not a context that calls may be transferred to"
    NOT_TRANSFERRED_OUT = "calls may not be transferred into this outbound service"
    NO_SUCH_EXTENSION = "there is no extension {exten} in {context}"
    NOT_YOUR_CALL = "not a call of yours"
    DIALLING_ALREADY = "a call from your phone is being made already"
    CALL_NOT_KNOWN = "no call of yours that is known, or not known any more"
    SERVER_BUSY = "the server is busy: try again"
    NOBODY_CONNECTED = "nobody is connected to this call"
    CONSULT_NOT_POSSIBLE = "colleagues cannot be asked through this PBX"
    CONSULTING = "a colleague is asked: hand the call over or take it back first"
    CONSULT_BEGINS = "the colleague is only about to be called: try again in a moment"
    NOT_CONSULTING = "no colleague is asked about this call"
    COLLEAGUE_NOT_THERE = "the colleague has not answered"
    NOT_RINGING = "this call does not ring at your phone"
    CANNOT_ANSWER = "your phone cannot be told to answer"
    TOO_MANY_COMMANDS = "too many commands: try again in {seconds} s"
    PBX_DOWN = "PBX down"
    PBX_REFUSED = "the PBX refused"
    PBX_SLOW = "no answer from the PBX within {seconds} seconds"
    PBX_SILENT = "no answer from the PBX"
    # Pauses: 302, and queues: 211.
    ASTERISK_SILENT = "Asterisk did not answer"
    ASTERISK_REFUSED = "refused"
    NOT_YOUR_QUEUE = "not a queue of your services"
    MAY_NOT_LEAVE = "this queue may not be left"
    FIXED_MEMBER = "the phone is a member by Asterisk's own configuration"
    NOT_AT_A_SEAT = "not at a seat"
    ANOTHER_REQUEST = "another request came after it"
    ANOTHER_SESSION = "another session took over"
    SESSION_OVER = "the session ended"
    NOT_A_MEMBER = "not a member after all"
    STILL_A_MEMBER = "still a member"
    PAUSE_WITHOUT_EFFECT = "the pause had no effect"
    # The end of a session: 910 BYE, but for the last one, which is 100.
    TAKEN_OVER = "{username} logged in at {address}"
    OPERATOR_REMOVED = "this operator was removed"
    OPERATOR_DISABLED = "this operator was disabled"
    PASSWORD_CHANGED = "the password changed"
    OPERATOR_HAS_ANOTHER_SEAT = "the operator has another seat"
    SEAT_REMOVED = "the seat was removed"
    EXTENSION_CHANGED = "the seat has another extension"
    QUEUE_INTERFACE_CHANGED = "the seat has another queue interface"
    ADDRESS_CHANGED = "the seat has another address"
    SERVER_STOPS = "the server stops"
    LOGGED_OUT_BY_ADMINISTRATOR = "an administrator logged you out"
    KEEP_ALIVE_EXPIRED = "keep-alive expired"

    @classmethod
    def of(cls, text: str) -> tuple[Refusal, dict[str, str]] | None:
        """Which refusal a text is, with its values; None for a text of Asterisk, or of a newer server."""
        if (refusal := _BY_TEXT.get(text)) is not None:
            return refusal, {}
        for refusal, pattern in _PATTERNS.items():
            if found := pattern.fullmatch(text):
                return refusal, found.groupdict()
        return None


_BY_TEXT: Final = {refusal.value: refusal for refusal in Refusal if "{" not in refusal.value}
_PATTERNS: Final = {refusal: template_pattern(refusal.value) for refusal in Refusal if "{" in refusal.value}
