"""What strangers send by HTTP: it costs little, its refusal is short, and the log says where it came from."""

from __future__ import annotations

import json

import pytest

from support.rest import INTERNAL, PUBLIC, RestServer, TestRoom


def test_guesses_are_logged(server: RestServer, room: TestRoom):
    """A wrong password, token, key or link: with address, operation, and the id that the client was told."""
    link = {"roomName": room.name, "participantName": "x", "secret": "a-wrong-secret"}
    tried = {
        "logIn": server.internal("POST", "/auth/login", {"username": "nobody", "password": "a-wrong-password"}),
        "getProfile": server.internal("GET", "/auth/profile", bearer="a.wrong.token"),
        "getRooms": server.ask("GET", "/rooms", key="a-wrong-key"),
        "generateParticipantToken": server.ask("POST", "/participants/token", link, key=None),
    }
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    for operation, answer in tried.items():
        assert answer.status_code in {401, 404}
        mine = [line for line in lines if line.get("request_id") == answer.json()["requestId"]]
        refused = next(line for line in mine if line["event"] == "request refused")
        assert (refused["operation"], refused["address"], refused["level"]) == (operation, "127.0.0.1", "warning")
        access = next(line for line in mine if line["event"] == "request")
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
