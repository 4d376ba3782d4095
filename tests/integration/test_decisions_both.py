"""decisions.md, "Both APIs": each test quotes the sentence that it holds."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import requests

from support.rest import API_KEY, FAR, INTERNAL, PUBLIC, RestServer, TestRoom, now_ms
from support.waiting import until


def details(answer) -> dict[str, str]:
    return {one["field"]: one["message"] for one in answer.json()["details"]}


def test_error_body(server: RestServer):
    """Every error body has `"message"` and a stable `"code"` (a string), and where it helps `"name"`."""
    answer = server.ask("GET", "/rooms/nothing-here")
    assert answer.status_code == 404
    body = answer.json()
    assert body["code"] == "room_not_found"
    assert body["name"] == "Room Error"
    assert "nothing-here" in body["message"]
    assert answer.headers["content-type"] == "application/json"
    assert body["requestId"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"expirationDate": "soon"}, "expirationDate"),
        ({}, "expirationDate"),
        (
            {"expirationDate": FAR, "preferences": {"chatPreferences": {"enabled": 1}}},
            "preferences.chatPreferences.enabled",
        ),
    ],
)
def test_422_body(server: RestServer, body, field):
    """422 also has `"error": "Unprocessable Entity"`, `"message": "Invalid request body"` and `"details"`."""
    answer = server.ask("POST", "/rooms", body)
    assert answer.status_code == 422
    said = answer.json()
    assert said["error"] == "Unprocessable Entity"
    assert said["message"] == "Invalid request body"
    assert list(details(answer)) == [field]
    assert all(one["message"] for one in said["details"])


def test_422_query(server: RestServer):
    """`"message": "Invalid request body"` (or `query`, `path`)."""
    answer = server.ask("GET", "/rooms?maxItems=0")
    assert (answer.status_code, answer.json()["message"]) == (422, "Invalid request query")
    assert list(details(answer)) == ["maxItems"]


@pytest.mark.parametrize(
    "raw", [b"{", b"", b"nonsense", b'{"expirationDate": NaN}', b'{"expirationDate": Infinity}', b'"text"', b"[]",
            b"null", b"\xff\xfe", b'{"expirationDate": 1e999}', b"[" * 100_000, b'{"roomNamePrefix": "\\ud800"}']
)  # fmt: skip
def test_malformed_json(server: RestServer, raw):
    """Malformed JSON is 422 (JSON's NaN and Infinity are malformed)."""
    answer = server.ask("POST", "/rooms", raw=raw)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"] == "Unprocessable Entity"


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 415), ("", 415), ("text/plain", 415), ("application/xml", 415), ("application/jsonx", 415),
        ("application/json; charset=latin-1", 415), ("application/json", 200),
        ("application/json; charset=utf-8", 200), ("Application/JSON;charset=UTF-8", 200),
    ],
)  # fmt: skip
def test_content_type(server: RestServer, content_type, status):
    """an unknown or missing content type on a request with a body 415 (`application/json; charset=utf-8` is fine)."""
    answer = server.ask("POST", "/rooms", {"expirationDate": FAR}, content_type=content_type)
    assert answer.status_code == status
    if status == 415:
        assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize("base", [PUBLIC, INTERNAL])
@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/rooms/", "/rooms/a/b/c", "/ROOMS", "/recordings/a/b", "//rooms"]
)
@pytest.mark.parametrize("key", [None, "wrong", "right"])
def test_unknown_path(server: RestServer, base, path, key):
    """an unknown path under a base path 404, with or without a key."""
    keys = {"right": {"key": None, "headers": {"X-API-KEY": "x"}}, "wrong": {"key": "wrong"}, None: {"key": None}}
    for method in ("GET", "POST", "OPTIONS"):
        answer = server.ask(method, path, base=base, **keys[key])
        assert (answer.status_code, answer.json()["code"]) == (404, "path_not_found")


