"""The limit of failures, in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.domain.ids import Millis
from tertulia.errors import TooManyRequests
from tertulia.services.rate_limits import FailureLimit, address_key


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=60).map(sorted))
def test_never_more_than_allowed_in_any_window(times: list[int]):
    limit = FailureLimit(failures=3, window_ms=1000)
    let_in: list[int] = []
    for now in times:
        try:
            limit.check("k", now_ms=Millis(now))
        except TooManyRequests:
            continue
        limit.failed("k", now_ms=Millis(now))
        let_in.append(now)
    for number, began in enumerate(let_in):
        assert len([one for one in let_in[number:] if one < began + 1000]) <= 3


def test_waiting_as_told_is_enough():
    limit = FailureLimit(failures=1, window_ms=1500)
    limit.failed("k", now_ms=Millis(100))
    with pytest.raises(TooManyRequests) as refusal:
        limit.check("k", now_ms=Millis(200))
    limit.check("k", now_ms=Millis(200 + refusal.value.retry_after_s * 1000))


def test_forgiven_and_others_do_not_count():
    limit = FailureLimit(failures=1, window_ms=1000)
    limit.failed("k", now_ms=Millis(0))
    limit.check("other", now_ms=Millis(1))
    limit.forgive("k")
    limit.check("k", now_ms=Millis(1))


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
