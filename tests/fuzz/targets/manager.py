"""What Asterisk says: the manager interface, from its bytes to what the seats are told.

Callers and phones write names, numbers and variables in it, and a server of another kind may listen there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
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
CALL_SIZE = 2000  # bytes of a recording that a seed has which has to be a call
PIECE_SIZE = 600  # where some events are enough: each byte costs time
VERSIONS = (b"1.0", b"1.1", b"2.8.0", b"5.0.4", b"11.0.0")
EVERYTHING = EventFilter(everything=True)
FILTER = EventFilter(
    variables=frozenset({"calldata", "customer"}),
    contexts=frozenset({"astctidemo", "outbound"}),
    queues=frozenset({"astcti"}),
)
_PHONES = ("PJSIP/201", "PJSIP/202", "PJSIP/203", "SIP/201", "SIP/202", "SIP/203")
_SEATS = tuple(Seat(f"00:00:00:00:00:{number:02x}", phone) for number, phone in enumerate(_PHONES, 1))
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


@cache
def _recordings() -> tuple[tuple[bytes, tuple[bytes, ...]], ...]:
    """The events of real calls that matter, each call with its greeting."""
    return tuple(_read_recordings())


def _read_recordings() -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
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
        yield greeting, tuple(blocks)


def _cut(size: int, blocks: Sequence[bytes]) -> bytes:
    """The first of them, up to so many bytes and the one that goes beyond."""
    taken = 0
    for number, block in enumerate(blocks):
        taken += len(block)
        if taken > size:
            return b"".join(one + b"\r\n\r\n" for one in blocks[: number + 1])
    return b"".join(one + b"\r\n\r\n" for one in blocks)


def _answers() -> Iterator[bytes]:
    """Answers to actions, as Asterisks of all ages write them."""
    yield b"Asterisk Call Manager/1.1\r\nResponse: Success\r\nChallenge: 123\r\n\r\nResponse: Success\r\nActionID: a\r\n\r\n"
    yield b"Asterisk Call Manager/1.0\r\nResponse: Follows\r\nPrivilege: Command\r\nA\r\n\r\nB--END COMMAND--\r\n\r\nEvent: Hangup\r\nUniqueid: 1\r\n\r\n"
    yield b"Event: VarSet\r\nChannel: SIP/1\r\nVariable: __calldata\r\nValue: 1\r\nUniqueid: 1.1\r\n\r\n" * 3
    yield (
        b"Asterisk Call Manager/1.3\r\nEvent: Newexten\r\nChannel: SIP/1\r\nContext: x\r\nExtension: 1\r\nPriority: 1\r\n"
        b"Application: Set\r\nAppData: calldata=1|other=2|g\r\nUniqueid: 1.1\r\n\r\n"
    )


def calls() -> list[bytes]:
    """The beginnings of recorded calls, and made-up answers."""
    return [*(greeting + _cut(CALL_SIZE, blocks) for greeting, blocks in _recordings()), *_answers()]


def events() -> list[bytes]:
    """Some events of each recorded call, from any part of it, and made-up answers."""
    found = []
    for number, (greeting, blocks) in enumerate(_recordings()):
        at = number * 7 % max(1, len(blocks))
        found.append(greeting + _cut(PIECE_SIZE, blocks[at:]))
    return [*found, *_answers()]


@cache
def _whole_calls() -> tuple[tuple[bytes, tuple[bytes, ...]], ...]:
    """The recordings that say what came of a call in not too many bytes."""
    return tuple(
        (greeting, blocks)
        for greeting, blocks in _recordings()
        if 500 < sum(map(len, blocks)) < 8 * CALL_SIZE
    )


@cache
def _wanted_or_not() -> tuple[bytes, ...]:
    """Events of all names, forty of each, without what the filter wants first."""
    found: dict[str, dict[bytes, None]] = {}
    for path in sorted(RECORDINGS.rglob("*.ami"))[::3]:
        for message in AmiParser(EVERYTHING).feed(path.read_bytes()):
            if isinstance(message, AmiEvent) and len(found.setdefault(message.name, {})) < 40:
                found[message.name][_UNREAD.sub(b"", message.raw)] = None
    return tuple(block for blocks in found.values() for block in blocks)


def _grow_call(random: Random) -> bytes:
    """A call whose events are lost, doubled, late, of other calls, or say something else."""
    greeting, told = random.choice(_whole_calls())
    at = random.randrange(len(told)) if random.random() < 0.3 else 0
    blocks = list(told[at : at + 14])
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        place = random.randrange(len(blocks))
        match random.randrange(6):
            case 0 if len(blocks) > 1:
                del blocks[place]
            case 1:
                blocks.insert(random.randrange(len(blocks) + 1), blocks[place])
            case 2:
                blocks.append(blocks.pop(place))
            case 3:
                blocks.insert(place, random.choice(random.choice(_whole_calls())[1]))
            case _:
                blocks[place] = _changed(random, blocks[place], random.choice(blocks))
    return greeting + b"".join(block + b"\r\n\r\n" for block in blocks)


def _grow_events(random: Random) -> bytes:
    """Events of all kinds, some of which say what another one says."""
    known = _wanted_or_not()
    blocks = [random.choice(known) for _ in range(random.randint(1, 4))]
    blocks = [
        _changed(random, block, random.choice(known)) if random.random() < 0.5 else block for block in blocks
    ]
    return b"Asterisk Call Manager/11.0.0\r\n" + b"".join(block + b"\r\n\r\n" for block in blocks)


def _changed(random: Random, block: bytes, other: bytes) -> bytes:
    """A field has another value: that of one of the other event, or of none."""
    lines, others = block.split(b"\r\n"), other.split(b"\r\n")
    place = random.randrange(len(lines))
    key, colon, _value = lines[place].partition(b": ")
    match random.randrange(4):
        case 0:
            lines[place] = random.choice(others)
        case 1:
            lines[place] = key + colon + random.choice(others).partition(b": ")[2]
        case 2:
            lines[place] = key + colon + random.choice(TOKENS)
        case _:
            lines[place] = key + colon
    return b"\r\n".join(lines)


def _pieces(data: bytes) -> Iterator[bytes]:
    """The input, cut in a way that depends on it alone."""
    random = Random(len(data))
    at = 0
    while at < len(data):
        size = random.choice((1, 2, 3, 500, 500, 4096))
        yield data[at : at + size]
        at += size


def _check_fields(message: AmiMessage) -> None:
    """The ways to read a field agree."""
    if isinstance(message, AmiBanner):
        return
    values = message.values(("Uniqueid", "Channel", "ActionID"))
    if values[0] != message.get("uniqueid"):
        raise Broken("a field read alone and with others differs")
    if bool(message.get_all("Channel")) != message.has("channel"):
        raise Broken("a field is there and is not")
    found = dict(reversed([(key.lower(), value) for key, value in message.items()]))
    if found.get("channel", "") != values[1]:
        raise Broken("a field of the list differs")


def _told(message: AmiMessage) -> object:
    """What a message is, without its fields, which follow from its bytes."""
    if isinstance(message, AmiBanner):
        return message.text, message.version
    return type(message), message.raw, message.name if isinstance(message, AmiEvent) else ""


def _parse() -> Attempt:
    def attempt(data: bytes) -> str:
        whole, cut = AmiParser(EVERYTHING), AmiParser(EVERYTHING)
        found = whole.feed(data)
        for message in found:
            _check_fields(message)
        again = [_told(message) for piece in _pieces(data) for message in cut.feed(piece)]
        if again != [_told(message) for message in found]:
            raise Broken("what is read depends on how the stream is cut")
        return "messages" if found else "nothing"

    return attempt


def _sift() -> Attempt:
    def attempt(data: bytes) -> str:
        everything = [one for one in AmiParser(EVERYTHING).feed(data) if isinstance(one, AmiEvent)]
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
    FuzzTarget(
        "ami-parser",
        "the manager interface's bytes",
        _parse,
        events,
        tokens=TOKENS,
        grow=_grow_events,
        longest=16384,
        reaches="messages",
    ),
    FuzzTarget(
        "ami-event-filter",
        "raw events: which are dropped unread",
        _sift,
        events,
        tokens=TOKENS,
        grow=_grow_events,
        longest=16384,
        reaches="all kept",
    ),
    FuzzTarget(
        "ami-calls",
        "events to calls to notifications: dialect, tracker, encoder",
        _track,
        calls,
        tokens=TOKENS,
        grow=_grow_call,
        longest=16384,
        reaches="notifications",
    ),
)