def test_participant_named_as_a_path(server: RestServer, room: TestRoom):
    """`token` and `role` are names like any other: who is called so can be disconnected."""
    for name in ("token", "role"):
        answer = server.ask("DELETE", f"/participants/{name}?roomName={room.name}")
        assert (answer.status_code, answer.json()["code"]) == (404, "participant_not_found")
        moderator = server.token(room, "mod")
        answer = server.internal("DELETE", f"/participants/{name}?roomName={room.name}", bearer=moderator)
        assert (answer.status_code, answer.json()["code"]) == (404, "participant_not_found")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/rooms", {"GET", "HEAD", "POST"}),
        ("/rooms/x", {"GET", "HEAD", "PUT", "DELETE"}),
        ("/participants/token", {"POST", "DELETE"}),  # `token` may also be a participant's name
        ("/recordings/x/stream", {"GET", "HEAD"}),
        ("/docs", {"GET", "HEAD"}),
        ("/openapi.json", {"GET", "HEAD"}),
    ],
)
def test_method_not_allowed(server: RestServer, path, allowed):
    """a known path with another method 405 with `Allow`."""
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} - allowed:
        answer = server.ask(method, path, key=None)
        assert answer.status_code == 405, (method, path)
        assert set(re.split(", ?", answer.headers["allow"])) == allowed
        assert answer.json()["code"] == "method_not_allowed"


def test_never_html(server: RestServer):
    """Never HTML, never a stack trace."""
    for path in ("/rooms/%00", "/rooms/%ff%fe", "/recordings/%00", "/rooms/" + "a" * 5000, "/rooms/..%2f..%2fetc"):
        answer = server.ask("GET", path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"
        assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/rooms", {"expirationDate": FAR, "nme": 1}),
        ("POST", "/rooms", {"expirationDate": FAR, "preferences": {"chat": {}}}),
        ("POST", "/rooms", {"expirationDate": FAR, "preferences": {"chatPreferences": {"on": True}}}),
        ("PUT", "/rooms/x", {"chat": True}),
        ("POST", "/recordings", {"roomName": "x", "y": 1}),
        ("DELETE", "/recordings", {"recordingIds": [], "y": 1}),
        ("POST", "/participants/token", {"roomName": "x", "participantName": "y", "secret": "z", "w": 1}),
    ],
)
def test_unknown_fields(server: RestServer, method, path, body):
    """Unknown body fields are refused (422) rather than dropped."""
    assert server.ask(method, path, body).status_code == 422


@pytest.mark.parametrize(
    "part",
    [
        {"expirationDate": None}, {"roomNamePrefix": None}, {"maxParticipants": None}, {"preferences": None},
        {"preferences": {"chatPreferences": None}}, {"preferences": {"chatPreferences": {"enabled": None}}},
        {"expirationDate": True}, {"maxParticipants": True}, {"roomNamePrefix": 5}, {"maxParticipants": "5"},
        {"preferences": []}, {"preferences": {"chatPreferences": {"enabled": "true"}}},
    ],
)  # fmt: skip
def test_null_and_true(server: RestServer, part):
    """`null` is refused wherever a type is not nullable; `true` is no number."""
    assert server.ask("POST", "/rooms", {"expirationDate": FAR} | part).status_code == 422


