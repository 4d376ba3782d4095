"""Addresses: where the server listens, and what it offers by itself."""

from __future__ import annotations

import pytest

from tertulia_sfu.addresses import LOOPBACK, bind_address, own_addresses


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["127.0.0.1"], "127.0.0.1"),
        (["127.0.0.2", "127.0.0.1"], "127.0.0.2"),
        (["127.0.0.1", "192.0.2.1"], "0.0.0.0"),
    ],
)
def test_only_loopback_addresses_are_listened_on_alone(addresses: list[str], expected: str) -> None:
    assert bind_address(addresses) == expected


def test_what_is_not_an_ip_address_is_an_error() -> None:
    with pytest.raises(ValueError, match="localhost"):
        bind_address(["localhost"])


def test_loopback_is_always_offered_and_only_once() -> None:
    assert own_addresses().count(LOOPBACK) == 1
