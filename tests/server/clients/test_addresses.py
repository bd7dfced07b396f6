"""Addresses of peers, as the configuration writes them."""

from __future__ import annotations

import socket

import pytest

from astcti_server.clients import addresses


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("192.0.2.3", "192.0.2.3"),
        ("::ffff:192.0.2.3", "192.0.2.3"),
        ("fe80::1%eth0", "fe80::1"),
        ("FE80:0::1", "fe80::1"),
        ("no address", "no address"),
    ],
)
def test_one_address_has_one_spelling(address: str, wanted: str) -> None:
    assert addresses.plain(address) == wanted
    assert addresses.same(address, wanted)


def test_only_this_machine_reaches_a_loopback_address() -> None:
    assert addresses.is_loopback(("127.0.0.1", 5000))
    assert addresses.is_loopback(("::1", 5000, 0, 0))
    assert not addresses.is_loopback(("192.0.2.3", 5000))


def test_the_address_to_listen_on_may_be_an_ip() -> None:
    assert addresses.to_listen_on("127.0.0.1", 5000) == (socket.AF_INET, ("127.0.0.1", 5000))
