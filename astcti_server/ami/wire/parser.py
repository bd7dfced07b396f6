"""The Asterisk Manager Interface's wire protocol without I/O: bytes in, banners, events and responses out.

Speed decides its shape. A chunk is split once; the first line of a block tells the event's name, and what
nobody needs (`event_filter.py`) is dropped before it is parsed. The rest stays raw bytes until somebody reads
a field; then it is matched against the shapes that events of its name had before (`messages.py`).

Lines end in CRLF and a bare LF belongs to a value. A line is split at its first colon followed by a blank,
and without one at its first colon: keys may hold a colon (`ChanVariable(SIP/10.0.0.1:5060-1): n=v`).
Keys are compared without case; of a repeated key the first value counts, `get_all` has them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import compress, repeat
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from astcti_server.ami.wire.event_filter import DROP, EventFilter
from astcti_server.ami.wire.event_filter_rules import EventRule
from astcti_server.ami.wire.messages import AmiEvent, AmiResponse, MessageKind, decode

MESSAGE_LIMIT: Final = 1 << 20  # an event has half a kilobyte; a megabyte is not Asterisk talking
GREETING_LIMIT: Final = 1024  # a longer first line is no greeting
HEAD: Final = 30  # bytes of an event that hold its first line, but for a few long names
HEADS_KEPT: Final = 2048
NAMES_KEPT: Final = 1024  # event names with a prepared look-up; Asterisk has about 180
LONGEST_ACTION_LINE: Final = 1023  # Asterisk 1.4 and 1.6 drop a longer line and read its tail as another
MOST_HEADERS: Final = 127  # AST_MAX_MANHEADERS is 128
LONGEST_ACTION_ID: Final = 199

_END: Final = b"\r\n\r\n"
_head: Final = itemgetter(slice(HEAD))
_COMMAND_END: Final = b"--END COMMAND--"
_CONTROL: Final = re.compile(rb"[\r\n\0]")


class AmiBanner(NamedTuple):
    """The greeting line, such as `Asterisk Call Manager/11.0.0`."""

    text: str

    @property
    def version(self) -> str:
        """What follows the slash: `11.0.0`; all of it where it is not Asterisk itself that greets."""
        name, slash, version = self.text.rpartition("/")
        return self.text.strip() if slash and name.endswith("Proxy") else version.strip()


AmiMessage: TypeAlias = AmiBanner | AmiEvent | AmiResponse


class AmiParser:
    """Turns the byte stream of one connection into messages, however it is cut. One thread at a time.

    What is neither event nor response, and a message of more than `limit` bytes, is passed over: a phone's
    name can hold a raw CRLF before Asterisk 13.5 (ASTERISK-24934), so a broken block is no broken connection.
    """

    def __init__(
        self, event_filter: EventFilter, *, encoding: str = "cp1252", limit: int = MESSAGE_LIMIT
    ) -> None:
        """`encoding` is for values that are not UTF-8. Raises LookupError for an unknown one."""
        "".encode(encoding)
        self.dropped = 0
        """Events that nobody needs."""
        self._encoding = encoding
        self._limit = limit
        self._tail = bytearray()
        self._begun = False
        self._discarding = False
        self._follows: list[bytes] = []
        self._follows_size = 0
        self._kinds: dict[str, MessageKind] = {}
        self._responses = MessageKind("Response", encoding)
        self._seen: set[bytes] = set()
        self._event_filter = event_filter
        self._look_up = _LookUp({}, {}, event_filter.rules())

    def filter_events(self, event_filter: EventFilter) -> None:
        """Parse what this filter wants, from the next chunk on. Any thread."""
        self._seen.update(list(self._look_up.entries))  # at once: the AMI thread may be adding to them
        self._event_filter = event_filter
        self._look_up = _LookUp({}, {}, event_filter.rules())

    def reset(self) -> None:
        """Begin another connection: forget what is incomplete, keep what was learned."""
        self._tail.clear()
        self._begun = self._discarding = False
        self._follows.clear()
        self._follows_size = 0
        self._seen.clear()
        self._look_up = _LookUp({}, {}, self._event_filter.rules())

    def seen(self, name: str) -> bool:
        """Whether an event of this name came in this connection, wanted or not."""
        line = b"Event: " + name.encode()
        return line in self._look_up.entries or line in self._seen

    def names_seen(self) -> frozenset[str]:
        """The names of all events that came in this connection, wanted or not. Any thread."""
        lines = {*list(self._look_up.entries), *list(self._seen)}  # each at once: others may add to them
        return frozenset(decode(line.partition(b":")[2], self._encoding).strip() for line in lines)

    def feed(self, data: bytes) -> list[AmiMessage]:
        """Take in what was read; returns the messages that it completes, in order."""
        messages: list[AmiMessage] = []
        if not self._begun:
            data = self._greet(data, messages)
        size = len(self._tail) + len(data)
        # Only the seam can hold a new end, so that a huge message in small pieces costs no search again.
        if self._tail and _END in bytes(self._tail[-3:]) + data[:3]:
            data = bytes(self._tail) + data
            self._tail.clear()
        # One call for the whole chunk: a loop over lines costs several times as much.
        blocks = data.split(_END)
        rest = blocks.pop()
        if blocks and self._tail:
            blocks[0] = bytes(self._tail) + blocks[0]
            self._tail.clear()
        if self._discarding and blocks:
            self._discarding = False
            del blocks[0]
            self._give_up_output()
        self._take_apart(blocks, messages, large=size > self._limit)
        if rest:
            self._keep(rest)
        return messages

    def _take_apart(self, blocks: list[bytes], messages: list[AmiMessage], *, large: bool) -> None:
        """The hot loop: most of what Asterisk sends is dropped here. The first bytes decide, if known.

        `large`: a block may be beyond the limit.
        """
        if large or self._follows:
            self._take_one_by_one(iter(blocks), messages)
            return
        entries = list(map(self._look_up.heads.get, map(_head, blocks), repeat(_UNKNOWN)))
        pairs = zip(blocks, entries, strict=True)
        accounted = 0
        for block, entry in compress(pairs, entries):
            if entry is _UNKNOWN:
                self._take(block, messages)
                if self._follows:
                    others = [other for other, _entry in pairs]  # the blocks behind this one
                    accounted += len(others)
                    self._take_one_by_one(iter(others), messages)
            else:
                kind, rule = entry  # type: ignore[misc]  # those that are None were left out
                if rule is not None:
                    quick, exact = rule
                    if not quick(block) or (exact is not None and not exact(block)):
                        continue
                messages.append(AmiEvent(block, kind))
            accounted += 1
        self.dropped += len(blocks) - accounted

    def _take_one_by_one(self, blocks: Iterator[bytes], messages: list[AmiMessage]) -> None:
        """The exact way, for everything that may come."""
        self._follow(blocks, messages)
        for block in blocks:
            self._take(block, messages)
            self._follow(blocks, messages)

    def _enter(self, line: bytes, head: bytes) -> _Entry:
        """Look up what to do with events that begin with this line, and remember it by their first bytes."""
        entries, heads, rule_of = self._look_up
        entry = entries.get(line)
        if entry is None:
            entry = self._new_entry(line, entries, rule_of)
        if len(line) < HEAD - 1 and len(heads) < HEADS_KEPT:
            heads[head] = None if entry.rule is DROP else entry
        return entry

    def _new_entry(
        self, line: bytes, entries: dict[bytes, _Entry], rule_of: Callable[[str], EventRule | None]
    ) -> _Entry:
        text = decode(line.partition(b":")[2], self._encoding).strip()
        rule = rule_of(text)
        kind = self._kinds.get(text) or MessageKind(text, self._encoding)
        if len(self._kinds) < NAMES_KEPT:
            self._kinds[text] = kind
        entry = _Entry(kind, rule)
        if len(entries) < NAMES_KEPT:
            entries[line] = entry
        return entry

    def _take(self, block: bytes, messages: list[AmiMessage]) -> None:
        """One block: an event, a response, the greeting of a later connection, or what is none of these."""
        if len(block) > self._limit:
            return
        while block.startswith(b"\r\n"):
            block = block[2:]
        if not block:
            return
        line, _, rest = block.partition(b"\r\n")
        if line.startswith(b"Asterisk Call Manager/"):  # a recording holds several connections
            messages.append(AmiBanner(decode(line, self._encoding)))
            if rest:
                self._take(rest, messages)
            return
        key, _, value = line.partition(b":")
        key = key.strip().lower()
        if key == b"response":
            if value.strip().lower() == b"follows":  # raw console text, up to Asterisk 13 (action_command)
                self._follows.append(block)
                self._follows_size = len(block)
            else:
                messages.append(AmiResponse(block, self._responses))
        elif key == b"event":
            kind, rule = self._enter(line, block[:HEAD])
            if rule is None or rule.wants(block):
                messages.append(AmiEvent(block, kind))
            else:
                self.dropped += 1

    def _follow(self, blocks: Iterator[bytes], messages: list[AmiMessage]) -> None:
        """Collect console output, which may hold blank lines, until the line that ends it."""
        while self._follows:
            if self._follows[-1].endswith(_COMMAND_END):
                messages.append(AmiResponse(_END.join(self._follows), self._responses))
                self._follows.clear()
                self._follows_size = 0
                return
            block = next(blocks, None)
            if block is None:
                return
            self._follows.append(block)
            self._follows_size += len(_END) + len(block)
            if self._follows_size > self._limit:
                self._give_up_output()

    def _keep(self, data: bytes) -> None:
        """Carry an incomplete message over to the next chunk, or only watch for its end if it is too long."""
        self._tail += data
        if len(self._tail) > self._limit + 3:
            self._discarding = True
        if self._discarding:
            del self._tail[:-3]

    def _give_up_output(self) -> None:
        self._follows.clear()
        self._follows_size = 0

    def _greet(self, data: bytes, messages: list[AmiMessage]) -> bytes:
        """The first line of a connection is a greeting unless it looks like a header."""
        data = bytes(self._tail) + data
        self._tail.clear()
        line, end, rest = data.partition(b"\r\n")
        length = len(line) if end else len(line.removesuffix(b"\r"))
        if b":" in line or length > GREETING_LIMIT or (end and not line):
            self._begun = True
            return data
        if not end:
            self._tail += data
            return b""
        self._begun = True
        messages.append(AmiBanner(decode(line, self._encoding)))
        return rest


class _Entry(NamedTuple):
    kind: MessageKind
    rule: EventRule | None


_UNKNOWN: Final = _Entry(MessageKind("", "utf-8"), None)
"""For first bytes that did not come before: the whole line has to be looked at."""


class _LookUp(NamedTuple):
    entries: dict[bytes, _Entry]
    """By the first line."""
    heads: dict[bytes, _Entry | None]
    """By the first bytes, which hold that line's end; the quicker look-up of the two. None: drop it."""
    rule_of: Callable[[str], EventRule | None]


def encode_action(headers: Sequence[tuple[str, str]]) -> bytes:
    """The bytes of an action. Raises ValueError for what Asterisk would misread: there is no escaping."""
    if len(headers) > MOST_HEADERS:
        raise ValueError(f"an action may have {MOST_HEADERS} headers, not {len(headers)}")
    lines = []
    for key, value in headers:
        line = f"{key}: {value}".encode()
        if _CONTROL.search(line):
            raise ValueError(f"a line break or NUL in header {key!r}")
        if not key or ":" in key:
            raise ValueError(f"{key!r} is not the name of a header")
        if len(line) > LONGEST_ACTION_LINE - 2:
            raise ValueError(f"header {key!r} is longer than Asterisk takes")
        if key.lower() == "actionid" and len(value) > LONGEST_ACTION_ID:
            raise ValueError("the ActionID is longer than Asterisk takes")
        lines.append(line)
    return b"\r\n".join(lines) + _END
