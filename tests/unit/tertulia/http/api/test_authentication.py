"""Bearer tokens and cookies, for any header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from support.asgi import http_scope
from tertulia.http.api.authentication import ACCESS_COOKIE, bearer, cookie, set_cookie


def request(**headers: str) -> Request:
    return Request(http_scope("/", headers=headers))


@given(st.text(max_size=100))
def test_any_cookie_header_is_read(text: str):
    raw = text.encode("utf-8", "replace").decode("latin-1")
    assert cookie(request(cookie=raw), ACCESS_COOKIE) is None or "OvMeet" in raw


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("a=1; b=2", "2"), ('b="2"', "2"), ("b=2; b=3", "2"), ("b", ""), ("b=", ""), ("ab=1", None), ("", None),
        ("b=2=3", "2=3"),
    ],
)  # fmt: skip
def test_cookie(header, value):
    assert cookie(request(cookie=header), "b") == value


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer x", "x"), ("bearer  x ", "x"), ("Basic x", None), ("Bearer", None), ("Bearer ", None), ("", None)],
)
def test_bearer(header, token):
    assert bearer(request(authorization=header)) == token


def test_set_cookie():
    response = Response()
    set_cookie(response, "a", "b.c", path="/x", max_age_s=60, secure=True)
    value = response.headers["set-cookie"]
    assert set(value.split("; ")) == {"a=b.c", "Path=/x", "Max-Age=60", "HttpOnly", "SameSite=Strict", "Secure"}
