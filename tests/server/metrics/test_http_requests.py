"""Requests that a web server would take long to read."""

import time

import pytest
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel

from schemas.web.http_requests import QuickRequestParser, read_requests_quickly


def parsed(data: bytes) -> QuickRequestParser:
    parser = QuickRequestParser(Adjustments())
    parser.received(data)
    return parser


@pytest.mark.parametrize(
    "line",
    [
        b"GET http://u:p@h:" + b"9" * 100_000 + b" x",
        b"GET " + b"a://" * 20_000 + b" HTTP/1.1 x",
        b"A" * 100_000,
    ],
)
def test_a_first_line_that_is_none_is_refused_in_a_moment(line: bytes) -> None:
    began = time.process_time()
    parser = parsed(line + b"\r\n\r\n")
    assert time.process_time() - began < 1  # a millisecond; waitress alone takes minutes for the first one
    assert parser.completed and parser.error.code == 400


@pytest.mark.parametrize(
    ("line", "path", "query", "version"),
    [
        (b"GET /metrics?a=b HTTP/1.1", "/metrics", "a=b", "1.1"),
        (b"GET http://u:p@h:8080/x HTTP/1.0", "/x", "", "1.0"),
        (b"GET /", "/", "", ""),
        (b"GET /a%20b:c HTTP/1.1", "/a b:c", "", "1.1"),
    ],
)
def test_other_requests_are_read_as_ever(line: bytes, path: str, query: str, version: str) -> None:
    parser = parsed(line + b"\r\nHost: h\r\n\r\n")
    assert parser.error is None
    assert (parser.path, parser.query, parser.version) == (path, query, version)


def test_every_server_of_the_process_reads_so() -> None:
    read_requests_quickly()
    assert HTTPChannel.parser_class is QuickRequestParser
