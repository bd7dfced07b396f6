"""What of Asterisk's messages goes into a report: the events that the server uses, and of them the fields it
reads. Everything else is left out, so that nothing has to be known about what a secret looks like.

Values of variables that no service declares are replaced, for PINs travel there; so are arguments of
applications. Equal values get equal replacements, since a value that did not change is no news to the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from astcti_server.ami.dialect.text import arguments, variable_name
from astcti_server.ami.wire.event_filter import EVENTS, EventFilter
from astcti_server.ami.wire.event_filter_rules import EventRule
from astcti_server.ami.wire.messages import decode
from astcti_server.kept_ami.masking import Mask
from schemas.configuration.model import Configuration

_PLAIN: Final = frozenset(
    [
        "event",
        "actionid",
        "uniqueid",
        "uniqueid1",
        "uniqueid2",
        "srcuniqueid",
        "destuniqueid",
        "targetuniqueid",
        "linkedid",
        "destlinkedid",
        "parkeeuniqueid",
        "retrieveruniqueid",
        "swapuniqueid",
        "bridgeduniqueid",
        "channelstatedesc",
        "state",
        "context",
        "application",
        "cause",
        "cause-txt",
        "bridgeuniqueid",
        "bridgetechnology",
        "bridgecreator",
        "bridgeid",
        "bridgestate",
        "bridgetype",
        "subevent",
        "dialstatus",
        "queue",
        "membership",
        "penalty",
        "paused",
        "status",
        "reason",
        "response",
        "seconds",
        "timestamp",
    ]
)
_CHANNELS: Final = frozenset(
    [
        "channel",
        "channel1",
        "channel2",
        "targetchannel",
        "source",
        "destination",
        "destchannel",
        "destinationchannel",
        "channelcalling",
        "agentcalled",
        "interface",
        "location",
        "oldname",
        "newname",
        "link",
        "parkeechannel",
        "retrieverchannel",
        "from",
    ]
)
_NUMBERS: Final = frozenset(
    ["calleridnum", "callerid", "connectedlinenum", "destconnectedlinenum", "exten", "extension", "forward"]
)
_TEXTS: Final = frozenset(
    ["calleridname", "connectedlinename", "destconnectedlinename", "membername", "name", "pausedreason"]
)
_ARGUMENTS: Final = frozenset({"appdata", "data"})
_SPECIAL: Final = frozenset({"varset", "newexten", "agentconnect"})
_EVENTS: Final = frozenset(name.lower() for name in EVENTS) | _SPECIAL
_OURS: Final = re.compile(rb"\r\nActionID: astcti-[0-9a-f]+-[0-9]+(?:\r\n|\Z)")
_TO_ESCAPE: Final = re.compile(r"[\\\",|()\[\]]")
_NO_CALLED_PHONE: Final = "(Outgoing Line)"


class Redactor:
    """Takes messages one by one. One thread at a time."""

    def __init__(self, mask: Mask | None) -> None:
        self._mask = mask
        self._encoding = "cp1252"
        self._declared: frozenset[str] = frozenset()
        self._queues: frozenset[str] = frozenset()
        self._rule_of: Callable[[str], EventRule | None] = EventFilter().rules()
        self._separator = ""
        self._hidden: dict[str, str] = {}

    def use(self, configuration: Configuration, encoding: str) -> None:
        """From here on this configuration decides what is needed, and which variables are declared."""
        self._encoding = encoding
        self._declared = configuration.variables
        self._rule_of = EventFilter.for_configuration(configuration).rules()

    def connected(self, banner_version: str) -> None:
        """Asterisk greeted so. 1.4 separates several variables of one `Set` by `|`, others know one alone."""
        known = re.fullmatch(r"[0-9]+(\.[0-9]+)+", banner_version)
        self._separator = "|" if known is None or banner_version == "1.0" else ""

    def redacted(self, raw: bytes) -> bytes | None:
        """What of a message, without its blank line, goes into the report; None for nothing."""
        line, _, rest = raw.lstrip(b"\r\n").partition(b"\r\n")
        while rest and b":" not in line:  # the greeting of a connection
            line, _, rest = rest.partition(b"\r\n")
        key, _, value = line.partition(b":")
        name = decode(value, self._encoding).strip()
        if key == b"Response":
            return self._answer(raw) if name.lower() == "success" else None
        if key != b"Event" or name.lower() not in _EVENTS:
            return None
        rule = self._rule_of(name)
        if rule is not None and not rule.wants(raw):
            return None
        return self._fields(name.lower(), [line, *rest.split(b"\r\n")])

    def _answer(self, raw: bytes) -> bytes | None:
        """The value of a declared global variable: it tells which channels have one of their own."""
        fields = dict(self._split(line) for line in raw.split(b"\r\n"))
        name = fields.get("Variable", "")
        if not _OURS.search(raw) or variable_name(name) not in self._declared:
            return None
        value = self._declared_value(fields.get("Value", ""))
        kept = {"Response": "Success", "ActionID": fields["ActionID"], "Variable": name, "Value": value}
        return b"\r\n".join(f"{key}: {text}".encode() for key, text in kept.items())

    def _fields(self, event: str, lines: list[bytes]) -> bytes:
        fields = [self._split(line) for line in lines if b":" in line]
        names = {key.lower(): value for key, value in reversed(fields)}
        kept = []
        for key, value in fields:
            found = self._field(event, key.lower(), value, names)
            if found is not None:
                kept.append(f"{self._key(key)}: {found}")
        return "\r\n".join(kept).encode()

    def _split(self, line: bytes) -> tuple[str, str]:
        """As the parser does."""
        key, separator, value = line.partition(b": ")
        if not separator:
            key, _, value = line.partition(b":")
        return decode(key, self._encoding), decode(value, self._encoding)

    def _key(self, key: str) -> str:
        """`ChanVariable(SIP/201-1)` has a channel in it."""
        name, bracket, channel = key.partition("(")
        return f"{name}({self._channel(channel.removesuffix(')'))})" if bracket else key

    def _field(self, event: str, key: str, value: str, fields: dict[str, str]) -> str | None:
        if key in _PLAIN:
            return value
        if key in _CHANNELS:
            return self._channel(value)
        if key in _NUMBERS:
            return self._mask.number(value) if self._mask is not None else value
        if key in _TEXTS:
            is_interface = event.startswith("queuemember") and key == "name" and "/" in value
            return self._channel(value) if is_interface else self._text(value)
        if key in _ARGUMENTS:
            return self._arguments(fields.get("application", "").lower(), value)
        if key == "variable" and event == "varset":
            return value
        if key == "value" and event == "varset":
            return self._value_of(fields.get("variable", ""), value)
        if key == "variable" or "chanvariable" in key:
            name, equals, text = value.partition("=")
            return f"{name}={self._value_of(name, text)}" if equals else ""
        return None

    def _channel(self, value: str) -> str:
        return self._mask.channel(value) if self._mask is not None else value

    def _text(self, value: str) -> str:
        return self._mask.text(value) if self._mask is not None else value

    # -- variables -----------------------------------------------------------------------------------------

    def _value_of(self, name: str, value: str) -> str:
        if variable_name(name) in self._declared:
            return self._declared_value(value)
        return self._hide(value)

    def _declared_value(self, value: str) -> str:
        return self._text(value)

    def _hide(self, value: str) -> str:
        if value in ("", "(null)"):  # there is none: no secret, and the server has to know
            return value
        return self._hidden.setdefault(value, f"***{len(self._hidden) + 1}")

    def _arguments(self, application: str, data: str) -> str:
        if application in ("set", "mset"):
            separator = "," if application == "mset" else self._separator
            return self._assignments(data, separator)
        if application == "queue":
            return re.split(r"[,|]", data, maxsplit=1)[0]
        return data if data in ("", _NO_CALLED_PHONE) else self._hide(data)

    def _assignments(self, data: str, separator: str) -> str:
        """What `Set` and `MSet` are given, each value by its own name."""
        pieces = arguments(data, separator) if separator and separator in data else [data]
        if len(pieces) == 1:
            return self._assignment(data) or ""
        return separator.join(
            _TO_ESCAPE.sub(r"\\\g<0>", found)
            for piece in pieces
            if (found := self._assignment(piece)) is not None
        )

    def _assignment(self, piece: str) -> str | None:
        name, equals, value = piece.partition("=")
        if not equals:
            return piece if re.fullmatch("[a-z]{1,2}", piece) else None  # flags, such as `g`
        return f"{name}={self._value_of(name, value)}"
