"""REST: bodies, queries, ranges and headers, made from the documents that the server serves; and heads that are none.

Nothing is answered with a defect (5xx, HTML, more than 64 KiB for a stranger), and no request of a stranger takes more
than 20 ms of the event loop.
"""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException, HTTPResponse
from random import Random
from typing import Any, Final
from urllib.parse import quote, urlsplit

import pytest

from fuzz.conftest import Fuzzing
from fuzz.mutation import LARGE_NUMBERS, TEXTS, mutated_bytes, mutated_json, mutated_lines
from support.rest import API_KEY, FAR, INTERNAL, PASSWORD, PUBLIC, RestServer

LARGEST_FOR_STRANGERS: Final = 64 * 1024
STRANGERS_CPU_S: Final = 0.02
BATCH: Final = 10
"""Requests between two looks at the CPU time. What is slow is sent again, alone."""
FINE_5XX: Final = {501, 503}


@dataclass(frozen=True)
class Exchange:
    """One response."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Operation:
    """An operation of a served document, and a request that it takes."""

    base: str
    method: str
    path: str
    parameters: list[tuple[str, str]]
    body: Any


@dataclass
class Known:
    """Names and credentials that mean something to the server."""

    room: str
    recording: str
    secret: str
    credentials: list[dict[str, str]]
    cookies: list[str]

    def value(self, name: str) -> str:
        values = {
            "roomName": self.room, "participantName": "Ann", "recordingId": self.recording, "maxItems": "10",
            "fields": "roomName,state", "ticket": "x", "nextPageToken": "x", "Range": "bytes=0-99",
            "If-Range": '"x"', "Idempotency-Key": "key-1", "recordingIds": self.recording,
        }  # fmt: skip
        return values.get(name, "x")


@pytest.fixture(scope="module")
def known(server: RestServer) -> Known:
    room = server.create_room()
    recording = server.add_recording(room.name)
    admin = server.log_in()["accessToken"]
    tokens = [server.token(room, f"The {role}", role) for role in ("moderator", "publisher", "viewer")]
    credentials = [{"Authorization": f"Bearer {token}"} for token in (admin, *tokens)]
    cookies = [f"OvMeetAccessToken={admin}", f"OvMeetParticipantToken={tokens[0]}"]
    return Known(room.name, recording.id, room.secret("moderator"), [{"X-API-KEY": API_KEY}, *credentials], cookies)


@pytest.fixture(scope="module")
def operations(server: RestServer, known: Known) -> list[Operation]:
    found = []
    for base in (PUBLIC, INTERNAL):
        document = server.ask("GET", "/openapi.json", base=base, key=None).json()
        for path, methods in document["paths"].items():
            if path == "/console/events":  # its body has no end
                continue
            for method, operation in methods.items():
                parameters = [(each["name"], each["in"]) for each in operation["parameters"]]
                content = operation.get("requestBody", {}).get("content", {})
                schema = content.get("application/json", {}).get("schema")
                body = None if schema is None else example(schema, document, known)
                found.append(Operation(base, method.upper(), path, parameters, body))
    return found


def example(schema: dict[str, Any], document: dict[str, Any], known: Known) -> Any:
    """Return a value that fits the schema, with the names that the server knows."""
    if "$ref" in schema:
        return example(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, known)
    one_of = next((schema[name] for name in ("allOf", "anyOf", "oneOf") if name in schema), None)
    if one_of is not None:
        return example(one_of[0], document, known)
    kind = schema.get("type")
    if kind == "object":
        names = {
            "expirationDate": FAR, "roomName": known.room, "roomId": known.room, "secret": known.secret,
            "username": "admin", "password": PASSWORD,
        }  # fmt: skip
        fields = schema.get("properties", {}).items()
        return {name: names.get(name) or example(inner, document, known) for name, inner in fields}
    if kind == "array":
        return [example(schema["items"], document, known)]
    plain = {"boolean": True, "integer": 10, "number": 10}
    return schema["enum"][0] if "enum" in schema else plain.get(str(kind), "Ann")


class Client:
    """Sends bytes as they are, each time from another loopback address: limits by address are not what is tested."""

    def __init__(self, server: RestServer) -> None:
        parts = urlsplit(server.url)
        self._to = (parts.hostname, parts.port)
        self._numbers = itertools.count(2)
        self.failure: Exception | None = None
        """Why there was no response the last time."""

    def _connect(self) -> socket.socket:
        number = next(self._numbers)
        source = f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        return socket.create_connection(self._to, 10, (source, 0))

    def send(self, request: bytes, *, method: str = "GET", then_close: bool = False) -> Exchange | None:
        """Send a request, and say that no more comes if so. Return its response, or None where there is none."""
        with self._connect() as connection:
            try:
                connection.sendall(request)
                if then_close:
                    connection.shutdown(socket.SHUT_WR)
                response = HTTPResponse(connection, method=method)
                response.begin()
                headers = {name.lower(): value for name, value in response.getheaders()}
                return Exchange(response.status, headers, response.read())
            except (HTTPException, ConnectionError) as error:
                self.failure = error
                return None


def check(answer: Exchange | None, *, is_stranger: bool) -> None:
    """Check that this is a response, and not a defect's."""
    assert answer is not None, "no response"
    assert answer.status < 500 or answer.status in FINE_5XX, answer
    if answer.status >= 400 and answer.body and not answer.body.startswith(b"Failed to open a WebSocket connection"):
        assert answer.headers["content-type"].startswith("application/json"), answer
        assert {"code", "message"} <= set(json.loads(answer.body)), answer
    if is_stranger:
        assert len(answer.body) <= LARGEST_FOR_STRANGERS, len(answer.body)


