"""The limit of failures, in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.domain.ids import Millis
from tertulia.errors import TooManyRequests
from tertulia.services.rate_limits import RateLimit


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=60).map(sorted))
def test_never_more_than_allowed_in_any_window(times: list[int]):
    limit = RateLimit(count=3, window_ms=1000)
    let_in: list[int] = []
    for now in times:
        try:
            limit.check("k", now_ms=Millis(now))
        except TooManyRequests:
            continue
        limit.count("k", now_ms=Millis(now))
        let_in.append(now)
    for number, began in enumerate(let_in):
        assert len([one for one in let_in[number:] if one < began + 1000]) <= 3


def test_waiting_as_told_is_enough():
    limit = RateLimit(count=1, window_ms=1500)
    limit.count("k", now_ms=Millis(100))
    with pytest.raises(TooManyRequests) as refusal:
        limit.check("k", now_ms=Millis(200))
    limit.check("k", now_ms=Millis(200 + refusal.value.retry_after_s * 1000))


def test_forgiven_and_others_do_not_count():
    limit = RateLimit(count=1, window_ms=1000)
    limit.count("k", now_ms=Millis(0))
    limit.check("other", now_ms=Millis(1))
    limit.forgive("k")
    limit.check("k", now_ms=Millis(1))
