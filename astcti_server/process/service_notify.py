"""Tells the init system how the daemon is: systemd's notification protocol, silent where there is none.

Standard library only. Main thread.
"""

from __future__ import annotations

import logging
import os
import socket

logger = logging.getLogger(__name__)


def notify(state: str) -> bool:
    """Send e.g. `READY=1` to the socket that systemd named in NOTIFY_SOCKET. False if there is none."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]  # an abstract socket
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
            connection.sendto(state.encode(), address)
    except OSError as error:
        logger.warning("Cannot tell the init system %r through NOTIFY_SOCKET: %s", state, error)
        return False
    return True