@pytest.mark.parametrize(
    ("base", "method", "path", "body"),
    [
        (
            PUBLIC,
            "POST",
            "/rooms",
            {"expirationDate": 1, "roomNamePrefix": "", "maxParticipants": 1, "preferences": {}},
        ),
        (PUBLIC, "PUT", "/rooms/x", {"chatPreferences": {}, "recordingPreferences": {}}),
        (PUBLIC, "PUT", "/rooms/x", {"preferences": {}}),
        (PUBLIC, "PUT", "/rooms/x/participants/y", {"role": "viewer"}),
        (PUBLIC, "POST", "/participants/token", {"roomName": "x", "participantName": "y", "secret": "z"}),
        (PUBLIC, "POST", "/recordings", {"roomName": "x"}),
        (PUBLIC, "DELETE", "/recordings", {"recordingIds": []}),
        (INTERNAL, "POST", "/participants/role", {"roomName": "x", "secret": "z"}),
        (INTERNAL, "POST", "/participants/token", {"roomName": "x", "participantName": "y", "secret": "z"}),
        (INTERNAL, "POST", "/recordings", {"roomId": "x"}),
        (INTERNAL, "POST", "/auth/login", {"username": "x", "password": "y"}),
    ],
)
def test_values_of_every_kind(server: RestServer, base, method, path, body):
    """Whatever stands where something else is expected is refused, and is never a failure of ours."""
    if base == INTERNAL and path == "/recordings":
        ask = partial(server.internal, bearer=server.log_in()["accessToken"])
    else:
        ask = partial(server.ask, base=base)
    for field, right in body.items():
        for wrong in (None, True, 1.5, "x", [], {}, [[]], {"a": {}}, [None], 10**400):
            if type(wrong) is not type(right) or wrong in ([[]], [None], {"a": {}}):
                answer = ask(method, path, body | {field: wrong})
                assert (answer.status_code, answer.json()["code"]) == (422, "invalid_body"), (field, wrong)


def test_order_authentication_first(server: RestServer):
    """Order of checks: authentication, permission, content type, validation …, existence, state."""
    assert server.ask("POST", "/rooms", raw=b"{", content_type="text/plain", key=None).status_code == 401
    assert server.ask("POST", "/rooms", raw=b"{", content_type="text/plain").status_code == 415
    assert server.ask("PUT", "/rooms/unknown", raw=b"{", content_type="text/plain").status_code == 415
    assert server.ask("PUT", "/rooms/unknown", raw=b"{").status_code == 422
    assert server.ask("PUT", "/rooms/unknown", {}).status_code == 404


def test_malformed_range_before_404(server: RestServer):
    """So a malformed `Range` or body is told before a 404."""
    answer = server.ask("GET", "/recordings/unknown/stream", headers={"Range": "bytes=5-1"})
    assert answer.status_code == 400
    assert server.ask("GET", "/recordings/unknown/stream").status_code == 404
    assert server.ask("GET", "/recordings/unknown/stream", headers={"Range": "bytes=5-1"}, key=None).status_code == 401


def test_order_of_token_request(server: RestServer, room: TestRoom):
    """`POST /participants/token`: content type, validation, room exists, secret right."""
    good = {"roomName": room.name, "participantName": "A", "secret": "wrong"}
    for base, wrong in ((PUBLIC, 404), (INTERNAL, 403)):
        ask = partial(server.ask, "POST", "/participants/token", base=base, key=None)
        assert ask(good, content_type="text/plain").status_code == 415
        assert ask(good | {"roomName": "none", "participantName": ""}).status_code == 422
        assert ask(good | {"roomName": "none"}).status_code == 404
        assert ask(good).status_code == wrong


def test_internal_disconnect_without_room(server: RestServer, room: TestRoom):
    """internal disconnect without `roomName`: 422 for a moderator, 403 for others."""
    for role, status in (("moderator", 422), ("publisher", 403), ("viewer", 403)):
        bearer = server.token(room, f"no-room-{role}", role)
        assert server.internal("DELETE", "/participants/Ana", bearer=bearer).status_code == status


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ("roomName", {"roomName"}),
        (" roomName , creationDate ", {"roomName", "creationDate"}),
        ("roomName,nothing", {"roomName"}),
        ("nothing", set()),
        ("preferences.chatPreferences", set()),
        ("ROOMNAME", set()),
    ],
)
def test_fields(server: RestServer, room: TestRoom, fields, names):
    """`fields`: comma-separated, trimmed, top-level names, unknown names ignored; only unknown names gives `{}`."""
    answer = server.ask("GET", f"/rooms/{room.name}?fields={fields}")
    assert set(answer.json()) == names
    listed = server.ask("GET", f"/rooms?fields={fields}").json()
    assert all(set(one) == names for one in listed)


