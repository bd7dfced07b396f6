"""What asks the server for its figures."""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random

from tests.fuzz.target import Attempt, Broken, FuzzTarget

REQUESTS = (
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: text/plain;version=0.0.4\r\n\r\n",
    b"HEAD /health/ready HTTP/1.0\r\n\r\n",
    b"GET /metrics?name[]=a%00&name[]=b HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip;q=0\r\nAccept: application/openmetrics-text;"
    b" version=1.0.0; escaping=allow-utf-8\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    b"GET http://u:p@h/%2e%2e/health/live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
)
HTTP_TOKENS = (
    *(
        b"GET ",
        b"HEAD ",
        b"/metrics",
        b"/health/live",
        b"?name[]=",
        b" HTTP/1.1\r\n",
        b"Host: ",
        b"Accept: ",
        b"Accept-Encoding: ",
    ),
    *(
        b"Content-Length: ",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
        b"Connection: ",
        b";q=",
        b"%ff",
        b"//",
    ),
    *(
        b"application/openmetrics-text; version=1.0.0; escaping=values",
        b"X-Forwarded-For: 1\r\n",
        b"\r\n\r\n",
        b"\r\n ",
    ),
)


_TARGETS = (
    *(
        "/metrics",
        "/health/live",
        "/health/ready",
        "/metrics?name[]=a",
        "/metrics?name[]=%00&name[]=b",
        "/",
        "//metrics",
    ),
    *(
        "http://h/metrics",
        "http://u:p@h:x/metrics",
        "http://[/",
        "/%2e%2e/metrics",
        "/metrics/",
        "*",
        "/\u00e8",
        "/metrics#x",
    ),
)
_HEADERS = (
    *(
        "Host: x",
        "Host: x",
        "Accept: */*",
        "Accept: text/plain;version=0.0.4",
        "Accept: text/plain;version=x",
    ),
    *(
        "Accept: application/openmetrics-text; version=1.0.0; escaping=allow-utf-8",
        "Accept: ;q=x,,;=",
        "Accept:",
    ),
    *(
        "Accept-Encoding: gzip",
        "Accept-Encoding: gzip;q=0",
        "Content-Length: 3",
        "Content-Length: -1",
        "X: \t",
    ),
    *(
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: x",
        "Expect: 100-continue",
        "Connection: close",
        " folded: x",
    ),
    *(
        "Content-Length: 99999999999",
        "X-Forwarded-For: 1",
        "bad header",
        ": x",
        "Host : x",
        "X: \u00e8",
        "X: " + "y" * 5000,
    ),
)


def _grow_request(random: Random) -> bytes:
    """A request that waitress takes, more often than not."""
    method = random.choice(("GET", "GET", "GET", "HEAD", "POST", "get", "OPTIONS", "", "G\u00c8T"))
    target = random.choice(_TARGETS)
    version = random.choice(
        (" HTTP/1.1", " HTTP/1.1", " HTTP/1.0", "", " HTTP/9", " http/1.1", " HTTP/1.1 x")
    )
    headers = random.choices(_HEADERS, k=random.randint(0, 4))
    body = random.choice(("", "", "abc", "5\r\nabcde\r\n0\r\n\r\n", "x\r\n"))
    return "\r\n".join((f"{method} {target}{version}", *headers, "", body)).encode("utf-8")


def _figures() -> Attempt:
    """What waitress makes of a request, and what is answered; only the socket is missing."""
    from prometheus_client import CollectorRegistry
    from waitress.adjustments import Adjustments

    from astcti_server.metrics.web_server import MetricsServer
    from schemas.server.settings import MetricsSettings
    from schemas.web.http_requests import QuickRequestParser

    server = MetricsServer(
        MetricsSettings("127.0.0.1", 0), CollectorRegistry(), dead=dict, not_ready=lambda: {"pbx": "down"}
    )
    adjustments = Adjustments(max_request_header_size=16384, max_request_body_size=1024)

    def attempt(data: bytes) -> str:
        parser = QuickRequestParser(adjustments)
        while data and not parser.completed:
            try:
                taken = parser.received(data)
            except ValueError:  # of an address that is none: waitress closes the connection, and says so once
                return "closed by waitress"
            data = data[taken:]
            if not taken:
                break
        if not parser.completed:
            return "not complete"
        if parser.empty:
            return "empty"
        if parser.error is not None:
            return f"refused: {parser.error.code}"
        environ = {
            "REQUEST_METHOD": parser.command.upper(),
            "PATH_INFO": parser.path,
            "QUERY_STRING": parser.query,
            "wsgi.input": io.BytesIO(),
            **{f"HTTP_{name}": value for name, value in parser.headers.items()},
        }
        said: list[str] = []

        def start(status: str, *_: object) -> Callable[[bytes], object]:
            said.append(status)
            return lambda _data: None

        body = b"".join(server.answer(environ, start))
        if len(said) != 1 or len(body) > 1 << 20:
            raise Broken(f"{said} and {len(body)} bytes")
        return said[0]

    return attempt


TARGETS = (
    FuzzTarget(
        "metrics-requests",
        "HTTP requests to the figures' address",
        _figures,
        lambda: REQUESTS,
        tokens=HTTP_TOKENS,
        grow=_grow_request,
        reaches="200 OK",
        longest=8192,
    ),
)
