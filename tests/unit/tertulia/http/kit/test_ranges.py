"""The `Range` header, for any input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.http.kit.errors import HttpError
from tertulia.http.kit.ranges import parse_range

SIZES = st.integers(0, 10**6)


@given(st.text(max_size=60))
def test_any_range_header_is_read_or_refused(text: str):
    try:
        parse_range(text)
    except HttpError as refusal:
        status = refusal.status
    else:
        status = None
    assert status in {None, 400}


@given(SIZES, st.integers(0, 10**6), st.integers(0, 10**6))
def test_first_last(size: int, first: int, length: int):
    wanted = parse_range(f"bytes={first}-{first + length}")
    assert wanted is not None
    if first >= size:
        with pytest.raises(HttpError) as refusal:
            wanted.within(size)
        assert (refusal.value.status, refusal.value.headers["content-range"]) == (416, f"bytes */{size}")
    else:
        assert wanted.within(size) == (first, min(first + length + 1, size))


@given(SIZES, st.integers(0, 10**6))
def test_suffix_and_open_end(size: int, number: int):
    suffix, open_end = parse_range(f"bytes=-{number}"), parse_range(f"bytes={number}-")
    assert suffix is not None
    assert open_end is not None
    if number and size:
        assert suffix.within(size) == (max(0, size - number), size)
    else:
        with pytest.raises(HttpError):
            suffix.within(size)
    if number < size:
        assert open_end.within(size) == (number, size)


@given(st.integers(0, 100), st.integers(1, 100))
def test_reversed_is_malformed(last: int, more: int):
    with pytest.raises(HttpError) as refusal:
        parse_range(f"bytes={last + more}-{last}")
    assert refusal.value.status == 400
