"""Who may do what, tried on the running server by who must not: a stranger, a guest, a moderator of another room.

The walk over all REST operations is tests/integration/test_permissions.py; this is what stands beside them: the media
server's own API, tickets, and what costs time before it is refused.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
import requests
from livekit.protocol.room import CreateRoomRequest

from support.rest import INTERNAL, RestServer, TestRoom
from tertulia_sfu.server_api.room_service import OTHER_SERVICES, RoomServiceHandler

METHODS: Final = tuple(RoomServiceHandler(None, None, None).methods())  # type: ignore[arg-type]
STRANGERS_CPU_S: Final = 0.02
PROTOBUF: Final = "application/protobuf"


@pytest.fixture(scope="module")
def rooms(server: RestServer) -> tuple[TestRoom, TestRoom]:
    """One's own room, and another one."""
    return server.create_room(), server.create_room()


@pytest.fixture(scope="module")
def credentials(server: RestServer, rooms: tuple[TestRoom, TestRoom]) -> dict[str, str | None]:
    """Every credential that the product gives out, for all of them are in the hands of users."""
    own, other = rooms
    of_roles = {role: server.token(own, f"The {role}", role) for role in ("moderator", "publisher", "viewer")}
    return {
        "nobody": None,
        "garbage": "e30.e30.e30",
        "administrator": server.log_in()["accessToken"],
        "moderator of another room": server.token(other, "Mona"),
        **of_roles,
    }


def call(server: RestServer, method: str, token: str | None, body: bytes, kind: str) -> requests.Response:
    headers = {"Content-Type": kind} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    url = f"{server.url}/twirp/livekit.RoomService/{method}"
    return requests.post(url, data=body, headers=headers, timeout=10)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_the_server_api(server: RestServer, rooms, credentials, method: str):
    """What moderators do goes through our API, which checks it: no token of a user may call the media server's."""
    own, _ = rooms
    asked = {"room": own.name, "name": own.name, "identity": "The viewer", "trackSid": "TR_x", "muted": True}
    for token in credentials.values():
        for body, kind in ((json.dumps(asked).encode(), "application/json"), (b"", PROTOBUF), (b"\xff", PROTOBUF)):
            assert call(server, method, token, body, kind).status_code == 401
    assert server.ask("GET", f"/rooms/{own.name}").status_code == 200


def test_the_server_api_is_what_is_walked(server: RestServer):
    assert "CreateRoom" in METHODS
    for service in OTHER_SERVICES:
        refused = requests.post(f"{server.url}/twirp/{service}/Any", json={}, timeout=10)
        assert refused.status_code == 501


@pytest.mark.parametrize("who", ["nobody", "viewer"])
@pytest.mark.parametrize("kind", ["application/json", PROTOBUF])
def test_large_calls_without_authority_cost_nothing(server: RestServer, credentials, who: str, kind: str):
    """9 MB that would take half a second to parse are refused unread."""
    fields: Any = [{"participantIdentity": "x"}] * 240_000
    body = json.dumps({"names": fields}).encode() if kind == "application/json" else bytes(
        CreateRoomRequest(name="x" * 9_000_000).SerializeToString()
    )  # fmt: skip
    spent = []
    for _ in range(3):
        before = server.loop_cpu_s()
        assert call(server, "ListRooms", credentials[who], body, kind).status_code == 401
        spent.append(server.loop_cpu_s() - before)
    assert min(spent) < STRANGERS_CPU_S


@pytest.mark.parametrize("path", ["/rtc/v1", "/rtc", "/rtc/validate"])
@pytest.mark.parametrize("query", ["a&" * 120_000, "a=" + "%2F" * 80_000, "join_request=" + "%2B" * 80_000])
def test_long_queries_of_strangers_cost_nothing(server: RestServer, path: str, query: str):
    spent = []
    for _ in range(3):
        before = server.loop_cpu_s()
        upgrade = {} if path == "/rtc/validate" else {"Connection": "Upgrade", "Upgrade": "websocket"}
        more = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} if upgrade else {}
        refused = requests.get(f"{server.url}{path}?{query}", headers=upgrade | more, timeout=10)
        assert refused.status_code == 400
        spent.append(server.loop_cpu_s() - before)
    assert min(spent) < STRANGERS_CPU_S


def test_a_ticket_opens_one_recording(server: RestServer, rooms):
    """Not another one of the same room, not another operation, and not after its moderator's token died."""
    own, other = server.create_room(), rooms[1]
    first, second, foreign = (server.add_recording(room.name) for room in (own, own, other))
    moderator = server.token(own, "Max")
    ticket = server.internal("POST", f"/recordings/{first.id}/stream-ticket", bearer=moderator).json()["ticket"]

    def status(method: str, path: str) -> int:
        return server.ask(method, f"{path}?ticket={ticket}", base=INTERNAL, key=None).status_code

    assert status("GET", f"/recordings/{first.id}/stream") == 200
    assert status("GET", f"/recordings/{second.id}/stream") == 403
    assert status("GET", f"/recordings/{foreign.id}/stream") == 403
    for method, path in (("GET", ""), ("DELETE", ""), ("PUT", ""), ("POST", "/stream-ticket")):
        assert status(method, f"/recordings/{first.id}{path}") == 401, (method, path)
    refused = server.internal("POST", f"/recordings/{foreign.id}/stream-ticket", bearer=moderator)
    assert refused.status_code == 403
    server.ask("DELETE", f"/rooms/{own.name}")
    assert status("GET", f"/recordings/{first.id}/stream") == 401
