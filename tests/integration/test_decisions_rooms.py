"""decisions.md, "Rooms": each test quotes the sentence that it holds."""

from __future__ import annotations

import asyncio
import re
import time

import pytest
from livekit import rtc

from support.livekit_clients import joined
from support.rest import FAR, INTERNAL, RestServer, TestRoom, now_ms


@pytest.mark.parametrize(
    ("prefix", "head"),
    [
        ("standup", "standup-"),
        ("  My\u00a0Daily \t Meeting! ", "My-Daily-Meeting-"),
        ("a -- b", "a-b-"),
        ("---", ""),
        ("", ""),
        ("日本語", ""),
        ("<script>alert(1)</script>", "scriptalert1script-"),
        ("x" * 100, "x" * 64 + "-"),
        ("y" * 63 + " zzz", "y" * 63 + "-"),
        ("nul\u0000byte", "nulbyte-"),
    ],
)
def test_room_name(server: RestServer, prefix, head):
    """`roomName` = sanitised prefix + `-` + 15 random lower-case alphanumerics; empty prefix → only the suffix.
    `roomNamePrefix` in answers is what was sent."""
    answer = server.create_room(roomNamePrefix=prefix).answer
    assert re.fullmatch(re.escape(head) + "[a-z0-9]{15}", answer["roomName"])
    assert answer["roomNamePrefix"] == prefix
    assert server.ask("GET", f"/rooms/{answer['roomName']}").json() == answer


def test_room_names_differ(server: RestServer):
    """15 random lower-case alphanumerics (CSPRNG)."""
    assert len({server.create_room(roomNamePrefix="same").name for _ in range(20)}) == 20


@pytest.mark.parametrize("ago_ms", [0, 1, 1000, 10**12])
def test_expiration_in_the_past(server: RestServer, ago_ms):
    """`expirationDate`: required, a number of milliseconds, later than now at the time of the request."""
    answer = server.ask("POST", "/rooms", {"expirationDate": now_ms() - ago_ms})
    assert answer.status_code == 422
    assert answer.json()["details"][0]["field"] == "expirationDate"


@pytest.mark.parametrize(
    ("value", "status"),
    [(1, 200), (4294967295, 200), (10.0, 200), (0, 422), (-1, 422), (4294967296, 422), (1.5, 422), ("5", 422)],
)
def test_max_participants(server: RestServer, value, status):
    """`maxParticipants`: integer from 1 to 4294967295, or absent."""
    answer = server.ask("POST", "/rooms", {"expirationDate": FAR, "maxParticipants": value})
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["maxParticipants"] == value
        assert "maxParticipants" not in server.create_room().answer


def test_preferences_default(server: RestServer):
    """`preferences`: every part optional, each `enabled` defaults to true at creation."""
    on = {"enabled": True}
    everything = {"chatPreferences": on, "recordingPreferences": on, "virtualBackgroundPreferences": on}
    for given in ({}, {"preferences": {}}, {"preferences": {"chatPreferences": {}}}):
        assert server.create_room(**given).answer["preferences"] == everything
    off = server.create_room(preferences={"recordingPreferences": {"enabled": False}}).answer["preferences"]
    assert off == everything | {"recordingPreferences": {"enabled": False}}


def test_links(server: RestServer, room: TestRoom):
    """URLs: `<public base URL>/meet/<roomName>/?secret=<secret>`; one secret per role with ≥128 bits."""
    secrets = set()
    for role in ("moderator", "publisher", "viewer"):
        link = room.answer[f"{role}URL"]
        assert re.fullmatch(rf"http://localhost:\d+/meet/{room.name}/\?secret=[A-Za-z0-9_-]{{22,}}", link)
        secrets.add(room.secret(role))
    assert len(secrets) == 3


def test_rotate_links(server: RestServer, room: TestRoom):
    """Addition: `POST /rooms/{roomName}/rotate-links` gives new ones and answers the room."""
    fresh = server.ask("POST", f"/rooms/{room.name}/rotate-links")
    assert fresh.status_code == 200
    assert fresh.json()["roomName"] == room.name
    assert fresh.json()["moderatorURL"] != room.answer["moderatorURL"]
    old = {"roomName": room.name, "participantName": "Ana", "secret": room.secret("moderator")}
    assert server.internal("POST", "/participants/token", old).status_code == 403
    assert server.ask("POST", "/rooms/unknown/rotate-links").status_code == 404


