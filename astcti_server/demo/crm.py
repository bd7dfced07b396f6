"""A stand-in for the page that a call centre opens for a caller. Loopback only; part of `make demo`."""

from __future__ import annotations

import html
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Ticket {ticket}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem;
        color-scheme: light dark; }}
td {{ padding: .3rem 1.5rem .3rem 0; border-bottom: 1px solid #8884; }}
</style></head>
<body><h1>Ticket {ticket}</h1><p>This page stands for your own application. It was opened with:</p>
<table>{rows}</table></body></html>
"""


class _Ticket(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the base class wants this name
        """Show what the URL says, as text."""
        values = parse_qsl(urlsplit(self.path).query, keep_blank_values=True, max_num_fields=50)
        rows = "".join(f"<tr><td>{html.escape(k)}</td><td>{html.escape(v)}</td></tr>" for k, v in values)
        ticket = html.escape(dict(values).get("id", "without a number"))
        body = PAGE.format(ticket=ticket, rows=rows).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # the base class's name
        """Say nothing: the terminal belongs to the calls."""


class Crm:
    """`start`, use `url`, `stop`."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Ticket)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="crm")

    def start(self) -> None:
        """Serve until stopped."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
