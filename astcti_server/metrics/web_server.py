"""Answers Prometheus at /metrics, and monitoring at /health/live and /health/ready: a thread of its own.

waitress reads requests without a thread for each, so that a peer who sends slowly holds nobody up, and
answers four at a time.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from prometheus_client import CollectorRegistry, make_wsgi_app
from waitress import wasyncore
from waitress.server import create_server

from astcti_server.threads import Died, ServiceThread
from schemas.server.settings import MetricsSettings
from schemas.web.http_requests import read_requests_quickly

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

AT_ONCE: Final = 4
"""Scrapes that are answered at a time; the next ones wait."""
MOST_CONNECTIONS: Final = 64
DEADLINE: Final = 10
"""Seconds after which a connection on which nothing moves is closed."""

_VERSIONS: Final = re.compile(r"version=([^;,]*)")
_VERSION: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}", re.ASCII)

Trouble: TypeAlias = Callable[[], Mapping[str, str]]
"""What is wrong, by a word for it; empty if nothing is."""


class MetricsServer(ServiceThread):
    """Listens from the moment it is made; `start`, `stop` and `join` as of any thread of the server."""

    def __init__(
        self,
        settings: MetricsSettings,
        registry: CollectorRegistry,
        *,
        dead: Trouble,
        not_ready: Trouble,
        died: Died | None = None,
    ) -> None:
        """`dead`: why the server should be started anew; `not_ready`: why it is of no use now.

        Raises OSError if the port cannot be had.
        """
        super().__init__("metrics", died)
        self._metrics = make_wsgi_app(registry)
        self._dead = dead
        self._not_ready = not_ready
        logging.getLogger("waitress").setLevel(logging.ERROR)
        self._sockets: dict[int, Any] = {}
        read_requests_quickly()
        self._server = create_server(
            self.answer,
            self._sockets,
            host=settings.address,
            port=settings.port,
            threads=AT_ONCE,
            connection_limit=MOST_CONNECTIONS,
            channel_timeout=DEADLINE,
            cleanup_interval=DEADLINE // 2,
            ident="astcti",
            max_request_header_size=16 * 1024,
            max_request_body_size=1024,
            clear_untrusted_proxy_headers=True,
        )

    @property
    def port(self) -> int:
        """Where it listens; of use when 0 was asked for."""
        return int(self._server.effective_port)

    def serve(self) -> None:
        """Answer until asked to stop."""
        try:
            while not self.stopping.is_set():
                wasyncore.loop(timeout=1.0, use_poll=True, map=self._sockets, count=1)
        finally:
            self.abandon()

    def wake(self) -> None:
        """Get the loop out of its wait."""
        if self.is_alive():
            self._server.pull_trigger()

    def abandon(self) -> None:
        """Close everything: of a thread that was never started, or at its end."""
        self._server.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._sockets, ignore_all=True)

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI), on a thread of waitress."""
        method = environ.get("REQUEST_METHOD")
        if method not in ("GET", "HEAD"):
            return _say(start_response, "405 Method Not Allowed", {"error": "only GET and HEAD are answered"})
        # Monitoring asks with HEAD. prometheus-client refuses it, and waitress would send the body.
        body = self._content({**environ, "REQUEST_METHOD": "GET"}, start_response)
        return body if method == "GET" else []

    def _content(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            found: Iterable[bytes] = self._metrics(_understood(environ), start_response)
            return found
        if path == "/health/live":
            return _health(start_response, self._dead())
        if path == "/health/ready":
            return _health(start_response, self._not_ready())
        return _say(start_response, "404 Not Found", {"see": "/metrics, /health/live, /health/ready"})


def _understood(environ: WSGIEnvironment) -> WSGIEnvironment:
    """The request as prometheus-client takes it: of a version that is none it makes a TypeError."""
    versions = _VERSIONS.findall(environ.get("HTTP_ACCEPT", ""))
    if all(_VERSION.fullmatch(version) for version in versions):
        return environ
    return {name: value for name, value in environ.items() if name != "HTTP_ACCEPT"}


def _health(start_response: StartResponse, trouble: Mapping[str, str]) -> list[bytes]:
    status: Literal["200 OK", "503 Service Unavailable"] = "503 Service Unavailable" if trouble else "200 OK"
    return _say(start_response, status, {"ok": not trouble, **trouble})


def _say(start_response: StartResponse, status: str, content: Mapping[str, object]) -> list[bytes]:
    body = json.dumps(content).encode() + b"\n"
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(status, [*headers, ("Cache-Control", "no-store")])
    return [body]
