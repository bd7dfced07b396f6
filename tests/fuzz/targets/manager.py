"""What Asterisk says: the manager interface, from its bytes to what the seats are told.

Callers and phones write names, numbers and variables in it, and a server of another kind may listen there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.vocabulary import Newexten, VariableSet
from astcti_server.ami.wire.event_filter import EVENTS, EventFilter
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiBanner, AmiMessage, AmiParser
from astcti_server.calls.notification import Notification
from astcti_server.replay import Replay
from schemas import event_xml
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from tests.fuzz.target import Attempt, Broken, FuzzTarget

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "ami"
SEED_SIZE = 3000  # bytes of a recording that one seed has: a call is in it, and a million inputs end some day
VERSIONS = (b"1.0", b"1.1", b"2.8.0", b"5.0.4", b"11.0.0")
FILTER = EventFilter(
    variables=frozenset({"calldata", "customer"}),
    contexts=frozenset({"astctidemo", "outbound"}),
    queues=frozenset({"astcti"}),
)
_PHONES = ("PJSIP/201", "PJSIP/202", "PJSIP/203", "SIP/201", "SIP/202", "SIP/203")
_SEATS = tuple(Seat(f"00:00:00:00:00:{number:02x}", phone) for number, phone in enumerate(_PHONES))
_OPERATORS = tuple(
    Operator(f"at-{seat.extension}", "Operator", "md5:" + "0" * 32, seat=seat.mac) for seat in _SEATS
)
_BINDINGS = tuple(Binding(operator.username) for operator in _OPERATORS)
_TRIGGERS = (
    Trigger("browser", url="https://crm.example/?id={CALLDATA}&from={CALLERID}&n={CALLERIDNAME}"),
    Trigger(
        "application",
        on="ring",
        application="/usr/bin/crm",
        parameters='--ticket {CALLDATA} "{CALLERIDNAME} x"',
    ),
    Trigger(
        "application", on="hangup", application="/usr/bin/crm", parameters="{CHANNEL} {UNIQUEID} {QUEUE}"
    ),
)
CONFIGURATION = Configuration(
    services=(
        Service(
            "Demo",
            "astctidemo",
            "inbound",
            True,
            "astcti",
            True,
            ("calldata", "customer"),
            _TRIGGERS,
            _BINDINGS,
        ),
        Service("Out", "outbound", "outbound", False, "", True, ("calldata",), _TRIGGERS[:1], _BINDINGS),
    ),
    seats=_SEATS,
    operators=_OPERATORS,
)
TOKENS = (
    *(name.encode() for name in sorted(EVENTS)),
    *(b"Event: VarSet\r\n", b"Event: Newexten\r\n", b"Event: AgentConnect\r\n", b"Event: UserEvent\r\n"),
    *(
        f"{key}: ".encode()
        for key in ("Uniqueid", "Linkedid", "Channel", "Variable", "Value", "AppData", "Context")
    ),
    *(
        f"{key}: ".encode()
        for key in ("DestUniqueid", "DestChannel", "BridgeUniqueid", "Bridgestate", "ActionID")
    ),
    *(
        f"{key}: ".encode()
        for key in ("ChanVariable(SIP/1)", "CallerIDName", "ConnectedLineNum", "Queue", "Cause")
    ),
    *(
        b"\r\n\r\n",
        b"Response: Follows\r\n",
        b"--END COMMAND--",
        b"Response: Success\r\n",
        b"Asterisk Call Manager/",
    ),
    *(
        b"Set",
        b"MSet",
        b"Queue",
        b"Dial",
        b"calldata=",
        b"__calldata=",
        b"astcti,",
        b"astctidemo",
        b"Local/1@x-1;2",
    ),
    *(
        b"<ZOMBIE>",
        b"<MASQ>",
        b"PJSIP/201-00000001",
        b"SIP/201-00000001",
        b"1795430727.1",
        b"<unknown>",
        b"\\n",
        b"\\,",
    ),
)
# Lines that nothing looks at.
_UNREAD = re.compile(
    rb"\r\n(?:Dest)?(?:Privilege|AccountCode|Accountcode|Language|Priority|SystemName|ChannelState|BridgeTechnology"
    rb"|BridgeCreator|BridgeName|BridgeVideoSourceMode|BridgeNumChannels|BridgeType|Timestamp|SequenceNumber|File"
    rb"|Line|Func): [^\r\n]*"
)
# How Asterisk writes the fields of the events that are looked into.
_WRITTEN = tuple(
    f"{key}: ".encode()
    for key in (
        *("Channel", "Uniqueid", "Variable", "Value", "Context", "Extension", "Application", "AppData"),
        *("Linkedid", "Exten", "CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName"),
        *("ChannelStateDesc",),
    )
)


def _recordings() -> Iterator[bytes]:
    """The parts of real calls that matter, in pieces, each with a greeting."""
    wanted = EventFilter.for_configuration(CONFIGURATION)
    for number, path in enumerate(sorted(RECORDINGS.rglob("*.ami"))):
        data = path.read_bytes()
        greeting = b"Asterisk Call Manager/" + VERSIONS[number % len(VERSIONS)] + b"\r\n"
        first = data.partition(b"\r\n")[0]
        if first.startswith(b"Asterisk"):
            greeting = first + b"\r\n"
        blocks = [
            _UNREAD.sub(b"", message.raw)
            for message in AmiParser(wanted).feed(greeting + data)
            if isinstance(message, AmiEvent)
        ]
        piece: list[bytes] = []
        for block in blocks:
            piece.append(block)
            if sum(map(len, piece)) > SEED_SIZE:
                break
        yield greeting + b"".join(block + b"\r\n\r\n" for block in piece)


def _answers() -> Iterator[bytes]:
    """Answers to actions, as Asterisks of all ages write them."""
    yield b"Asterisk Call Manager/1.1\r\nResponse: Success\r\nChallenge: 123\r\n\r\nResponse: Success\r\nActionID: a\r\n\r\n"
    yield b"Asterisk Call Manager/1.0\r\nResponse: Follows\r\nPrivilege: Command\r\nA\r\n\r\nB--END COMMAND--\r\n\r\nEvent: Hangup\r\nUniqueid: 1\r\n\r\n"
    yield b"Event: VarSet\r\nChannel: SIP/1\r\nVariable: __calldata\r\nValue: 1\r\nUniqueid: 1.1\r\n\r\n" * 3
    yield (
        b"Asterisk Call Manager/1.3\r\nEvent: Newexten\r\nChannel: SIP/1\r\nContext: x\r\nExtension: 1\r\nPriority: 1\r\n"
        b"Application: Set\r\nAppData: calldata=1|other=2|g\r\nUniqueid: 1.1\r\n\r\n"
    )


def seeds() -> list[bytes]:
    """Recorded calls and made-up answers."""
    return [*_recordings(), *_answers()]


def _pieces(data: bytes) -> Iterator[bytes]:
    """The input, cut in a way that depends on it alone."""
    random = Random(len(data))
    at = 0
    while at < len(data):
        size = random.choice((1, 2, 3, 500, 500, 4096))
        yield data[at : at + size]
        at += size


def _read(message: AmiMessage) -> tuple[str, str]:
    if isinstance(message, AmiBanner):
        return message.text, message.version
    values = message.values(("Uniqueid", "Channel", "ActionID"))
    if values[0] != message.get("uniqueid"):
        raise Broken("a field read alone and with others differs")
    if bool(message.get_all("Channel")) != message.has("channel"):
        raise Broken("a field is there and is not")
    return repr(message), repr(message.items())


def _parse() -> Attempt:
    def attempt(data: bytes) -> str:
        whole, cut = AmiParser(EventFilter(everything=True)), AmiParser(EventFilter(everything=True))
        found = [_read(message) for message in whole.feed(data)]
        if [_read(message) for piece in _pieces(data) for message in cut.feed(piece)] != found:
            raise Broken("what is read depends on how the stream is cut")
        return "messages" if found else "nothing"

    return attempt


def _sift() -> Attempt:
    def attempt(data: bytes) -> str:
        everything = [
            one for one in AmiParser(EventFilter(everything=True)).feed(data) if isinstance(one, AmiEvent)
        ]
        parser = AmiParser(FILTER)
        kept = Counter(one.raw for one in parser.feed(data) if isinstance(one, AmiEvent))
        dropped = [one for one in everything if not kept[one.raw]]
        if sum(kept.values()) + parser.dropped != len(everything):
            raise Broken("events kept and dropped are not all events")
        for event in dropped:
            _check_unneeded(event)
        return "some dropped" if dropped else "all kept"

    return attempt


def _check_unneeded(event: AmiEvent) -> None:
    """Nobody would have needed a dropped event. Of repeated keys Asterisk writes none in these."""
    lines = event.raw.split(b"\r\n")
    keys = [line.partition(b":")[0].lower() for line in lines]
    if len(set(keys)) < len(keys) or not all(line.startswith(_WRITTEN) for line in lines[1:]):
        return
    if b":  " in event.raw or b" \r\n" in event.raw:  # a variable with a blank in its name is another one
        return
    for version in ("1.0", "11.0.0"):
        dialect = Dialect()
        dialect.greeting(AmiBanner(f"Asterisk Call Manager/{version}"))
        for told in dialect.translate(event):
            if isinstance(told, VariableSet) and told.name in FILTER.variables and told.uniqueid:
                raise Broken(f"a declared variable was dropped: {told}")
            if isinstance(told, Newexten) and told.context in FILTER.contexts and told.uniqueid:
                raise Broken(f"a step in a watched context was dropped: {told}")


def _track() -> Attempt:
    def attempt(data: bytes) -> str:
        told: list[Notification] = []
        replay = Replay(CONFIGURATION, told.append, all_calls=len(data) % 2 == 0)
        replay.feed(data)
        for notification in told:
            line = event_xml.encode(notification.event)
            if len(line) > event_xml.MAX_EVENT or line.count(b"\n") != 1 or not line.endswith(b"\n"):
                raise Broken("a notification is no line of the protocol")
            event_xml.decode(line)
        replay.calls_so_far()
        return "notifications" if told else "calls" if replay.calls else "nothing"

    return attempt


TARGETS = (
    FuzzTarget("ami-parser", "the manager interface's bytes", _parse, seeds, tokens=TOKENS, longest=16384),
    FuzzTarget(
        "ami-event-filter", "raw events: which are dropped unread", _sift, seeds, tokens=TOKENS, longest=16384
    ),
    FuzzTarget(
        "ami-calls",
        "events to calls to notifications: dialect, tracker, encoder",
        _track,
        seeds,
        tokens=TOKENS,
        longest=16384,
    ),
)
