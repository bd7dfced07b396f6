"""The wire protocol: any frames, however they are cut, on the fast way and on the exact one."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import MOST_LINES, AmiEvent, AmiResponse, MessageKind, decode
from astcti_server.ami.wire.parser import MESSAGE_LIMIT, AmiBanner, AmiMessage, AmiParser, encode_action
from schemas.configuration.model import Configuration, Service

EVERYTHING = EventFilter(everything=True)
LIMIT = 400


def parser(event_filter: EventFilter = EVERYTHING, limit: int = MESSAGE_LIMIT) -> AmiParser:
    """A parser that got its greeting."""
    made = AmiParser(event_filter, limit=limit)
    assert made.feed(b"Asterisk Call Manager/11.0.0\r\n") == [AmiBanner("Asterisk Call Manager/11.0.0")]
    return made


def one(data: bytes) -> AmiEvent:
    """The only event in some bytes."""
    (event,) = parser().feed(data)
    assert isinstance(event, AmiEvent)
    return event


def test_of_a_message_with_headers_without_end_the_first_ones_count() -> None:
    headers = b"".join(b"Header%d: x\r\n" % number for number in range(10_000))
    event = one(b"Event: Hangup\r\nUniqueid: 1.1\r\n" + headers + b"Cause: 16\r\n\r\n")
    assert event.get("Uniqueid") == "1.1"
    assert event.get("Cause") == ""
    assert len(event.items()) == MOST_LINES


def test_a_line_without_end_takes_no_more_memory_than_a_message_may() -> None:
    parsing = parser(limit=LIMIT)
    tracemalloc.start()
    for _ in range(1000):
        assert parsing.feed(b"Event: Hangup" * 1000) == []
    assert tracemalloc.get_traced_memory()[0] < 100_000
    tracemalloc.stop()
    (event,) = parsing.feed(b"\r\n\r\nEvent: Hangup\r\nUniqueid: 1.1\r\n\r\n")
    assert isinstance(event, AmiEvent)


# -- the reference: slow, obvious, and written apart ---------------------------------------------------------


def reference(stream: bytes, encoding: str = "cp1252") -> list[tuple[str, list[tuple[str, str]]]]:
    """What the messages of a whole stream are, as (kind, fields)."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    first, end, rest = stream.partition(b"\r\n")
    if end and first and b":" not in first and len(first) <= 1024:
        found.append(("banner", [("", decode(first, encoding))]))
        stream = rest
    blocks = stream.split(b"\r\n\r\n")[:-1]
    while blocks:
        block = blocks.pop(0)
        if len(block) > LIMIT:
            continue
        while block.startswith(b"\r\n"):
            block = block[2:]
        if block.startswith(b"Asterisk Call Manager/"):
            line, _, block = block.partition(b"\r\n")
            found.append(("banner", [("", decode(line, encoding))]))
        key, _, value = block.partition(b"\r\n")[0].partition(b":")
        kind = key.strip().lower().decode("latin-1")
        if kind == "response" and value.strip().lower() == b"follows":
            while not block.endswith(b"--END COMMAND--") and blocks and len(block) <= LIMIT:
                block += b"\r\n\r\n" + blocks.pop(0)
            if not block.endswith(b"--END COMMAND--") or len(block) > LIMIT:
                continue
        if kind in ("event", "response"):
            found.append((kind, fields_of(block, encoding)))
    return found


def fields_of(block: bytes, encoding: str) -> list[tuple[str, str]]:
    """The fields of a block, in order."""
    fields = []
    for line in block.split(b"\r\n"):
        at, length = line.find(b": "), 2
        if at < 0:
            at, length = line.find(b":"), 1
        if at > 0:
            fields.append((decode(line[:at], encoding), decode(line[at + length :], encoding)))
    return fields


def seen(message: AmiMessage) -> tuple[str, list[tuple[str, str]]]:
    """A message as the reference gives it, taken apart the exact way."""
    if isinstance(message, AmiBanner):
        return "banner", [("", message.text)]
    return ("event" if isinstance(message, AmiEvent) else "response"), message.items()


# -- properties ----------------------------------------------------------------------------------------------