@pytest.mark.parametrize("role", ["moderator", "publisher", "viewer"])
def test_minimal_grants(server: RestServer, room: TestRoom, role):
    """nobody gets `roomAdmin`, `roomCreate`, `roomList`, `roomRecord`, `ingressAdmin` or `canUpdateOwnMetadata`."""
    video = server.claims(server.token(room, "Ana", role))["video"]
    assert video == {
        "room": room.name,
        "roomJoin": True,
        "canPublish": role != "viewer",
        "canSubscribe": True,
        "canPublishData": True,
        "canUpdateOwnMetadata": False,
    }


def test_chat_off_in_tokens(server: RestServer):
    """`canPublishData` is for chat: chat off means false for every role."""
    room = server.create_room(preferences={"chatPreferences": {"enabled": False}})
    for role in ("moderator", "publisher", "viewer"):
        assert server.claims(server.token(room, "Ana", role))["video"]["canPublishData"] is False


async def test_chat_off_at_once(server: RestServer, room: TestRoom):
    """chat off means false for every role, at once, also in a running meeting … (and back on)."""
    async with joined(server, server.token(room, "Ana")) as ana:
        for enabled in (False, True):
            change = {"chatPreferences": {"enabled": enabled}}
            answer = await asyncio.to_thread(server.ask, "PUT", f"/rooms/{room.name}", change)
            assert answer.status_code == 200
            await ana.until(lambda on=enabled: ana.me.permissions.can_publish_data is on, f"data {enabled}", within_s=2)
        old = server.token(room, "Bea")
        await asyncio.to_thread(server.ask, "PUT", f"/rooms/{room.name}", {"chatPreferences": {"enabled": False}})
        # "chat switched off for one who comes back with an old token"
        async with joined(server, old) as bea:
            assert bea.me.permissions.can_publish_data is False


async def test_max_participants_refuses_the_next(server: RestServer):
    """`maxParticipants` → the media server refuses the next, under a race too."""
    room = server.create_room(maxParticipants=2)
    tokens = [server.token(room, f"P{number}") for number in range(5)]

    async def try_to_join(token: str) -> bool:
        try:
            async with joined(server, token):
                await asyncio.wait_for(all_tried.wait(), 30)
                return True
        except (rtc.ConnectError, TimeoutError):
            return False

    all_tried = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(try_to_join(token)) for token in tokens]
        waiting = set(tries)
        while len(waiting) > 2:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        all_tried.set()
    assert sum(task.result() for task in tries) == 2


