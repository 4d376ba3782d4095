"""What arrives at our port byte by byte: requests as no client library sends them, and clients that leave."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.rest import API_KEY, PUBLIC, RestServer, TestRoom

KEY = f"Host: x\r\nX-API-KEY: {API_KEY}\r\n"
HANDSHAKE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def connected(server: RestServer) -> socket.socket:
    parts = urlsplit(server.url)
    assert parts.hostname
    assert parts.port
    connection = socket.create_connection((parts.hostname, parts.port))
    connection.settimeout(30)
    return connection


def exchanged(server: RestServer, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes, read until the server closes: (status, headers, body)."""
    with connected(server) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split(" ")[1]), headers, body


@pytest.mark.parametrize(
    ("path", "key", "status", "code"),
    [
        (f"{PUBLIC}/rooms/nobody-knows-it", KEY, 404, "room_not_found"),
        (f"{PUBLIC}/rooms", "Host: x\r\n", 401, "unauthenticated"),
        (f"{PUBLIC}/nothing", KEY, 404, "path_not_found"),
        ("/nothing", KEY, 404, "path_not_found"),
    ],
)
def test_handshake_where_there_is_no_websocket(server: RestServer, path, key, status, code):
    """It is answered as the GET that it also is: never a failure of ours."""
    got, headers, body = exchanged(server, f"GET {path} HTTP/1.1\r\n{key}{HANDSHAKE}\r\n".encode())
    assert (got, json.loads(body)["code"]) == (status, code)
    assert headers["content-type"] == "application/json"
    assert headers["x-request-id"] == json.loads(body)["requestId"]


def test_escaped_path(server: RestServer, room: TestRoom):
    """Letters that need not be escaped mean the same when they are (RFC 3986, 6.2.2.2)."""
    for path in (f"/meet/api/v1/%72ooms/{room.name}", f"/%6Deet/api/v1/rooms/{room.name}"):
        status, _, body = exchanged(server, f"GET {path} HTTP/1.1\r\n{KEY}Connection: close\r\n\r\n".encode())
        assert (status, json.loads(body).get("roomName")) == (200, room.name), path
    status, _, _ = exchanged(server, f"GET /meet%2Fapi/v1/rooms HTTP/1.1\r\n{KEY}Connection: close\r\n\r\n".encode())
    assert status == 404


def test_endless_head(server: RestServer):
    """A request whose headers do not end costs us a bounded amount of memory, and is told so."""
    with connected(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
        with pytest.raises(ConnectionError):
            connection.sendall(b"a" * 64 * 1024 * 1024)
    status, headers, body = exchanged(server, b"GET / HTTP/1.1\r\nX-Long: ".ljust(512 * 1024 + 1, b"a"))
    assert (status, json.loads(body)["code"]) == (431, "headers_too_large")
    assert headers["x-request-id"] == json.loads(body)["requestId"]


@pytest.mark.parametrize(("path", "expected"), [(f"{PUBLIC}/rooms", 431), ("/", 431), ("/rtcs", 431), ("/rtc", 401)])
def test_long_heads_are_for_signalling_only(server: RestServer, path, expected):
    """A join request travels in the URL; nothing else needs more than 64 KiB, and the log says who sent it."""
    request = f"GET {path}?x={'a' * 100_000} HTTP/1.1\r\n{KEY}{HANDSHAKE}\r\n".encode()
    assert exchanged(server, request)[0] == expected
    if expected == 431:
        line = next(line for line in server.log().splitlines() if "headers_too_large" in line)
        assert json.loads(line)["address"] == "127.0.0.1"


def test_http_1_0(server: RestServer, room: TestRoom):
    """Who speaks HTTP/1.0 gets lists, too, and never chunks, which that version does not know."""
    status, headers, body = exchanged(server, f"GET {PUBLIC}/rooms HTTP/1.0\r\n{KEY}\r\n".encode())
    assert status == 200
    assert "transfer-encoding" not in headers
    assert int(headers["content-length"]) == len(body)
    assert room.name in {one["roomName"] for one in json.loads(body)}


def test_no_http(server: RestServer):
    status, headers, body = exchanged(server, b"hello\r\n\r\n")
    assert (status, json.loads(body)["code"]) == (400, "invalid_http")
    assert headers["x-request-id"] == json.loads(body)["requestId"]


@pytest.mark.parametrize(
    "lines",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 30\r\n\r\n",
        "Content-Length: +0\r\n\r\n",
        "Content-Length:\r\n 0\r\n\r\n",
    ],
)
def test_bodies_whose_end_is_in_doubt(server: RestServer, lines: str):
    """(RFC 9112, 6.3) Where a proxy may see another end of a request than we do, nothing behind it is a request."""
    hidden = f"GET {PUBLIC}/rooms HTTP/1.1\r\nHost: x\r\n\r\n"
    status, headers, body = exchanged(server, f"POST {PUBLIC}/rooms HTTP/1.1\r\nHost: x\r\n{lines}{hidden}".encode())
    assert (status, json.loads(body)["code"]) == (400, "invalid_http")
    assert headers["connection"] == "close"


def test_body_of_large_request_is_no_head(server: RestServer):
    """The limit is for the head: bodies have their own, and one connection may send many requests."""
    body = json.dumps({"expirationDate": 4_000_000_000_000, "roomNamePrefix": "x" * 900_000}).encode()
    for _ in range(3):
        answer = server.ask("POST", "/rooms", raw=body)
        assert answer.status_code == 200, answer.text[:200]
        assert server.ask("DELETE", f"/rooms/{answer.json()['roomName']}").status_code == 204


def bytes_read(pid: int) -> int:
    """How much a process has read so far, from files and sockets."""
    return int(Path(f"/proc/{pid}/io").read_text().split()[1])


def test_nothing_is_read_for_who_has_left(server: RestServer, room: TestRoom):
    """Bytes are streamed, and only for as long as the client reads them: seeking in a player leaves many streams."""
    recording = server.add_recording(room.name)
    file = server.data_dir / "recordings" / recording.id / recording.filename
    size = 400_000_000
    with file.open("wb") as output:
        output.truncate(size)
    assert server.process is not None
    before = bytes_read(server.process.pid)
    with connected(server) as connection:
        connection.sendall(f"GET {PUBLIC}/recordings/{recording.id}/stream HTTP/1.1\r\n{KEY}\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    # this takes as long as reading the rest would: it is the next stream, whole
    whole = server.ask("GET", f"/recordings/{recording.id}/stream", stream=True)
    assert sum(len(piece) for piece in whole.iter_content(1 << 20)) == size
    assert bytes_read(server.process.pid) - before < size * 1.2