KEYS = st.sampled_from(
    [
        "Channel",
        "Uniqueid",
        "UniqueID",
        "State",
        "Variable",
        "Value",
        "ChanVariable",
        "Bar:baz",
        "AppData",
        "ChanVariable(SIP/1-2)",
        "Cause-txt",
        "Output",
        "X",
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        [
            b"",
            b"1",
            b": ",
            b"a: b",
            b"a:b",
            b" ",
            b"x\ny",
            b"x\ry",
            b"\r",
            b"\n",
            b"M\xc3\xa1rio",
            b"\xc3",
            b"\xc2\xe8",
            b"\x81",
            b"Event: Hangup",
            b"--END COMMAND--",
            b"calldata=1,2",
            b"\x00",
        ]
    ),
    st.binary(max_size=12),
)
LINES = st.one_of(
    st.builds(lambda key, value: key.encode() + b": " + value, KEYS, VALUES),
    st.builds(lambda key: key.encode() + b":", KEYS),
    st.builds(lambda key, value: key.encode() + b":" + value, KEYS, VALUES),
    st.sampled_from([b"no colon", b": no key", b":", b"\r", b"Bar:baz: 1"]),
)
FIRST_LINES = st.sampled_from(
    [
        b"Event: Newchannel",
        b"Event: VarSet",
        b"event: Hangup",
        b"EVENT:Newchannel",
        b"Event: ",
        b"Response: Success",
        b"response: error",
        b"Response: Follows",
        b"Asterisk Call Manager/1.1",
        b"Event:  Two",
        b"garbage",
        b"\r\nEvent: X",
    ]
)
BLOCKS = st.builds(
    lambda first, lines: b"\r\n".join([first, *lines]), FIRST_LINES, st.lists(LINES, max_size=6)
)
ODD_BLOCKS = st.sampled_from([b"", b"x" * (LIMIT + 1), b"Event: Y\r\nA: " + b"y" * LIMIT])
STREAMS = st.builds(
    lambda greeting, blocks, rest: greeting + b"".join(block + b"\r\n\r\n" for block in blocks) + rest,
    st.sampled_from([b"Asterisk Call Manager/1.4\r\n", b"", b"\r\n", b"SSH-2.0-x\r\n"]),
    st.lists(st.one_of(BLOCKS, ODD_BLOCKS)),
    st.sampled_from([b"", b"Event: Newch", b"\r\n", b"\r"]),
)


