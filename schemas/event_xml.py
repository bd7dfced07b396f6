"""Events to their one line of XML and back (section 2.2.3.3 of the specification).

Standard library only. The specification's elements come first and in its order, so that a reader that
knows nothing else can skip what was added. Made by joining strings: an event is written thousands of times
a second, and a tree would cost ten times as much.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import Final, cast, get_args
from xml.parsers import expat

from schemas.configuration.model import TriggerSystem, TriggerType
from schemas.events import (
    Action,
    Call,
    CalledEnd,
    CallEvent,
    Cause,
    ConnectedParty,
    Direction,
    End,
    EventId,
    Originate,
    PhoneEnd,
)

MAX_VALUE: Final = 8 * 1024
"""UTF-8 bytes of one value before escaping: several times the longest URL that browsers take."""
MAX_EVENT: Final = 256 * 1024
"""Bytes of one event with its line ending."""
SHORT: Final = MAX_VALUE // 4
"""Characters of an event of which nothing has to be cut, whatever they are."""

logger = logging.getLogger(__name__)

# Whatever must not stand in the line as it is: markup, line ends in anyone's sense, and what XML forbids.
_SPECIAL = re.compile(r'[&<>"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]')
_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")
_PLAIN = re.compile("[ !#-%'-;=?-~]*+")  # ASCII without any of those: quicker to see
_ILLEGAL = [*range(0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
_REFERENCES = [0x09, 0x0A, 0x0D, *range(0x7F, 0xA0), 0x2028, 0x2029]
_ESCAPES: dict[int, str | None] = {
    **dict.fromkeys(_ILLEGAL),
    **{code: f"&#{code};" for code in _REFERENCES},
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord('"'): "&quot;",
}
_NO_DATA = '<data key=""></data>'
_LATE = ' late="true"'
_REPEAT = ' repeat="true"'
_NOBODY = ConnectedParty("", "")
_STATE: Final = 6
"""Where a call has its state."""
_IDS = get_args(EventId)
_ENDS = get_args(End)
_CALLED_ENDS = get_args(CalledEnd)
_PHONE_ENDS = get_args(PhoneEnd)
_DIRECTIONS = get_args(Direction)
_TRIGGER_TYPES = get_args(TriggerType)
_SYSTEMS = get_args(TriggerSystem)


class BadEvent(ValueError):
    """Bytes that are no event, or one that this program does not know."""


class EventEncoder:
    """`encode` for one event after the other, which often are of the same call. One thread at a time."""

    __slots__ = ("_after_state", "_before_state", "_call")

    def __init__(self) -> None:
        self._call: Call | None = None
        """The last call; as text there is what stands before and after its state, which changes most."""
        self._before_state = self._after_state = ""

    def encode(self, event: CallEvent) -> bytes:
        """As the function `encode`."""
        call = event.call
        if not self._is_last(call):
            self._before_state, self._after_state = _around_state(call, _escape_all)
            self._call = call
        state, more = call.state, event.service
        if not _PLAIN.fullmatch(state + more):
            state, more = _escape(state), _escape(more)
        if more:
            more = f"<service>{more}</service>"
        if event.triggers or event.cause or event.originate:
            more += _added(event, _escape)
        how = _how_told(event)
        line = f'<event id="{event.id}"{how}>{self._before_state}{state}{self._after_state}{more}</event>\n'
        if len(line) > SHORT:
            self._call = None
            return _encode_long(event)
        return line.encode()

    def _is_last(self, call: Call) -> bool:
        """Whether it is the last one, perhaps in another state."""
        last = self._call
        if call is last:
            return True
        return (
            last is not None
            and call.uniqueid == last.uniqueid
            and call[:_STATE] == last[:_STATE]
            and call[_STATE + 1 :] == last[_STATE + 1 :]
        )


def encode(event: CallEvent) -> bytes:
    """The event as one line, ending included, UTF-8. Never raises, whatever the values hold.

    Characters that XML forbids are dropped. A value above `MAX_VALUE` is cut; an event above `MAX_EVENT` has
    its values cut shorter until it fits. Both are logged, without the values.
    """
    return EventEncoder().encode(event)


def _encode_long(event: CallEvent) -> bytes:
    """An event that may have to be cut."""
    room = _Room(MAX_VALUE)
    line = _line(event, room)
    while len(line) > MAX_EVENT:
        room = _Room(room.bytes // 4)
        if room.bytes < 32:  # not the values but their number: what everyone needs is left
            logger.warning("%s of call %r: too much data, none is sent", event.id, event.call.uniqueid[:80])
            event, room = CallEvent(event.id, event.call._replace(appdata=())), _Room(128)
        line = _line(event, room)
    if room.cut:
        name, uniqueid = event.id, event.call.uniqueid[:80]
        logger.warning("%s of call %r: %d values were cut to %d bytes", name, uniqueid, room.cut, room.bytes)
    return line


class _Room:
    """How many bytes a value may have, and how many values had more."""

    __slots__ = ("bytes", "characters", "cut")

    def __init__(self, limit: int) -> None:
        self.bytes = limit
        self.characters = limit // 4  # so many fit whatever they are
        self.cut = 0

    def escape(self, value: str) -> str:
        """The value with at most so many bytes, ready to be written."""
        return _escape(self._fit(value) if len(value) > self.characters else value)

    def escape_all(self, values: list[str]) -> list[str]:
        """As `escape`, each."""
        return [self.escape(value) for value in values]

    def _fit(self, value: str) -> str:
        """The value with at most so many bytes, never ending inside a character."""
        encoded = value.encode("utf-8", "ignore")  # lone surrogates have no bytes, and no place in XML
        if len(encoded) <= self.bytes:
            return value
        self.cut += 1
        return encoded[: self.bytes].decode("utf-8", "ignore")


def _line(event: CallEvent, room: _Room) -> bytes:
    before, after = _around_state(event.call, room.escape_all)
    state, service = room.escape(event.call.state), room.escape(event.service)
    more = f"<service>{service}</service>" if service else ""
    more += _added(event, room.escape)
    return f'<event id="{event.id}"{_how_told(event)}>{before}{state}{after}{more}</event>\n'.encode()


def _how_told(event: CallEvent) -> str:
    """The attributes beside the id."""
    how = f' seq="{event.seq:d}"' if event.seq else ""
    if event.late:
        how += _LATE
    return how + _REPEAT if event.repeat else how


def _around_state(call: Call, escape_all: Callable[[list[str]], list[str]]) -> tuple[str, str]:
    """The element `<call>` before and after the text of its state."""
    values = [*call[:5], call.linkedid, call.queue, *(call.connected or _NOBODY)]
    for pair in call.appdata:
        values += pair
    uniqueid, channel, number, name, context, linkedid, queue, peer, peer_channel, *data = escape_all(values)
    learned = _NO_DATA
    if data:
        learned = "".join(
            [f'<data key="{key}">{value}</data>' for key, value in zip(data[::2], data[1::2], strict=True)]
        )
    added = f"<linkedid>{linkedid}</linkedid>" if linkedid else ""
    added += f"<direction>{call.direction}</direction>"
    if queue:
        added += f"<queue>{queue}</queue>"
    if call.connected is not None:
        added += f"<connected><uniqueid>{peer}</uniqueid><channel>{peer_channel}</channel></connected>"
    return (
        f"<call><uniqueid>{uniqueid}</uniqueid><channel>{channel}</channel>"
        f"<calleridnum>{number}</calleridnum><calleridname>{name}</calleridname>"
        f"<context>{context}</context><appdata>{learned}</appdata><state>",
        f"</state>{added}</call>",
    )


def _added(event: CallEvent, escape: Callable[[str], str]) -> str:
    """What only some events have."""
    parts = "".join([_trigger(action, escape, keyed=event.seq > 0) for action in event.triggers])
    if event.cause:
        cause = event.cause
        called = f' called="{cause.called}"' if cause.called else ""
        parts += f'<cause code="{cause.code:d}" end="{cause.end}"{called}>{escape(cause.text)}</cause>'
    if event.originate:
        made = event.originate
        exten, response = escape(made.exten), escape(made.response)
        phone = f' phone="{made.phone}"' if made.phone else ""
        parts += f'<originate exten="{exten}" response="{response}" reason="{made.reason:d}"{phone}/>'
    return parts


def _trigger(action: Action, escape: Callable[[str], str], *, keyed: bool) -> str:
    """A trigger. Only who numbers events knows what a key is for."""
    key = f' key="{escape(action.key)}"' if keyed and action.key else ""
    if action.type == "application":
        arguments = "".join([f"<argument>{escape(argument)}</argument>" for argument in action.arguments])
        content = f"<application>{escape(action.application)}</application>{arguments}"
    else:
        content = f"<url>{escape(action.url)}</url>"
    return f'<trigger type="{action.type}" os="{action.os}"{key}>{content}</trigger>'


def _escape(value: str) -> str:
    return value.translate(_ESCAPES) if _SPECIAL.search(value) else value


def _escape_all(values: list[str]) -> list[str]:
    """Looked through in one go: most are plain."""
    together = "".join(values)
    if _PLAIN.fullmatch(together) or not _SPECIAL.search(together):
        return values
    return [_escape(value) for value in values]


class _Element:
    __slots__ = ("attributes", "children", "name", "pieces")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.pieces: list[str] = []
        self.children: list[_Element] = []

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def child(self, name: str) -> _Element | None:
        return next((child for child in self.children if child.name == name), None)

    def value(self, name: str) -> str:
        found = self.child(name)
        return found.text if found else ""

    def number(self, attribute: str) -> int:
        found = _NUMBER.fullmatch(self.attributes.get(attribute, ""))
        if found is None:
            raise BadEvent(f"{self.name}: {attribute} is not a number")
        return int(found[0])


def decode(line: bytes) -> CallEvent:
    """The event in a line (with or without its ending). Raises `BadEvent`.

    Elements and attributes that this program does not know are skipped, triggers of an unknown type too; a
    document type is refused, so no entity can be declared.
    """
    root = _tree(line)
    call = root.child("call")
    if root.name != "event" or call is None:
        raise BadEvent("not an event with a call")
    event_id = root.attributes.get("id", "")
    if event_id not in _IDS:
        raise BadEvent(f"unknown event {event_id[:40]!r}")
    return CallEvent(
        id=cast(EventId, event_id),
        call=_decode_call(call),
        service=root.value("service"),
        triggers=tuple(_decode_triggers(root)),
        cause=_decode_cause(root.child("cause")),
        originate=_decode_originate(root.child("originate")),
        repeat=root.attributes.get("repeat") == "true",
        seq=root.number("seq") if "seq" in root.attributes else 0,
        late=root.attributes.get("late") == "true",
    )


def _tree(line: bytes) -> _Element:
    parser = expat.ParserCreate("utf-8")
    top = _Element("", {})
    path = [top]

    def start(name: str, attributes: dict[str, str]) -> None:
        element = _Element(name, attributes)
        path[-1].children.append(element)
        path.append(element)

    def add_text(text: str) -> None:
        path[-1].pieces.append(text)

    def refuse(*_: object) -> None:
        raise BadEvent("a document type is not allowed")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _name: path.pop()
    parser.CharacterDataHandler = add_text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(line, True)
    except expat.ExpatError as error:
        raise BadEvent(f"not XML: {error}") from None
    return top.children[0]


def _decode_call(call: _Element) -> Call:
    direction = call.value("direction") or "inbound"
    if direction not in _DIRECTIONS:
        raise BadEvent(f"unknown direction {direction[:40]!r}")
    appdata = call.child("appdata")
    data = (
        [(child.attributes.get("key", ""), child.text) for child in appdata.children if child.name == "data"]
        if appdata
        else []
    )
    connected = call.child("connected")
    return Call(
        uniqueid=call.value("uniqueid"),
        channel=call.value("channel"),
        calleridnum=call.value("calleridnum"),
        calleridname=call.value("calleridname"),
        context=call.value("context"),
        appdata=tuple(pair for pair in data if pair[0]),
        state=call.value("state"),
        linkedid=call.value("linkedid"),
        direction=cast(Direction, direction),
        queue=call.value("queue"),
        connected=ConnectedParty(connected.value("uniqueid"), connected.value("channel"))
        if connected
        else None,
    )


def _decode_triggers(root: _Element) -> Iterator[Action]:
    for element in root.children:
        kind, system = element.attributes.get("type", ""), element.attributes.get("os", "any")
        if element.name == "trigger" and kind in _TRIGGER_TYPES and system in _SYSTEMS:
            yield Action(
                type=cast(TriggerType, kind),
                os=cast(TriggerSystem, system),
                application=element.value("application"),
                arguments=tuple(child.text for child in element.children if child.name == "argument"),
                url=element.value("url"),
                key=element.attributes.get("key", ""),
            )


def _decode_cause(cause: _Element | None) -> Cause | None:
    if cause is None:
        return None
    end = cause.attributes.get("end", "")
    if end not in _ENDS:
        raise BadEvent(f"unknown end {end[:40]!r}")
    called = cause.attributes.get("called", "")  # a word of a later server is none: the code is there, too
    called = called if called in _CALLED_ENDS else ""
    return Cause(cause.number("code"), cast(End, end), cause.text, cast(CalledEnd, called))


def _decode_originate(made: _Element | None) -> Originate | None:
    if made is None:
        return None
    exten, response = made.attributes.get("exten", ""), made.attributes.get("response", "")
    phone = made.attributes.get("phone", "")
    phone = phone if phone in _PHONE_ENDS else ""
    return Originate(exten, response, made.number("reason"), cast(PhoneEnd, phone))