# ── requests that the documents describe, with changes ──

RANGES: Final = (
    "bytes=0-", "bytes=-1", "bytes=5-1", "bytes=0-0,2-3", "bytes=" + "0-1," * 500, "items=1-2", "bytes=²-³",
    f"bytes={'9' * 900}-", "bytes=-" + "9" * 900,
)  # fmt: skip
HEADERS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("Range", RANGES),
    ("If-Range", ('"', "W/x", "Thu, 01 Jan 1970 00:00:00 GMT")),
    ("If-None-Match", ("*", '"x"')),
    ("Idempotency-Key", ("", "x" * 256, "é", "a, b", " ")),
    ("Content-Type", ("", "text/plain", "application/json; charset=utf-16", "application/json;;=", "a/b;c")),
    ("Authorization", ("Bearer", "Bearer é", "Basic eA==", "Bearer " + "a." * 3000, "Bearer e30.e30.", "bearer x y")),
    ("X-API-KEY", ("é", "", API_KEY + "x", "x" * 5000)),
    ("Cookie", ("OvMeetAccessToken=é", "=;=;" * 1000, "OvMeetParticipantToken=", 'OvMeetAccessToken="')),
    ("Origin", ("null", "http://[", "é", "https://evil.example")),
    ("Sec-Fetch-Site", ("cross-site", "x")),
    ("X-Forwarded-For", ("é", "," * 5000, "1.2.3.4, 5.6.7.8", "[::1]:99999")),
    ("Forwarded", ('for="[', "for=1;for=2", "é;;=")),
    ("X-Request-ID", ("a b", "x" * 65, "é")),
    ("Expect", ("100-continue", "x")),
    ("Accept-Encoding", ("gzip;q=x", "*;q=0")),
    ("Connection", ("close, te", "upgrade")),
    ("Upgrade", ("websocket", "h2c")),
    ("Content-Length", ("-1", "1e3", "+5", "0x10")),
    ("Access-Control-Request-Method", ("DELETE", "é")),
)  # fmt: skip


def request_of(random: Random, operation: Operation, known: Known, credential: dict[str, str]) -> tuple[str, bytes]:
    """Make a request of an operation with some changes. Return its method and bytes."""
    changed = lambda: random.random() < 0.3  # noqa: E731
    path, query, headers = operation.path, [], dict(credential)
    for name, place in operation.parameters:
        value = _text(random) if changed() else known.value(name)
        if place == "path":
            path = path.replace(f"{{{name}}}", quote(value, safe="/" if changed() else ""))
        elif place == "query" and random.random() < 0.7:
            query += [f"{quote(name)}={quote(value)}"] * random.choice((1, 1, 1, 2, 120))
        elif place == "header" and random.random() < 0.5:
            headers[name] = known.value(name)
    if changed():
        query.append(random.choice(("a=b", "%=%", "&" * 500, "=", "a" * 3000, "%ff%00", "ticket=" + "x" * 500)))
    body = _body(random, operation, changed())
    if body is not None:
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    for _ in range(random.choice((0, 0, 1, 2))):
        name, values = random.choice(HEADERS)
        headers[name] = random.choice(values)
    method = operation.method if random.random() < 0.95 else random.choice(("HEAD", "OPTIONS", "PATCH", "GET", "TRACE"))
    line = f"{method} {operation.base}{path}{'?' if query else ''}{'&'.join(query)} HTTP/1.1"
    head = "\r\n".join([line, "Host: localhost", *(f"{name}: {value}" for name, value in headers.items()), "", ""])
    return method, head.encode() + (body or b"")


def _text(random: Random) -> str:
    return random.choice(TEXTS) if random.random() < 0.7 else str(random.choice(LARGE_NUMBERS))


