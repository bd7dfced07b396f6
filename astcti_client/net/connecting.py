"""A connection as the settings describe it; for the client with a window and the one without."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from astcti_client.net import seat
from astcti_client.net.connection import Connection
from astcti_client.net.messages import Mailbox
from astcti_client.net.transport import Address
from astcti_client.password import Password
from astcti_client.settings import Settings

logger = logging.getLogger(__name__)


def own_macs(local_address: str) -> Sequence[str]:
    """The addresses of this PC, best first. From any thread."""
    try:
        return seat.candidates(local_address)
    except (OSError, ValueError) as error:
        logger.warning("the network interfaces of this PC cannot be read (%s); give --mac", error)
        return ()


def connection_for(settings: Settings, password: Password, mailbox: Mailbox) -> Connection:
    """A connection that is not started yet; `mailbox` gets its messages, on the connection's thread."""
    address = Address(
        settings.host, settings.port, settings.tls, settings.ca_file, settings.server_name, settings.verify
    )
    return Connection(
        address,
        settings.user,
        password,
        mailbox,
        macs=lambda local_address: (settings.mac,) if settings.mac else own_macs(local_address),
        keep_alive=settings.keep_alive,
    )
