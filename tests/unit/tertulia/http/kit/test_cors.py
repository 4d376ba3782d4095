"""Calls from other sites' pages."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse

from support.asgi import http_scope, response_of
from tertulia.http.kit.cors import CrossOrigin

A = "https://a.example"
PREFLIGHT = {"origin": A, "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}


@pytest.mark.parametrize(("origins", "allowed"), [([A], A), (["*"], "*"), (["https://b.example"], None)])
async def test_call(origins, allowed):
    app = CrossOrigin(PlainTextResponse("the API"), origins=origins)
    status, headers, body = await response_of(app, http_scope("/", headers={"origin": A}))
    assert (status, body) == (200, b"the API")
    assert headers.get("access-control-allow-origin") == allowed
    assert ("x-next-page-token" in headers.get("access-control-expose-headers", "")) == (allowed is not None)
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(("origins", "allowed"), [([A], A), (["*"], "*")])
async def test_preflight(origins, allowed):
    app = CrossOrigin(PlainTextResponse("the API"), origins=origins)
    status, headers, body = await response_of(app, http_scope("/", method="OPTIONS", headers=PREFLIGHT))
    assert (status, body, headers["access-control-allow-origin"]) == (204, b"", allowed)
    assert "idempotency-key" in headers["access-control-allow-headers"]
    assert "DELETE" in headers["access-control-allow-methods"]


@pytest.mark.parametrize("headers", [PREFLIGHT | {"origin": "https://b.example"}, {}])
async def test_the_api_answers_what_is_not_allowed(headers):
    app = CrossOrigin(PlainTextResponse("the API", 405), origins=[A])
    status, got, body = await response_of(app, http_scope("/", method="OPTIONS", headers=headers))
    assert (status, body) == (405, b"the API")
    assert "access-control-allow-origin" not in got
