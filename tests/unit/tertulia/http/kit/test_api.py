"""The order of checks: who may do it, and in which room, is decided before anything else of a request is judged."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from starlette.requests import Request
from starlette.responses import Response
from structlog.testing import capture_logs

from support.asgi import http_scope, response_of
from tertulia.domain.access import Action, Actor, Principal
from tertulia.domain.ids import RecordingId, RoomName
from tertulia.errors import FieldProblem, InvalidInput, room_not_found, unauthenticated
from tertulia.http.kit.api import Api
from tertulia.http.kit.operations import (
    LARGE_BODY_BYTES,
    ROOM_IN_BODY,
    ROOM_IN_PATH,
    ROOM_IN_QUERY,
    ROOM_OF_RECORDING,
    ROOM_OF_TOKEN,
    SMALL_BODY_BYTES,
    Operation,
    OperationRequest,
    RoomSource,
    nothing,
)
from tertulia.http.kit.ranges import check_range
from tertulia.http.kit.responses import no_content
from tertulia.http.kit.validation import Body, Query

OWN: Final = RoomName("own-room")
PRINCIPALS: Final = {
    "moderator": Principal(Actor.MODERATOR, room=OWN),
    "viewer": Principal(Actor.VIEWER, room=OWN),
    "admin": Principal(Actor.ADMIN),
    "ticket": Principal(Actor.TICKET, recording=RecordingId("own-recording")),
}
ROOMS: Final = {"own-recording": OWN, "other-recording": RoomName("other-room")}
ALLOWED: Final = frozenset({Actor.MODERATOR, Actor.ADMIN})


class Named(Body):
    """A body that names a room."""

    roomName: str  # noqa: N815 - the document's name


class InRoom(Query):
    """A query that names a room."""

    roomName: str  # noqa: N815 - the document's name


class ByHeader:
    """Believes what a header says about who sent the request."""

    async def identify(self, request: Request, _accepted: frozenset[Actor]) -> Principal:
        who = PRINCIPALS.get(request.headers.get("who", ""))
        if who is None:
            raise unauthenticated()
        return who


async def done(_request: OperationRequest) -> Response:
    return no_content()


async def missing(_request: OperationRequest) -> Response:
    raise room_not_found("a-guess")


async def failing(_request: OperationRequest) -> Response:
    raise RuntimeError("a defect")


async def room_of(recording: str) -> str | None:
    return ROOMS.get(recording)


def check_header(request: Request) -> None:
    if "bad" in request.headers:
        raise InvalidInput("headers", [FieldProblem("bad", "is bad")])


def operation(method: str, path: str, action: Action, room: RoomSource | None, **more: Any) -> Operation:
    return Operation(
        id=action, method=method, path=path, action=action, handle=more.pop("handle", done), summary=action,
        tag="tests", responses=nothing("done"), room=room, **more,
    )  # fmt: skip


OPERATIONS: Final = [
    operation("PUT", "/rooms/{roomName}", Action.UPDATE_ROOM, ROOM_IN_PATH, body=Named, check_headers=check_header),
    operation("DELETE", "/people/{name}", Action.DISCONNECT_PARTICIPANT, ROOM_IN_QUERY, query=InRoom),
    operation("POST", "/recordings", Action.START_RECORDING, ROOM_IN_BODY, body=Named, check_headers=check_header),
    operation("GET", "/recordings", Action.LIST_RECORDINGS, ROOM_OF_TOKEN),
    operation(
        "GET", "/recordings/{recordingId}", Action.STREAM_RECORDING, ROOM_OF_RECORDING, check_headers=check_range
    ),
    operation("GET", "/open", Action.LOG_IN, None),
    operation("POST", "/small", Action.CREATE_ROOM, None, body=Named),
    operation("POST", "/large", Action.CREATE_ROOM, None, body=Named, max_body_bytes=LARGE_BODY_BYTES),
    operation("GET", "/guess", Action.LOG_IN, None, handle=missing),
    operation("GET", "/absent", Action.PROFILE, None, handle=missing),
    operation("GET", "/defect", Action.PROFILE, None, handle=failing),
]
PERMISSIONS: Final = dict.fromkeys(Action, ALLOWED) | {
    Action.STREAM_RECORDING: ALLOWED | {Actor.TICKET},
    Action.LOG_IN: frozenset({Actor.ANYONE}),
    Action.CREATE_ROOM: frozenset({Actor.ADMIN}),
    Action.PROFILE: frozenset({Actor.ADMIN}),
}


def api(operations: list[Operation]) -> Api:
    return Api(
        "/api", operations, document={"openapi": "3.0.3"}, docs_page=Response("the page"), permissions=PERMISSIONS,
        authenticator=ByHeader(), room_of_recording=room_of,
    )  # fmt: skip


APP: Final = api(OPERATIONS)


async def status_of(
    method: str, path: str, who: str, *, query: str = "", body: bytes | None = None, **headers: str
) -> tuple[int, str | None]:
    """Ask in this role; return the status and an error's code."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()} | {"who": who}
    if body is not None:
        sent |= {"content-length": str(len(body))}
    status, _headers, answered = await response_of(
        APP, http_scope(f"/api{path}", method=method, query=query, headers=sent), body or b""
    )
    return status, json.loads(answered)["code"] if answered else None


JSON: Final = "application/json"


