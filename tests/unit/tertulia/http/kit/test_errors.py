"""Errors as JSON: statuses, headers, and what an Endpoint does with what fails."""

from __future__ import annotations

import json

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from structlog.testing import capture_logs

from support.asgi import http_scope, response_of
from tertulia.adapters.sql.failures import storage_failed
from tertulia.errors import (
    Conflict,
    FieldProblem,
    InvalidInput,
    TertuliaError,
    TooManyRequests,
    Unavailable,
    forbidden,
    room_not_found,
    unauthenticated,
)
from tertulia.http.kit.errors import Endpoint, error_response, method_not_allowed, unknown_path


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (unauthenticated(), 401, {"www-authenticate": "Bearer"}),
        (forbidden(), 403, {}),
        (room_not_found("x"), 404, {}),
        (unknown_path(), 404, {}),
        (method_not_allowed("GET", "PUT"), 405, {"allow": "GET, PUT, HEAD"}),
        (Conflict("taken", "It is taken"), 409, {}),
        (TooManyRequests("Slowly", retry_after_s=7), 429, {"retry-after": "7"}),
        (Unavailable("away", "The database is away"), 503, {"retry-after": "5"}),
        (TertuliaError("new", "Internal server error"), 500, {}),
    ],
)
async def test_error(error, status, headers):
    got, got_headers, body = await response_of(error_response(error, "an-id"))
    assert got == status
    assert headers.items() <= got_headers.items()
    assert got_headers["cache-control"] == "no-store"
    said = json.loads(body)
    assert (said["code"], said["message"], said["requestId"]) == (error.code, error.message, "an-id")
    assert said.get("name") == error.name


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("away", "The database is away: connection to db.internal as tertulia failed", told="It is away"),
        TertuliaError("new", "A class that the table does not know, with /srv/data"),
        storage_failed(OSError("connection to db.internal as tertulia failed")),
    ],
)
async def test_what_parts_said_is_logged_and_not_told(error):
    with capture_logs() as logs:
        _status, _headers, body = await response_of(endpoint(error))
    said = json.loads(body)
    assert not any(secret in said["message"] for secret in ("internal as", "/srv"))
    assert [(line["reason"], line["request_id"]) for line in logs] == [(error.message, said["requestId"])]


async def test_invalid_input_names_fields():
    _status, _headers, body = await response_of(
        error_response(InvalidInput("body", [FieldProblem("a.b", "Wrong")]), "x")
    )
    said = json.loads(body)
    assert (said["error"], said["details"]) == ("Unprocessable Entity", [{"field": "a.b", "message": "Wrong"}])


def endpoint(outcome: Response | Exception) -> Endpoint[Request]:
    async def respond(_request: Request) -> Response:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Endpoint(Request, respond)


@pytest.mark.parametrize(
    ("outcome", "status"), [(PlainTextResponse("x"), 200), (forbidden(), 403), (RuntimeError("a secret"), 500)]
)
async def test_endpoint(outcome, status):
    got, _headers, body = await response_of(endpoint(outcome))
    assert got == status
    assert b"secret" not in body


async def test_nothing_is_sent_to_a_client_that_has_left():
    with pytest.raises(IndexError):  # no message at all
        await response_of(endpoint(ClientDisconnect()), http_scope("/"))
