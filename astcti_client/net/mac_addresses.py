"""The MAC addresses by which this PC may be known to the server as a seat."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

from schemas.mac_address import canonical

logger = logging.getLogger(__name__)

# Names that systems give to interfaces which are no hardware of this PC. They are tried, but last: on a PC
# whose network card is part of a bridge, the bridge is what carries the address that the administrator sees.
_VIRTUAL = re.compile(
    r"(br-|bridge|br\d|docker|veth|virbr|vmnet|vboxnet|vethernet|virtualbox|vmware|hyper-v|lxc|lxd|cni|flannel|"
    r"cali|podman|tun|tap|wg|utun|awdl|llw|anpi|ap\d|zt|tailscale|dummy|ifb|bond|team|vlan|macvlan|isatap|teredo|"
    r"bluetooth|local area connection\*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface: its MAC address (lower case, colons; or empty) and its IP addresses."""

    name: str
    mac: str
    addresses: tuple[str, ...] = ()

    @property
    def loopback(self) -> bool:
        """Whether it only reaches this PC itself."""
        return any(_ip(address).is_loopback for address in self.addresses)


def mac_candidates(local_address: str, interfaces: Sequence[Interface] | None = None) -> tuple[str, ...]:
    """The MAC addresses to try, best first, for a connection that leaves from `local_address`.

    First the interface that has this address, then the others, hardware before virtual ones. A connection
    over loopback tells nothing, so then every interface is among the others. Each address appears once.
    """
    interfaces = read_interfaces() if interfaces is None else interfaces
    known = [interface for interface in interfaces if not interface.loopback]
    wanted = _ip(local_address)
    reaching = [each for each in known if any(_ip(address) == wanted for address in each.addresses)]
    others = sorted(
        (interface for interface in known if interface not in reaching),
        key=lambda interface: bool(_VIRTUAL.match(interface.name)),
    )
    found = (interface.mac for interface in (*reaching, *others))
    return tuple(dict.fromkeys(mac for mac in found if mac))


def own_macs(local_address: str) -> Sequence[str]:
    """`mac_candidates` of this PC; none, and a warning, where its interfaces cannot be read. Any thread."""
    try:
        return mac_candidates(local_address)
    except (OSError, ValueError) as error:
        logger.warning("the network interfaces of this PC cannot be read (%s); give --mac", error)
        return ()


def read_interfaces() -> list[Interface]:
    """This PC's interfaces, in the system's order."""
    return interfaces_from(psutil.net_if_addrs())


def interfaces_from(listing: Mapping[str, Sequence[object]]) -> list[Interface]:
    """Interfaces from what `psutil.net_if_addrs` returns."""
    found = []
    for name, entries in listing.items():
        mac, addresses = "", []
        for entry in entries:
            family, address = getattr(entry, "family", None), str(getattr(entry, "address", ""))
            if family == psutil.AF_LINK:
                with contextlib.suppress(ValueError):  # all zeros, or longer than a network card's
                    mac = canonical(address)
            elif family in (socket.AF_INET, socket.AF_INET6):
                addresses.append(address)
        found.append(Interface(name, mac, tuple(addresses)))
    return found


def _ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip
