"""Which MAC addresses are tried, and in which order."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import psutil
import pytest

from astcti_client.net import mac_addresses
from astcti_client.net.mac_addresses import (
    Interface,
    interfaces_from,
    mac_candidates,
    own_macs,
    read_interfaces,
)

LO = Interface("lo", "", ("127.0.0.1", "::1"))
CABLE = Interface("eth0", "00:00:00:00:00:01", ("192.168.1.5", "fe80::1%eth0"))
RADIO = Interface("wlan0", "00:00:00:00:00:02", ("192.168.1.6",))
DOCKER = Interface("docker0", "02:42:00:00:00:03", ("172.17.0.1",))
BRIDGE = Interface("br-12ab", "02:42:00:00:00:04", ("172.18.0.1",))
TUNNEL = Interface("tun0", "", ("10.8.0.2",))


def macs(*interfaces: Interface) -> tuple[str, ...]:
    return tuple(interface.mac for interface in interfaces)


def test_the_interface_that_reaches_the_server_comes_first_and_virtual_ones_last() -> None:
    known = [LO, DOCKER, CABLE, BRIDGE, RADIO]
    assert mac_candidates("192.168.1.6", known) == macs(RADIO, CABLE, DOCKER, BRIDGE)


def test_over_loopback_all_are_tried_hardware_first() -> None:
    assert mac_candidates("127.0.0.1", [LO, DOCKER, CABLE, RADIO]) == macs(CABLE, RADIO, DOCKER)


def test_through_a_tunnel_without_an_address_of_its_own_the_others_are_tried() -> None:
    assert mac_candidates("10.8.0.2", [LO, TUNNEL, CABLE]) == macs(CABLE)


def test_a_virtual_interface_that_reaches_the_server_still_comes_first() -> None:
    assert mac_candidates("172.18.0.1", [CABLE, BRIDGE]) == macs(BRIDGE, CABLE)


@pytest.mark.parametrize("local", ["fe80::1%2", "::ffff:192.168.1.5"])
def test_scopes_and_mapped_addresses_are_understood(local: str) -> None:
    assert mac_candidates(local, [RADIO, CABLE])[0] == CABLE.mac


def test_an_address_shared_by_bridge_and_card_is_tried_once() -> None:
    shared = Interface("br0", CABLE.mac, ("192.168.1.5",))
    assert mac_candidates("192.168.1.5", [shared, Interface("eth0", CABLE.mac), RADIO]) == macs(CABLE, RADIO)


def test_what_psutil_says_is_read_on_every_system() -> None:
    def entry(family: int, address: str) -> SimpleNamespace:
        return SimpleNamespace(family=family, address=address)

    listing = {
        "Ethernet": [entry(psutil.AF_LINK, "00-1A-2B-3C-4D-5E"), entry(socket.AF_INET, "10.0.0.1")],
        "lo": [entry(psutil.AF_LINK, "00:00:00:00:00:00"), entry(socket.AF_INET6, "::1")],
        "ib0": [entry(psutil.AF_LINK, "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:0b:8f:d1")],
    }
    assert interfaces_from(listing) == [
        Interface("Ethernet", "00:1a:2b:3c:4d:5e", ("10.0.0.1",)),
        Interface("lo", "", ("::1",)),
        Interface("ib0", "", ()),
    ]


def test_the_interfaces_of_this_pc_can_be_read() -> None:
    assert any(interface.loopback for interface in read_interfaces())


def test_a_pc_whose_interfaces_cannot_be_read_has_no_addresses_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mac_addresses, "read_interfaces", lambda: [CABLE])
    assert own_macs("192.168.1.5") == (CABLE.mac,)

    def unreadable() -> list[Interface]:
        raise PermissionError(13, "not allowed")

    monkeypatch.setattr(mac_addresses, "read_interfaces", unreadable)
    assert own_macs("192.168.1.5") == ()
    (message,) = caplog.messages
    assert "give --mac" in message
