"""Runs the web application in waitress until it is asked to stop. Main thread."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType

import click
from waitress.server import create_server

from schemas.web.http_requests import read_requests_quickly
from schemas.web.large_blocks import give_large_blocks_back

logger = logging.getLogger(__name__)
WAITRESS_THREADS = 8
SWITCH = 50e-6
"""Seconds after which a thread that only computes lets another one go on. A query gives up its turn at each
row: with Python's 5 ms a page waits that long for each, beside somebody's publication. With twice this
time the longest list of five people takes a fifth longer (measured)."""
LARGEST_REQUEST = 64 * 1024 * 1024  # bytes; an import has half of that at most
LOCAL = ("127.0.0.1", "::1", "localhost")
FORWARDED = {"x-forwarded-for", "x-forwarded-proto"}


def listen_address(listen: str) -> tuple[str, int]:
    """Host and port of `ADDRESS:PORT`; without an address, loopback. UsageError."""
    host, _, port = listen.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise click.UsageError(f"--listen {listen}: write ADDRESS:PORT, such as 127.0.0.1:8080")
    return host.strip("[]") or "127.0.0.1", int(port)


def host_names(host: str) -> list[str]:
    """How a browser names an address that is listened on; none where that is every address."""
    if host in ("0.0.0.0", "::"):
        return []
    return [f"[{host}]" if ":" in host else host]


def serve(host: str, port: int, *, behind_proxy: bool = False) -> None:
    """Listen, say where, and serve until SIGTERM or SIGINT. ClickException if the address is taken."""
    from configurator.users.lost_passwords import mails
    from configurator.users.request_mails import request_mails
    from configurator.wsgi import application

    give_large_blocks_back()
    sys.setswitchinterval(SWITCH)
    logging.getLogger("waitress").setLevel(logging.WARNING)
    read_requests_quickly()
    proxy = {"trusted_proxy": "*", "trusted_proxy_headers": FORWARDED}  # it comes from ::1 as well
    try:
        server = create_server(
            application,
            host=host,
            port=port,
            threads=WAITRESS_THREADS,
            ident="",
            clear_untrusted_proxy_headers=True,
            max_request_body_size=LARGEST_REQUEST,
            **(proxy if behind_proxy else {}),
        )
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from None

    def stop(number: int, _: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=_read_ahead, name="read-ahead", daemon=True).start()
    real = getattr(server, "effective_port", port)
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"Configurator: http://{shown}:{real}/")
    if host not in LOCAL and not behind_proxy:
        click.echo(
            "Passwords travel unencrypted on this address: put a proxy with TLS in front (--https)", err=True
        )
    if host not in LOCAL and behind_proxy:
        click.echo(
            "Let a firewall keep all but the proxy from this address: others may say to come from anywhere",
            err=True,
        )
    try:
        server.run()
    except (SystemExit, KeyboardInterrupt):
        pass
    finally:
        server.close()
        mails.finish()
        request_mails.finish()


def _read_ahead() -> None:
    """Read what the first page for publishing needs, while nobody waits for it. A thread's own."""
    from django.db import connections

    from configurator.publishing.read_ahead import read_ahead
    from configurator.web.memory import collect_in_quiet_moments

    try:
        read_ahead()
    except Exception:
        logger.exception("nothing was read ahead: the first page for publishing takes longer")
    finally:
        connections.close_all()
    collect_in_quiet_moments()
