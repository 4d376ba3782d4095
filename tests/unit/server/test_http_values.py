"""Ranges, fields, page tokens and addresses, for any input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tertulia.http.kit.asgi import TrustedProxies, cookie
from tertulia.http.kit.fields import parse_fields
from tertulia.http.kit.paging import page_token, parse_page_token

from tertulia.domain.ids import LATEST, Millis
from tertulia.errors import InvalidInput
from tertulia.http.kit.errors import HttpError
from tertulia.http.kit.ranges import parse_range
from tertulia.services.ports import PageKey

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
        assert (refusal.value.status, refusal.value.headers[0][1]) == (416, f"bytes */{size}".encode())
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


@given(st.lists(st.sampled_from(["a", "b", "c", "zz", "", " ", " a "])))
def test_fields(names: list[str]):
    answer = {"a": 1, "b": 2, "c": 3}
    wanted = {name.strip() for name in names} - {""}
    kept = parse_fields(",".join(names))(answer)
    assert kept == ({name: answer[name] for name in answer if name in wanted} if wanted else answer)


@given(st.integers(0, LATEST), st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True))
def test_page_tokens_come_back(created: int, row_id: str):
    key = PageKey(Millis(created), row_id)
    assert parse_page_token(page_token(key)) == key


@given(st.text(max_size=60))
def test_any_page_token_is_read_or_refused(text: str):
    try:
        key = parse_page_token(text)
    except InvalidInput:
        return
    assert key is not None
    assert page_token(key) == text


def scope(client: str, **headers: str) -> dict[str, object]:
    return {
        "client": (client, 1),
        "headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()],
    }


@pytest.mark.parametrize(
    ("trusted", "client", "headers", "expected"),
    [
        ((), "9.9.9.9", {"x_forwarded_for": "1.1.1.1"}, "9.9.9.9"),
        (("10.0.0.0/8",), "9.9.9.9", {"x_forwarded_for": "1.1.1.1"}, "9.9.9.9"),
        (("10.0.0.0/8",), "10.0.0.1", {"x_forwarded_for": "6.6.6.6, 1.1.1.1"}, "1.1.1.1"),
        (("10.0.0.0/8",), "10.0.0.1", {"x_forwarded_for": "6.6.6.6, 1.1.1.1, 10.0.0.2"}, "1.1.1.1"),
        (("10.0.0.0/8",), "10.0.0.1", {"forwarded": 'for="[2001:db8::1]:80";proto=https, for=1.1.1.1:5'}, "1.1.1.1"),
        (("10.0.0.0/8",), "10.0.0.1", {"forwarded": 'for="[2001:db8::1]:80"'}, "2001:db8::1"),
        (("10.0.0.0/8",), "10.0.0.1", {}, "10.0.0.1"),
        (("*",), "10.0.0.1", {"x_forwarded_for": "6.6.6.6, 1.1.1.1"}, "1.1.1.1"),
    ],
)
def test_client_address(trusted, client, headers, expected):
    assert TrustedProxies(trusted).client(scope(client, **headers)) == expected


@given(st.text(max_size=100))
def test_any_cookie_header_is_read(text: str):
    raw = text.encode("utf-8", "replace").decode("latin-1")
    assert cookie({"headers": [(b"cookie", raw.encode("latin-1"))]}, "OvMeetAccessToken") is None or "OvMeet" in raw
