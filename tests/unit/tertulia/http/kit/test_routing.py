"""Routing: escaped slashes, methods, prefixes."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match

from support.asgi import http_scope, response_of
from tertulia.http.kit.errors import Endpoint
from tertulia.http.kit.routing import MethodRoute, Prefix, SegmentRouter


async def names(request: Request) -> Response:
    return PlainTextResponse("|".join(request.path_params.values()) or "literal")


NAMES = Endpoint(Request, names)
ROUTER = SegmentRouter([
    MethodRoute("/people/token", {"POST": NAMES}, also=["DELETE"]),
    MethodRoute("/rooms/{room:segment}/people/{person:segment}", {"GET": NAMES, "PUT": NAMES}),
    MethodRoute("/people/{person:segment}", {"DELETE": NAMES}),
])  # fmt: skip


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
async def test_any_name_is_one_segment(room: str, person: str):
    raw = f"/rooms/{quote(room, safe='')}/people/{quote(person, safe='')}"
    scope = http_scope(f"/rooms/{room}/people/{person}", raw_path=raw)
    status, _headers, body = await response_of(ROUTER, scope)
    assert (status, body.decode()) == (200, f"{room}|{person}")
    assert scope["path"] == f"/rooms/{room}/people/{person}", "middleware around it sees the path as it was"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/rooms/a/people/b", 200),
        ("HEAD", "/rooms/a/people/b", 200),
        ("GET", "/rooms/a%2Fpeople/b", 404),
        ("GET", "/%72ooms/a/people/b", 200),
        ("GET", "/rooms//people/b", 404),
        ("GET", "/rooms/a/people/b/", 404),
        ("GET", "/rooms/a/people/b%0A", 200),
        ("POST", "/people/token%0A", 405),
        ("DELETE", "/people/token", 200),
        ("POST", "/people/token", 200),
    ],
)
async def test_paths(method, path, status):
    assert (await response_of(ROUTER, http_scope(path, method=method, raw_path=path)))[0] == status


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/people/token", "DELETE, POST"), ("/people/Ana", "DELETE"), ("/rooms/a/people/b", "GET, PUT, HEAD")],
)
async def test_other_methods(path, allowed):
    status, headers, body = await response_of(ROUTER, http_scope(path, method="PATCH"))
    assert (status, headers["allow"], json.loads(body)["code"]) == (405, allowed, "method_not_allowed")


@pytest.mark.parametrize(
    ("path", "kind", "matches"),
    [
        ("/rtc", "http", True), ("/rtc/v1", "websocket", True), ("/rtcs", "http", False), ("/", "http", False),
        ("/rtc/v1", "lifespan", False),
    ],
)  # fmt: skip
def test_prefix(path, kind, matches):
    scope = http_scope(path) | {"type": kind}
    assert (Prefix("/rtc", NAMES, websockets=True).matches(scope)[0] is Match.FULL) == matches
    assert (Prefix("/rtc", NAMES).matches(scope)[0] is Match.FULL) == (matches and kind == "http")