@pytest.mark.parametrize(
    ("who", "content_type", "body", "expected"),
    [
        ("nobody", "text/plain", b"{", 401),
        ("viewer", "text/plain", b"{", 403),
        ("moderator", "text/plain", b"{", 415),
        ("moderator", JSON, b"{", 422),
        ("moderator", JSON, b'{"roomName": "own-room"}', 204),
        ("admin", JSON, b'{"roomName": "other-room"}', 204),
    ],
)
async def test_order(who, content_type, body, expected):
    status, _code = await status_of("PUT", "/rooms/own-room", who, body=body, content_type=content_type)
    assert status == expected


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("PUT", "/rooms/other-room", ""),
        ("DELETE", "/people/Ana", "roomName=other-room"),
        ("DELETE", "/people/Ana", "roomName=own-room&roomName=other-room"),
        ("POST", "/recordings", ""),
        ("GET", "/recordings/other-recording", ""),
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        {}, {"content_type": "text/plain"}, {"bad": "1"}, {"range": "bytes=5-1"}, {"content_type": JSON},
        {"content_type": f"{JSON}; charset=latin-1"}, {"idempotency_key": ""},
    ],
)  # fmt: skip
@pytest.mark.parametrize("body", [b'{"roomName": "other-room"}', b'{"roomName": "other-room", "more": [1]}'])
async def test_other_room_is_forbidden_in_whatever_form(method, path, query, form, body):
    """A moderator learns nothing of another room by sending something wrong to it."""
    assert await status_of(method, path, "moderator", query=query, body=body, **form) == (403, "forbidden")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, (422, "invalid_body")),
        (b"", (422, "invalid_body")),
        (b'{"roomName": "other-room"', (422, "invalid_body")),
        (b'["other-room"]', (422, "invalid_body")),
        (b'{"roomName": ["other-room"]}', (422, "invalid_body")),
        (b'{"roomId": "other-room", "roomName": "own-room"}', (403, "forbidden")),
        (b"x" * (SMALL_BODY_BYTES + 1), (413, "body_too_large")),
    ],
)
async def test_room_that_cannot_be_read(body, expected):
    """What names no room refuses nobody: it is wrong in itself, and says nothing of any room."""
    assert await status_of("POST", "/recordings", "moderator", body=body, content_type=JSON) == expected


@pytest.mark.parametrize("declared", [True, False])
async def test_bodies_have_the_limit_of_their_operation(declared):
    """One that says how long it is is not even read."""
    small, large = Named(roomName="x" * 1000), Named(roomName="x" * 30_000)
    for path, body, expected in (("/small", small, 204), ("/small", large, 413), ("/large", large, 204)):
        headers = {"content-type": JSON, "who": "admin"}
        raw = body.model_dump_json().encode()
        headers |= {"content-length": str(len(raw))} if declared else {"transfer-encoding": "chunked"}
        status, _headers, _answered = await response_of(
            APP, http_scope(f"/api{path}", method="POST", headers=headers), raw
        )
        assert (path, status) == (path, expected)


@pytest.mark.parametrize(
    ("who", "path", "range_", "expected"),
    [
        ("moderator", "/recordings/own-recording", "bytes=0-", 204),
        ("moderator", "/recordings/own-recording", "bytes=5-1", 400),
        ("moderator", "/recordings/unknown", "bytes=5-1", 400),
        ("moderator", "/recordings/other-recording", "bytes=5-1", 403),
        ("ticket", "/recordings/own-recording", "bytes=0-", 204),
        ("ticket", "/recordings/unknown", "bytes=5-1", 403),
        ("ticket", "/recordings/other-recording", "bytes=5-1", 403),
        ("admin", "/recordings/other-recording", "bytes=5-1", 400),
        ("admin", "/recordings/other-recording", "bytes=0-", 204),
        ("moderator", "/recordings", "bytes=0-", 204),
    ],
)
async def test_rooms_of_recordings(who, path, range_, expected):
    assert (await status_of("GET", path, who, range=range_))[0] == expected


@pytest.mark.parametrize("source", [ROOM_IN_PATH, ROOM_OF_RECORDING])
def test_a_room_must_be_declared(source):
    """An operation that is allowed in a room cannot be added without saying which room it means."""
    with pytest.raises(ValueError, match="start_recording"):
        api([operation("POST", "/recordings", Action.START_RECORDING, None)])
    api([operation("POST", "/rooms/{roomName}/{recordingId}", Action.START_RECORDING, source)])


async def test_defect_is_told_without_its_inside():
    assert await status_of("GET", "/defect", "admin") == (500, "internal_error")


@pytest.mark.parametrize(
    ("method", "path", "who", "logged"),
    [
        ("GET", "/defect", "nobody", ("profile", "unauthenticated", None)),
        ("PUT", "/rooms/other-room", "moderator", ("update_room", "forbidden", OWN)),
        ("GET", "/guess", "nobody", ("log_in", "room_not_found", None)),
        ("GET", "/absent", "admin", None),
        ("GET", "/open", "nobody", None),
    ],
)
async def test_refusals_are_logged(method, path, who, logged):
    """With the address, so that guesses at passwords, tokens and links are seen."""
    with capture_logs() as logs:
        await status_of(method, path, who)
    lines = [line for line in logs if line["event"] == "request refused"]
    assert [(line["operation"], line["code"], line["room"]) for line in lines] == ([logged] if logged else [])
    assert all(line["address"] == "127.0.0.1" and line["request_id"] == "a-request" for line in lines)


async def test_document_and_page():
    for path, body in (("openapi.json", b'{"openapi":"3.0.3"}'), ("docs", b"the page")):
        status, _headers, answered = await response_of(APP, http_scope(f"/api/{path}"))
        assert (status, answered) == (200, body)
        assert await status_of("POST", f"/{path}", "nobody") == (405, "method_not_allowed")
    assert await status_of("GET", "/nothing", "nobody") == (404, "path_not_found")
    assert (await status_of("GET", "/open", "nobody"))[0] == 204
