"""Which addresses count as one."""

from __future__ import annotations

import pytest

from tertulia.domain.addresses import address_key


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.2.3.4", "1.2.3.4", True),
        ("1.2.3.4", "1.2.3.5", False),
        ("::ffff:1.2.3.4", "1.2.3.4", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:DB8:0:1::1", "2001:db8::1:0:0:0:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("_hidden", "_other", False),
        ("unknown", "unknown", True),
    ],
)
def test_addresses_that_count_together(one: str, other: str, same: bool):
    """Addresses are counted by /64 in IPv6."""
    assert (address_key(one) == address_key(other)) == same
    assert len(address_key("x" * 10_000)) < 100
