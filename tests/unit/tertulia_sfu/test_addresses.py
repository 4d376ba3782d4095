"""Addresses: where the server listens, and what it offers by itself."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from tertulia_sfu.addresses import LOOPBACK, _ipv6_addresses, bind_addresses, own_addresses


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["127.0.0.1"], ["127.0.0.1"]),
        (["127.0.0.2", "127.0.0.1"], ["0.0.0.0"]),
        (["127.0.0.1", "192.0.2.1"], ["0.0.0.0"]),
        (["::1"], ["::1"]),
        (["::1", "127.0.0.1"], ["127.0.0.1", "::1"]),
        (["2001:db8::1", "192.0.2.1", "127.0.0.1"], ["0.0.0.0", "::"]),
        (["2001:db8::1", "127.0.0.1"], ["127.0.0.1", "::"]),
    ],
)
def test_only_loopback_addresses_are_listened_on_alone(addresses: list[str], expected: list[str]) -> None:
    assert bind_addresses(addresses) == expected


def test_what_is_not_an_ip_address_is_an_error() -> None:
    with pytest.raises(ValueError, match="localhost"):
        bind_addresses(["localhost"])


def test_loopback_is_always_offered_and_only_once_and_last() -> None:
    assert own_addresses()[-1] == LOOPBACK
    assert own_addresses().count(LOOPBACK) == 1


def test_what_is_offered_belongs_to_this_machine_and_can_be_reached_from_others() -> None:
    for address in own_addresses()[:-1]:
        parsed = ipaddress.ip_address(address)
        assert not parsed.is_loopback
        assert not parsed.is_link_local
        with socket.socket(socket.AF_INET if parsed.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))


def test_ipv6_addresses_that_expire_or_are_not_global_are_not_offered() -> None:
    table = """\
20010db8000000000000000000000001 02 40 00 80     eth0
20010db8000000000000000000000002 02 40 00 01     eth0
20010db8000000000000000000000003 02 40 00 20     eth0
20010db8000000000000000000000004 02 40 00 40     eth0
fe800000000000000000000000000001 02 40 20 80     eth0
20010db8000000000000000000000005 03 40 00 80  docker0
00000000000000000000000000000001 01 80 10 80       lo
"""
    assert list(_ipv6_addresses(table, ["lo", "eth0"])) == ["2001:db8::1"]
