"""IP addresses of the peers, and the address to listen on. No names are looked up but `localhost`'s like."""

from __future__ import annotations

import functools
import ipaddress
import socket
from typing import Any


@functools.lru_cache(maxsize=4096)  # asked for several times for each client, and most come back
def plain(address: str) -> str:
    """An IP address as the configuration writes it: IPv4 inside of IPv6 is IPv4, an IPv6 zone is dropped."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


@functools.lru_cache(maxsize=4096)
def network(address: str) -> str:
    """Whose connection it is, for counting: an IPv4 address, or the /64 of an IPv6 one.

    Everybody who has IPv6 has 2**64 addresses, and may take another one for each connection.
    """
    found = plain(address)
    return f"{ipaddress.ip_network((found, 64), strict=False)}" if ":" in found else found


def same(one: str, other: str) -> bool:
    """Whether two texts are the same IP address."""
    return plain(one) == plain(other)


def to_listen_on(address: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    """The family and the socket address for `address`, an IP or a name. Raises OSError if it has none."""
    found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, bound = found[0]
    return family, bound


def is_loopback(bound: tuple[Any, ...]) -> bool:
    """Whether a socket address can be reached from this machine alone."""
    return ipaddress.ip_address(plain(bound[0])).is_loopback