async def test_expiry(server: RestServer):
    """After `expirationDate` a room is gone: 404 by name, token and refresh 404, signalling refuses, tokens never
    outlive the room, and people inside are told and disconnected, within a second. `GET /rooms` lists rooms that have
    not expired."""
    expires = now_ms() + 4000
    room = server.create_room(expirationDate=expires)
    token, late = server.token(room, "Ana"), server.token(room, "Bea")
    assert server.claims(token)["exp"] * 1000 <= expires
    async with joined(server, token) as ana:
        await ana.wait_for_event("disconnected", within_s=10)
        assert 0 <= now_ms() - expires < 1000
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/end"), ("GET", "/participants")):
        answer = server.ask(method, f"/rooms/{room.name}{path}", {} if method == "PUT" else None)
        assert answer.status_code == 404, (method, path)
    body = {"roomName": room.name, "participantName": "Cleo", "secret": room.secret("viewer")}
    assert server.ask("POST", "/participants/token", body).status_code == 404
    assert server.internal("POST", "/participants/token", body).status_code == 404
    old = server.aged(late, exp=FAR // 1000)
    assert server.internal("POST", "/participants/token/refresh", body, bearer=late).status_code == 404
    assert server.internal("POST", "/participants/token/refresh", body, bearer=old).status_code == 401
    assert room.name not in [one["roomName"] for one in server.ask("GET", "/rooms").json()]
    with pytest.raises(Exception, match=r".+"):
        async with joined(server, old):
            pass


def test_put_bare_wrapped_partial(server: RestServer, room: TestRoom):
    """`PUT` takes preferences bare or wrapped in `preferences` (both mixed: 422), partial: what is absent stays as it
    is, `{}` changes nothing (200)."""
    path = f"/rooms/{room.name}"
    off, on = {"enabled": False}, {"enabled": True}
    bare = server.ask("PUT", path, {"chatPreferences": off}).json()
    assert bare == room.answer | {"preferences": room.answer["preferences"] | {"chatPreferences": off}}
    wrapped = server.ask("PUT", path, {"preferences": {"recordingPreferences": off}}).json()
    assert wrapped["preferences"] == bare["preferences"] | {"recordingPreferences": off}
    for nothing in ({}, {"preferences": {}}, {"chatPreferences": {}}, {"preferences": {"chatPreferences": {}}}):
        assert server.ask("PUT", path, nothing).json() == wrapped
    mixed = {"preferences": {"chatPreferences": on}, "chatPreferences": on}
    assert server.ask("PUT", path, mixed).status_code == 422
    assert server.ask("GET", path).json() == wrapped
    assert server.ask("PUT", "/rooms/unknown", {}).status_code == 404


async def test_delete_ends_the_meeting(server: RestServer, room: TestRoom):
    """`DELETE` ends a live meeting …, 204; unknown 404."""
    token = server.token(room, "Ana")
    async with joined(server, token) as ana:
        answer = await asyncio.to_thread(server.ask, "DELETE", f"/rooms/{room.name}")
        assert (answer.status_code, answer.content) == (204, b"")
        await ana.wait_for_event("disconnected", within_s=3)
    assert server.ask("DELETE", f"/rooms/{room.name}").status_code == 404
    assert server.ask("DELETE", "/rooms/unknown").status_code == 404
    with pytest.raises(Exception, match=r".+"):
        async with joined(server, token):
            pass


def test_delete_lets_a_recording_finish(server: RestServer, room: TestRoom):
    """`DELETE` … lets a running recording finish and keep its file."""
    from tertulia.domain.recordings.recording import RecordingState  # noqa: PLC0415

    recording = server.add_recording(room.name, state=RecordingState.ACTIVE)
    assert server.ask("DELETE", f"/rooms/{room.name}").status_code == 204
    kept = server.write(lambda tx: tx.recordings.find(recording.id))
    assert kept is not None
    assert kept.state is RecordingState.ACTIVE
    assert kept.stop_requested_at_ms is not None
    assert kept.details == "room deleted"


async def test_end_keeps_the_room(server: RestServer, room: TestRoom):
    """(issue 4) `POST /rooms/{roomName}/end` (ends the meeting, keeps the room)."""
    async with joined(server, server.token(room, "Ana")) as ana:
        answer = await asyncio.to_thread(server.ask, "POST", f"/rooms/{room.name}/end")
        assert answer.status_code == 204
        await ana.wait_for_event("disconnected", within_s=3)
    assert server.ask("GET", f"/rooms/{room.name}").status_code == 200
    async with joined(server, server.token(room, "Ana")):
        pass
    assert server.ask("POST", "/rooms/unknown/end").status_code == 404


def test_internal_room_operations(server: RestServer):
    """On the internal base path an admin session has the same room operations as the public document."""
    admin = {"base": INTERNAL, "bearer": server.log_in()["accessToken"]}
    made = server.ask("POST", "/rooms", {"expirationDate": FAR}, **admin).json()
    path = f"/rooms/{made['roomName']}"
    assert server.ask("GET", path, **admin).json() == made
    assert made in server.ask("GET", "/rooms", **admin).json()
    assert server.ask("PUT", path, {"chatPreferences": {"enabled": False}}, **admin).status_code == 200
    assert server.ask("DELETE", path, **admin).status_code == 204


def test_participant_gets_its_room_without_links(server: RestServer, room: TestRoom):
    """a participant token may `GET` its own room without its links."""
    other = server.create_room()
    for role in ("moderator", "publisher", "viewer"):
        bearer = server.token(room, f"reader-{role}", role)
        shown = server.internal("GET", f"/rooms/{room.name}", bearer=bearer)
        assert shown.status_code == 200
        assert not [name for name in shown.json() if name.endswith("URL")]
        assert "secret" not in shown.text
        assert server.internal("GET", f"/rooms/{other.name}", bearer=bearer).status_code == 403
        asked = server.internal("GET", f"/rooms/{room.name}?fields=moderatorURL", bearer=bearer)
        assert asked.json() == {}


def test_hundreds_of_rooms_stream_as_json(server: RestServer):
    """everything without `maxItems`, streamed: more rooms than one piece holds are still one array."""
    before = len(server.ask("GET", "/rooms?fields=roomName").json())

    def insert(tx) -> None:
        from dataclasses import replace  # noqa: PLC0415

        from tertulia.domain.ids import RoomName  # noqa: PLC0415

        template = tx.rooms.page(now_ms=now_ms(), limit=1, after=None)[0]
        for number in range(1100):
            tx.rooms.insert(replace(template, name=RoomName(f"bulk-{time.time_ns()}-{number}")))

    server.create_room()
    server.write(insert)
    rooms = server.ask("GET", "/rooms?fields=roomName").json()
    assert len({room["roomName"] for room in rooms}) == len(rooms) == before + 1101
    server.write(lambda tx: [tx.rooms.delete(r["roomName"]) for r in rooms if r["roomName"].startswith("bulk-")])
