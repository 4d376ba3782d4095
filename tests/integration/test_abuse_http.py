"""What strangers send by HTTP: it costs little, its refusal is short, and the log says where it came from."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.rest import INTERNAL, PUBLIC, RestServer, TestRoom
from support.waiting import until


def logged(server: RestServer, request_id: str) -> dict[str, dict[str, Any]]:
    """Return the whole lines of a request, by their event."""
    whole, _, _ = server.log().rpartition("\n")
    lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    return {line["event"]: line for line in lines if line.get("request_id") == request_id}


async def is_logged(told: Callable[[], dict[str, dict[str, Any]]]) -> bool:
    return "request" in told()


async def test_guesses_are_logged(server: RestServer, room: TestRoom):
    """A wrong password, token, key or link: with address, operation, and the id that the client was told."""
    link = {"roomName": room.name, "participantName": "x", "secret": "a-wrong-secret"}
    tried = {
        "logIn": server.internal("POST", "/auth/login", {"username": "nobody", "password": "a-wrong-password"}),
        "getProfile": server.internal("GET", "/auth/profile", bearer="a.wrong.token"),
        "getRooms": server.ask("GET", "/rooms", key="a-wrong-key"),
        "generateParticipantToken": server.ask("POST", "/participants/token", link, key=None),
    }
    for operation, answer in tried.items():
        assert answer.status_code in {401, 404}
        told = partial(logged, server, answer.json()["requestId"])
        await until("the request is logged", partial(is_logged, told))  # which is after its answer
        refused, access = told()["request refused"], told()["request"]
        assert (refused["operation"], refused["address"], refused["level"]) == (operation, "127.0.0.1", "warning")
        assert (access["address"], access["status"]) == ("127.0.0.1", answer.status_code)
        assert access["route"].startswith("/meet/")
    assert "a-wrong" not in server.log()
    assert "a.wrong.token" not in server.log()


@pytest.mark.parametrize(
    ("base", "path", "body"),
    [
        (INTERNAL, "/auth/login", {"username": "admin", "password": "x" * 1000}),
        (INTERNAL, "/participants/token", {"roomName": "x", "participantName": "x", "secret": "x"}),
        (PUBLIC, "/participants/token", {"roomName": "x", "participantName": "x", "secret": "x"}),
        (INTERNAL, "/participants/role", {"roomName": "x", "secret": "x"}),
    ],
)
def test_what_strangers_send_is_small(server: RestServer, base, path, body):
    """A login is not a megabyte; and whatever it repeats of a request, a refusal is short."""
    big = server.ask("POST", path, body | {f"unknown{i}": i for i in range(50_000)}, base=base, key=None)
    assert (big.status_code, big.json()["code"]) == (413, "body_too_large")
    for wrong in ({f"unknown{i}": i for i in range(500)}, {"x" * 10_000: 1}):
        refused = server.ask("POST", path, body | wrong, base=base, key=None)
        assert refused.status_code == 422
        assert len(refused.json()["details"]) <= 20
        assert len(refused.content) < 4096
    if "roomName" in body:
        refused = server.ask("POST", path, body | {"roomName": "x" * 10_000}, base=base, key=None)
        assert refused.status_code in {403, 404}
        assert len(refused.content) < 4096


def open_files(server: RestServer) -> int:
    assert server.process is not None
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def test_one_address_cannot_hold_all_connections(server: RestServer, room: TestRoom):
    """Of an address that holds half-sent requests the oldest are dropped, more are reset when they come in a flood, and
    other addresses do not notice; nor does who comes from the same one afterwards."""
    parts = urlsplit(server.url)
    before = open_files(server)
    with ExitStack() as stack:

        def connected() -> socket.socket:
            return stack.enter_context(socket.create_connection((parts.hostname, parts.port), 10, ("127.0.0.2", 0)))

        for count in range(1500):
            with suppress(ConnectionError):
                connected().sendall(b"GET / HTTP/1.1\r\nX: ")
            if count % 100 == 0:
                assert server.ask("GET", f"/rooms/{room.name}").status_code == 200
        assert open_files(server) - before < 1100
        time.sleep(1)
        connection = connected()
        connection.sendall(f"GET {PUBLIC}/nothing HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 404")
    line = next(line for line in server.log().splitlines() if "too_many_connections" in line)
    assert json.loads(line)["address"] == "127.0.0.2"