def _body(random: Random, operation: Operation, is_changed: bool) -> bytes | None:
    value = operation.body
    if value is None and random.random() < 0.9:
        return None
    for _ in range(random.choice((0, 1, 1, 2))):
        value = mutated_json(random, value)
    text = json.dumps(value, ensure_ascii=random.random() < 0.5, default=str).encode()
    return mutated_bytes(random, text) if is_changed else text


def is_slow(server: RestServer, send: Callable[[], Any]) -> bool:
    """Tell whether a request takes too much of the event loop, at the best of three times."""
    spent = []
    for _ in range(3):
        before = server.loop_cpu_s()
        send()
        spent.append(server.loop_cpu_s() - before)
    return min(spent) > STRANGERS_CPU_S


def test_a_strangers_requests(
    unharmed: RestServer, known: Known, operations: list[Operation], fuzzing: Fuzzing
) -> None:
    random, client = fuzzing.random, Client(unharmed)
    batch: list[tuple[str, bytes]] = []
    before = unharmed.loop_cpu_s()
    for number in fuzzing.rounds(1500):
        method, request = request_of(random, random.choice(operations), known, {})
        batch.append((method, request))
        try:
            check(client.send(request, method=method), is_stranger=True)
        except AssertionError as error:
            raise AssertionError(f"{error}; {client.failure!r}\n{request[:300]!r} … {request[-600:]!r}") from None
        if number % BATCH == BATCH - 1:
            if unharmed.loop_cpu_s() - before > STRANGERS_CPU_S:
                slow = [sent for method, sent in batch if is_slow(unharmed, partial(client.send, sent, method=method))]
                assert not slow, slow[0][:2000]
            batch, before = [], unharmed.loop_cpu_s()


def test_requests_with_authority(
    unharmed: RestServer, known: Known, operations: list[Operation], fuzzing: Fuzzing
) -> None:
    random, client = fuzzing.random, Client(unharmed)
    cookies = [{"Cookie": cookie} for cookie in known.cookies]
    for _ in fuzzing.rounds(1500):
        operation = random.choice(operations)
        if (operation.method, operation.path) in {("POST", "/auth/logout"), ("POST", "/rooms/{roomName}/rotate-links")}:
            continue
        if operation.method == "DELETE" and random.random() < 0.9:
            continue
        method, request = request_of(random, operation, known, random.choice([*known.credentials, *cookies]))
        try:
            check(client.send(request, method=method), is_stranger=False)
        except AssertionError as error:
            raise AssertionError(f"{error}; {client.failure!r}\n{request[:300]!r} … {request[-600:]!r}") from None


# ── bytes that are hardly HTTP ──


def head(*lines: str, body: str = "") -> str:
    return "\r\n".join((lines[0], "Host: x", *lines[1:], "", body))


JSON: Final = "Content-Type: application/json"
CHUNKED: Final = "Transfer-Encoding: chunked"
HEADS: Final = (
    head("GET /meet/api/v1/rooms HTTP/1.1", "X-API-KEY: k"),
    head("POST /meet/api/v1/rooms HTTP/1.1", CHUNKED, JSON,
         body='5;a=b\r\n{"a":\r\n2\r\n1}\r\n0\r\nTrailer: x\r\n\r\n'),
    head("POST /meet/internal-api/v1/auth/login HTTP/1.1", JSON, "Content-Length: 2", "Expect: 100-continue",
         body="{}"),
    head("GET /rtc/v1?access_token=x&join_request=y HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket",
         "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    head("GET /rtc/validate?access_token=x HTTP/1.1"),
    head("POST /twirp/livekit.RoomService/ListRooms HTTP/1.1", JSON, "Authorization: Bearer x", "Content-Length: 2",
         body="{}"),
    head("POST /livekit/webhook HTTP/1.1", "Content-Type: application/webhook+json", "Content-Length: 2", body="{}"),
    head("OPTIONS /meet/api/v1/rooms HTTP/1.1", "Origin: https://a.example", "Access-Control-Request-Method: POST"),
    head("GET /meet/room/?secret=x HTTP/1.1", "Accept-Encoding: gzip, br", 'If-None-Match: "x"'),
    head("HEAD /assets/../index.html HTTP/1.0", "Range: bytes=0-1"),
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)  # fmt: skip


def test_heads_that_are_hardly_http(unharmed: RestServer, fuzzing: Fuzzing) -> None:
    """Each is answered, refused or dropped; what is told is never a defect's."""
    random, client = fuzzing.random, Client(unharmed)
    for _ in fuzzing.rounds(1000):
        request = mutated_lines(random, random.choice(HEADS), HEADS).encode()
        if random.random() < 0.3:
            request = mutated_bytes(random, request, [each.encode() for each in HEADS])
        answer = client.send(request, then_close=True)
        assert answer is None or answer.status < 500 or answer.status in FINE_5XX, (answer, request[:2000])