def test_fields_repeated_and_empty(server: RestServer, room: TestRoom):
    """repeated parameters joined; empty (or only commas) means all."""
    answer = server.ask("GET", f"/rooms/{room.name}?fields=roomName&fields=preferences")
    assert set(answer.json()) == {"roomName", "preferences"}
    for query in ("fields=", "fields=,,", "fields=%20", ""):
        assert server.ask("GET", f"/rooms/{room.name}?{query}").json() == room.answer


@pytest.mark.parametrize(
    ("date", "status"),
    [
        (FAR, 200), (float(FAR), 200), (8_640_000_000_000_000, 200), (8_640_000_000_000_001, 422),
        (FAR + 0.5, 422), (1, 422), (0, 422), (-1, 422), (2**70, 422), (1e300, 422),
    ],
)  # fmt: skip
def test_dates(server: RestServer, date, status):
    """Dates are integer milliseconds since the epoch (a fractional one is 422; up to 8.64e15)."""
    answer = server.ask("POST", "/rooms", {"expirationDate": date})
    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.json()["expirationDate"] == date
        assert isinstance(answer.json()["creationDate"], int)
        server.ask("DELETE", f"/rooms/{answer.json()['roomName']}")


def test_collections(server: RestServer):
    """Collections stay bare arrays as documented: everything without `maxItems`, streamed. Newest first."""
    names = [server.create_room(roomNamePrefix="list").name for _ in range(5)]
    answer = server.ask("GET", "/rooms")
    assert answer.headers["transfer-encoding"] == "chunked"
    rooms = answer.json()
    assert isinstance(rooms, list)
    assert [room["roomName"] for room in rooms if room["roomName"] in names] == names[::-1]
    dates = [room["creationDate"] for room in rooms]
    assert dates == sorted(dates, reverse=True)


