"""The lines of the client protocol: cut from a stream, read, and written so that nobody can forge one."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import wire
from schemas.protocol import ReplyCode
from schemas.wire import BadLine, CommandLine, LineBuffer, Oversize, Reply


def cut(data: bytes, size: int, limit: int = 4096) -> list[bytes | Oversize]:
    buffer = LineBuffer(limit)
    return [line for start in range(0, len(data), size) for line in buffer.feed(data[start : start + size])]


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b""))), st.integers(1, 50))
def test_lines_are_the_same_wherever_the_stream_is_cut(lines: list[bytes], size: int) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    assert cut(stream, size) == [line.removesuffix(b"\r") for line in lines]


def test_one_carriage_return_before_the_line_feed_is_dropped_and_no_other() -> None:
    assert cut(b"NOOP\r\nUSER a\r\r\n\rX\n", 100) == [b"NOOP", b"USER a\r", b"\rX"]


def test_a_half_line_waits_for_its_end() -> None:
    buffer = LineBuffer(4096)
    assert buffer.feed(b"NO") == []
    assert buffer.feed(b"OP") == []
    assert buffer.feed(b"\nQUIT") == [b"NOOP"]
    assert buffer.feed(b"\n") == [b"QUIT"]


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_a_line_may_have_as_many_bytes_as_the_limit_says_without_its_ending(size: int) -> None:
    stream = b"12345678\r\n12345678\n123456789\nok\n"
    assert cut(stream, size, limit=8) == [b"12345678", b"12345678", Oversize(8), b"ok"]


@given(st.binary(max_size=60), st.integers(1, 30), st.integers(1, 8))
def test_too_long_lines_are_reported_once_wherever_they_are_cut(data: bytes, size: int, limit: int) -> None:
    stream = data + b"\n"
    expected = [
        line if len(line) <= limit else Oversize(limit)
        for line in (raw.removesuffix(b"\r") for raw in stream.split(b"\n")[:-1])
    ]
    assert cut(stream, size, limit) == expected


def test_an_endless_line_is_reported_at_once_and_not_kept() -> None:
    buffer = LineBuffer(4096)
    found = [line for _ in range(1000) for line in buffer.feed(b"x" * 1000)]
    assert found == [Oversize(4096)]
    assert len(pickle.dumps(buffer)) < 1000


def test_a_command_is_its_token_and_its_parameters() -> None:
    assert wire.parse_command(b"orig  0551234\toutbound 1 ") == CommandLine("ORIG", "0551234 outbound 1")
    assert wire.parse_command(b"orig  0551234\toutbound 1 ").args == ("0551234", "outbound", "1")
    assert wire.parse_command(b"NOOP").args == ()
    assert wire.parse_command(b"PAUSE in  lunch  with Anna ").after(1) == "lunch  with Anna"
    assert wire.parse_command(b"PAUSE in").after(1) == ""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "empty line"),
        (b"  \t", "empty line"),
        (b"\xff\xfe", "not UTF-8"),
        (b"100 OK", "not a command"),
        (b"\x00NOOP", "not a command"),
        (b"N\x1b[2JOOP", "not a command"),
        ("ＮＯＯＰ".encode(), "not a command"),
    ],
)
def test_what_is_no_command_is_refused_with_a_reason(line: bytes, reason: str) -> None:
    with pytest.raises(BadLine, match=reason):
        wire.parse_command(line)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_command_or_a_bad_line(line: bytes) -> None:
    try:
        found = wire.parse_command(line)
    except BadLine as error:
        assert str(error).isprintable()
    else:
        assert found.token == found.token.upper()
        assert all(found.args)


def test_a_reply_is_its_number_and_its_words() -> None:
    assert wire.reply(ReplyCode.OK, "OK", "PJSIP/201") == b"100 OK PJSIP/201\n"
    assert wire.reply(ReplyCode.PAUSE_STATE, "IN", "") == b"310 IN\n"
    assert wire.reply(ReplyCode.PAUSE_REFUSED, "KO", "perché") == "302 KO perché\n".encode()


@given(st.lists(st.text(st.characters(codec=None))))  # lone surrogates too
def test_no_word_of_a_reply_can_begin_another_line(words: list[str]) -> None:
    line = wire.reply(ReplyCode.REFUSED, *words)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert len(line.decode().splitlines()) == 1
    assert not any(ord(character) < 32 for character in line.decode()[:-1])


def test_a_line_that_comes_byte_by_byte_is_whole_in_the_end() -> None:
    buffer = LineBuffer(4096)
    assert not any(buffer.feed(bytes([byte])) for byte in b"x" * 200)
    assert buffer.feed(b"\n") == [b"x" * 200]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"100 OK", Reply(100, "OK", "")),
        (b"101 KO wrong  password ", Reply(101, "KO", "wrong  password")),
        (b"200 support", Reply(200, "support", "")),
        (b"220 inbound astctidemo Demo service", Reply(220, "inbound", "astctidemo Demo service")),
        (b"221", Reply(221, "", "")),
    ],
)
def test_a_server_line_with_a_number_is_a_reply(line: bytes, expected: Reply) -> None:
    assert wire.parse_server_line(line) == expected


def test_the_information_of_a_reply_is_everything_after_its_number() -> None:
    found = wire.parse_server_line(b"230 Lunch break")
    assert isinstance(found, Reply)
    assert found.information == "Lunch break"


@pytest.mark.parametrize("line", [b"", b"hello", b"100OK", b"1\xff", b"<event>", b"12345678 OK", b"<a/>"])
def test_a_server_line_that_is_neither_reply_nor_event_is_refused(line: bytes) -> None:
    with pytest.raises(BadLine):
        wire.parse_server_line(line)