def cut(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    """A stream in pieces."""
    edges = sorted({0, len(stream), *(place % (len(stream) + 1) for place in cuts)})
    return [stream[start:end] for start, end in pairwise(edges)]


@settings(max_examples=400)
@given(STREAMS, st.lists(st.integers(0, 10_000), max_size=12))
def test_any_frames_in_any_pieces_are_what_the_reference_says(stream: bytes, cuts: list[int]) -> None:
    parsing = AmiParser(EVERYTHING, limit=LIMIT)
    found = [message for piece in cut(stream, cuts) for message in parsing.feed(piece)]
    assert [seen(message) for message in found] == reference(stream)


CHOSEN = Configuration((Service("Demo", "demo", "inbound", variables=("calldata",)),))


@settings(max_examples=300)
@given(STREAMS, st.lists(st.integers(0, 10_000), max_size=12))
def test_a_filter_lets_the_same_events_through_however_they_are_cut(stream: bytes, cuts: list[int]) -> None:
    chosen = EventFilter.for_configuration(CHOSEN)
    whole, parsing = AmiParser(chosen, limit=LIMIT), AmiParser(chosen, limit=LIMIT)
    expected = [seen(message) for message in whole.feed(stream)]
    assert [seen(message) for piece in cut(stream, cuts) for message in parsing.feed(piece)] == expected
    assert parsing.dropped == whole.dropped
    assert len(expected) <= len(reference(stream))


@settings(max_examples=100)
@given(STREAMS)
def test_one_byte_at_a_time_counts_the_same_as_all_at_once(stream: bytes) -> None:
    whole, slow = AmiParser(EVERYTHING, limit=LIMIT), AmiParser(EVERYTHING, limit=LIMIT)
    expected = [seen(message) for message in whole.feed(stream)]
    assert [seen(message) for byte in stream for message in slow.feed(bytes([byte]))] == expected


@settings(max_examples=300)
@given(st.lists(BLOCKS, min_size=1, max_size=4))
def test_the_learned_shapes_find_what_the_exact_way_finds(blocks: list[bytes]) -> None:
    """The same blocks again and again, so that every shape that can be learned is."""
    parsing = parser()
    stream = b"".join(block + b"\r\n\r\n" for block in blocks)
    for _ in range(4):
        for message in parsing.feed(stream):
            if isinstance(message, AmiBanner):
                continue
            fields = fields_of(message.raw, "cp1252")
            for key in {name for name, _ in fields} | {"Missing"}:
                assert agree(message, fields, key)


def agree(message: AmiEvent | AmiResponse, fields: list[tuple[str, str]], key: str) -> bool:
    """Whether every way to read a field gives the same."""
    same = [value for name, value in fields if name.lower() == key.lower()]
    first = same[0] if same else ""
    other_case = key.upper() if key.upper().lower() == key.lower() else key
    return (
        message.get(key) == first
        and message.get(other_case, "default") == (same[0] if same else "default")
        and message.get_all(key) == same
        and message.has(key) == bool(same)
        and message.values((key, "Missing too")) == (first, "")
    )


# -- single cases --------------------------------------------------------------------------------------------


def test_a_repeated_event_is_read_through_its_shape() -> None:
    kind = MessageKind("Newchannel", "cp1252")
    for _ in range(3):
        event = AmiEvent(b"Event: Newchannel\r\nChannel: SIP/201-1\r\nUniqueid: 1.1", kind)
        assert event.values(("uniqueid", "Channel", "Linkedid")) == ("1.1", "SIP/201-1", "")
    (shape,) = kind.shapes
    assert shape.fullmatch(event.raw.decode()), "the third one should not be taken apart any more"


def test_invented_keys_teach_no_shape() -> None:
    kind = MessageKind("UserEvent", "cp1252")
    for number in range(100):
        assert AmiEvent(b"Event: UserEvent\r\nKey%d: 1" % number, kind).get(f"Key{number}") == "1"
    assert not kind.shapes


def test_shapes_of_one_name_are_bounded() -> None:
    kind = MessageKind("UserEvent", "cp1252")
    for number in range(50):
        for _ in range(3):
            assert AmiEvent(b"Event: UserEvent\r\nKey%d: 1" % number, kind).get(f"Key{number}") == "1"
    assert len(kind.shapes) == 8


def test_a_key_ends_at_the_first_colon_with_a_blank() -> None:
    event = one(
        b"Event: X\r\nBar:baz: 1\r\nChanVariable(SIP/10.0.0.1:5060-1): n=a: b\r\nQuick:2\r\nAppData:\r\n\r\n"
    )
    assert event.get("Bar:baz") == "1"
    assert event.get("ChanVariable(SIP/10.0.0.1:5060-1)") == "n=a: b"
    assert event.get("quick") == "2"
    assert event.has("AppData") and event.get("AppData", "default") == ""


def test_values_are_utf_8_or_else_in_the_configured_charset() -> None:
    assert one("Event: X\r\nCallerIDName: Мария\r\n\r\n".encode()).get("CallerIDName") == "Мария"
    event = one(b"Event: X\r\nCallerIDName: Andr\xe9\r\nOther: \xc3\xa9\r\nBad: \x81\r\n\r\n")
    assert event.get("CallerIDName") == "André"
    assert event.get("Other") == "é"
    assert event.get("Bad") == "\ufffd"


def test_a_line_feed_belongs_to_the_value() -> None:
    assert one(b"Event: VarSet\r\nValue: OK\n\r\nUniqueid: 1.1\r\n\r\n").get("Value") == "OK\n"


def test_console_output_of_old_asterisks_is_one_response() -> None:
    parsing = parser()
    data = (
        b"Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\n"
        b"first: line\nsecond\r\n\r\nEvent: Hangup\n--END COMMAND--\r\n\r\nEvent: Real\r\n\r\n"
    )
    response, event = parsing.feed(data)
    assert isinstance(response, AmiResponse) and isinstance(event, AmiEvent)
    assert response.action_id == "7"
    assert b"second\r\n\r\nEvent: Hangup\n--END" in response.raw
    assert event.name == "Real"


def test_console_output_of_new_asterisks_is_a_list_of_headers() -> None:
    (response,) = parser().feed(b"Response: Success\r\nOutput: one\r\nOutput:\r\nOutput: two\r\n\r\n")
    assert isinstance(response, AmiResponse)
    assert response.ok
    assert response.get_all("Output") == ["one", "", "two"]


def test_console_output_that_never_ends_is_given_up() -> None:
    parsing = parser(limit=LIMIT)
    parsing.feed(b"Response: Follows\r\n\r\n")
    assert len(parsing.feed(b"Event: Swallowed\r\n\r\n" * 30)) < 30
    assert len(parsing.feed(b"Event: Hangup\r\n\r\n")) == 1


def test_many_console_outputs_in_one_chunk_do_not_exhaust_the_stack() -> None:
    data = b"Response: Follows\r\n\r\n--END COMMAND--\r\n\r\n" * 5000
    assert len(parser().feed(data)) == 5000


def test_words_of_success_and_failure() -> None:
    words = [b"Success", b"Pong", b"Goodbye", b"Events On", b"Error"]
    responses = parser().feed(b"".join(b"Response: " + word + b"\r\n\r\n" for word in words))
    assert [isinstance(message, AmiResponse) and message.ok for message in responses] == [
        True,
        True,
        True,
        True,
        False,
    ]


def test_a_huge_value_without_an_end_costs_neither_memory_nor_time() -> None:
    parsing = parser()
    piece = b"x" * 1000
    parsing.feed(b"Event: VarSet\r\nValue: ")
    tracemalloc.start()
    try:
        for _ in range(20_000):  # quadratic work would take minutes
            assert not parsing.feed(piece)
        assert tracemalloc.get_traced_memory()[1] < 4 * MESSAGE_LIMIT, "20 MB were read"
    finally:
        tracemalloc.stop()
    (event,) = parsing.feed(b"\r\n\r\nEvent: Hangup\r\n\r\n")
    assert isinstance(event, AmiEvent) and event.name == "Hangup"


def test_a_greeting_in_the_middle_begins_another_recorded_connection() -> None:
    parsing = parser()
    found = parsing.feed(b"Event: A\r\n\r\nAsterisk Call Manager/1.1\r\nEvent: B\r\n\r\n")
    assert [type(message) for message in found] == [AmiEvent, AmiBanner, AmiEvent]
    assert isinstance(found[1], AmiBanner) and found[1].version == "1.1"


def test_after_a_reset_the_next_bytes_are_a_greeting_again() -> None:
    parsing = parser()
    parsing.feed(b"Event: Newcha")
    parsing.reset()
    assert parsing.feed(b"Asterisk Call Manager/1.0\r\n") == [AmiBanner("Asterisk Call Manager/1.0")]


def test_a_filter_holds_from_the_next_chunk_on() -> None:
    parsing = parser()
    data = b"Event: RTCPSent\r\n\r\n"
    assert len(parsing.feed(data)) == 1
    parsing.filter_events(EventFilter())
    assert not parsing.feed(data)
    assert parsing.dropped == 1
    assert parsing.seen("RTCPSent")
    assert not parsing.seen("Hangup")


def test_an_unknown_charset_is_an_error_at_once() -> None:
    with pytest.raises(LookupError):
        AmiParser(EVERYTHING, encoding="klingon")


def test_actions_are_written_as_every_asterisk_reads_them() -> None:
    assert encode_action([("Action", "Ping"), ("ActionID", "1")]) == b"Action: Ping\r\nActionID: 1\r\n\r\n"


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ([("Exten", "1\r\nAction: Command")], "line break or NUL"),
        ([("Exten", "1\n")], "line break or NUL"),
        ([("Exten", "\0")], "line break or NUL"),
        ([("Ex\rten", "1")], "line break or NUL"),
        ([("Ex:ten", "1")], "not the name of a header"),
        ([("", "1")], "not the name of a header"),
        ([("Exten", "x" * 1020)], "longer than Asterisk takes"),
        ([("ActionID", "x" * 200)], "ActionID is longer"),
        ([("Variable", "x")] * 128, "127 headers"),
    ],
)
def test_what_asterisk_would_misread_is_not_sent(headers: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        encode_action(headers)