def test_paging(server: RestServer):
    """With `maxItems` (1–100, else 422) and `nextPageToken` (a bad one 422) the next token comes in the header
    `X-Next-Page-Token` and a `Link: rel="next"`."""
    for _ in range(5):
        server.create_room(roomNamePrefix="page")
    everything = [room["roomName"] for room in server.ask("GET", "/rooms?fields=roomName").json()]
    seen, path = [], "/rooms?maxItems=2&fields=roomName"
    while path:
        answer = server.ask("GET", path)
        assert len(answer.json()) <= 2
        assert all(set(one) == {"roomName"} for one in answer.json())
        seen += [room["roomName"] for room in answer.json()]
        token = answer.headers.get("x-next-page-token")
        link = re.match(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
        assert bool(token) == bool(link)
        path = link.group(1).removeprefix(PUBLIC) if link else None
    assert seen == everything
    for bad in ("maxItems=0", "maxItems=101", "maxItems=x", "maxItems=1.5", "maxItems=-1", "maxItems=1_0",
                "maxItems=%205", "nextPageToken=",
                "nextPageToken=abc", "nextPageToken=MTIz", "nextPageToken=%00"):  # fmt: skip
        assert server.ask("GET", f"/rooms?{bad}").status_code == 422, bad
        assert server.ask("GET", f"/recordings?{bad}").status_code == 422, bad


def test_idempotency_key(server: RestServer):
    """Every POST that creates something honours `Idempotency-Key`; the same key with another body is 422."""
    body = {"expirationDate": FAR, "roomNamePrefix": "once"}
    headers = {"Idempotency-Key": f"key-{server.create_room().name}"}
    first = server.ask("POST", "/rooms", body, headers=headers)
    assert first.status_code == 200
    assert server.ask("POST", "/rooms", body, headers=headers).json() == first.json()
    assert server.ask("POST", "/rooms", body | {"maxParticipants": 3}, headers=headers).status_code == 422
    assert server.ask("POST", "/rooms", body, headers={"Idempotency-Key": "x" * 300}).status_code == 422
    # scoped by path and credential
    admin = server.log_in()["accessToken"]
    other = server.ask("POST", "/rooms", body, headers=headers, bearer=admin)
    assert other.json()["roomName"] != first.json()["roomName"]


def test_idempotency_key_after_the_expiry(server: RestServer):
    """Every POST that creates something honours `Idempotency-Key` (24 h): also when what it created has expired."""
    body = {"expirationDate": now_ms() + 2000}
    headers = {"Idempotency-Key": f"short-{server.create_room().name}"}
    first = server.ask("POST", "/rooms", body, headers=headers)
    time.sleep(max(0, body["expirationDate"] - now_ms() + 300) / 1000)
    assert server.ask("GET", f"/rooms/{first.json()['roomName']}").status_code == 404
    assert server.ask("POST", "/rooms", body, headers=headers).json() == first.json()
    assert server.ask("POST", "/rooms", body).status_code == 422


def test_idempotency_key_at_once(server: RestServer):
    """Every POST that creates something honours `Idempotency-Key`: also when it comes many times at once."""
    for _ in range(5):
        headers = {"X-API-KEY": API_KEY, "Idempotency-Key": f"at-once-{server.create_room().name}"}

        def create(_number: int, headers: dict[str, str] = headers) -> tuple[int, str]:
            body = {"expirationDate": FAR}
            answer = requests.post(f"{server.url}{PUBLIC}/rooms", json=body, headers=headers, timeout=60)
            return answer.status_code, answer.json().get("roomName")

        with ThreadPoolExecutor(16) as threads:
            answers = set(threads.map(create, range(16)))
        assert len(answers) == 1, answers
        assert answers.pop()[0] == 200


def test_idempotency_not_for_tokens(server: RestServer, room: TestRoom):
    """Not on paths that answer a token: no token is ever stored."""
    body = {"roomName": room.name, "participantName": "Ana", "secret": room.secret("viewer")}
    headers = {"Idempotency-Key": "same"}
    server.ask("POST", "/participants/token", body, headers=headers)
    other = server.ask("POST", "/participants/token", body | {"participantName": "Bea"}, headers=headers)
    assert other.status_code == 200
    assert server.claims(other.json()["token"])["sub"] == "Bea"


async def test_request_id(server: RestServer):
    """(issue 4) a request id in every error and log line (`X-Request-Id`)."""
    given = server.ask("GET", "/rooms/none", headers={"X-Request-Id": "my-id.1"})
    assert given.headers["x-request-id"] == given.json()["requestId"] == "my-id.1"

    async def is_logged() -> bool:
        return any(json.loads(line).get("request_id") == "my-id.1" for line in server.log().split("\n")[:-1])

    await until("the request is logged, which may come after its answer", is_logged)
    hostile = server.ask("GET", "/rooms/none", headers={"X-Request-Id": "a b\tc"})
    assert hostile.headers["x-request-id"] != "a b\tc"


def test_empty_or_repeated_room(server: RestServer, room: TestRoom):
    """A parameter of a query that must name something and is empty or repeated (`?roomName=`) is 422. Where permission
    depends on a field that is missing (internal disconnect without `roomName`): 422 for a moderator, 403 for others."""
    moderator = server.token(room, "Mona")
    for query in ("", "?", "?roomName", "?roomName=", f"?roomName={room.name}&roomName={room.name}"):
        path = f"/participants/Nobody{query}"
        for answer in (server.ask("DELETE", path), server.internal("DELETE", path, bearer=moderator)):
            assert (answer.status_code, answer.json()["message"]) == (422, "Invalid request query"), query
            assert answer.json()["details"][0]["field"] == "roomName"
    other = f"/participants/Nobody?roomName={room.name}&roomName=other"
    assert server.ask("DELETE", other).status_code == 422
    assert server.internal("DELETE", other, bearer=moderator).status_code == 403
    publisher = server.token(room, "Pia", "publisher")
    assert server.internal("DELETE", "/participants/Nobody?roomName=", bearer=publisher).status_code == 403
