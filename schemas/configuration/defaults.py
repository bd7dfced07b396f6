"""The defaults that one value of the configuration takes from another. Standard library only, pure."""

from __future__ import annotations

import ipaddress

from schemas import mac_address


def seat_interfaces(extension: str, queue_interface: str, state_interface: str) -> tuple[str, str]:
    """Return a seat's queue interface and state interface, the latter empty where it says nothing new."""
    queue_interface = queue_interface or extension
    if queue_interface != extension:
        return queue_interface, state_interface or extension
    return queue_interface, "" if state_interface == extension else state_interface


def address_or_text(text: str) -> str:
    """Return an IP address as the system writes a peer's, or what is none as it is, for the checks to refuse.

    An IPv4 address inside an IPv6 one is the IPv4 address.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    return str(getattr(address, "ipv4_mapped", None) or address)


def mac_or_text(text: str) -> str:
    """Return a MAC address in its canonical form, or what is none as it is, for the checks to refuse."""
    try:
        return mac_address.canonical(text)
    except ValueError:
        return text
