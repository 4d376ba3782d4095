"""Hands, reactions, the microphones and cameras of others, and locked rooms, over the embedded media server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from support.livekit_clients import joined
from support.moderation import hands_and_reactions, microphones_and_cameras
from support.rest import RestServer, TestRoom


async def test_hands_and_reactions(server: RestServer, room: TestRoom):
    """ "moderation, raised hands and reactions go through our API, which checks permission and then acts by the media
    server's server API"."""
    await hands_and_reactions(server, room, lambda _token: server)


async def test_microphones_and_cameras(server: RestServer, room: TestRoom):
    await microphones_and_cameras(server, room, lambda _token: server)


def test_only_participants_of_the_meeting_react(server: RestServer, room: TestRoom):
    bearer = server.token(room, "Vera", "viewer")
    path = f"/rooms/{room.name}/participants/Vera/reactions"
    assert server.internal("POST", path, {"reaction": "👍"}, bearer=bearer).status_code == 404


async def test_a_locked_room(server: RestServer, room: TestRoom):
    """Only moderators and participants who have been in it get in; all pages are told; ending the meeting opens it."""
    mona, pia = server.token(room, "Mona"), server.token(room, "Pia", "publisher")
    path = f"/rooms/{room.name}"

    def asks(name: str, role: str, **credential: Any) -> tuple[int, str | None]:
        body = {"roomName": room.name, "participantName": name, "secret": room.secret(role)}
        answer = server.internal("POST", "/participants/token", body, **credential)
        return answer.status_code, answer.json().get("code")

    def lock(method: str) -> int:
        return server.internal(method, f"{path}/lock", bearer=mona).status_code

    async with joined(server, pia) as client:
        assert await asyncio.to_thread(lock, "PUT") == 204
        (told,) = await client.wait_for_event("data_received")
        assert (told.topic, told.participant) == ("tertulia.room", None)
        assert json.loads(told.data)["locked"] is True
        assert asks("Paul", "publisher") == (403, "room_locked")
        assert asks("Vera", "viewer") == (403, "room_locked")
        assert asks("Moritz", "moderator") == (200, None)
        assert asks("Pia", "publisher", bearer=pia) == (200, None)
        assert server.ask("GET", path).json()["locked"] is True
        assert await asyncio.to_thread(lock, "DELETE") == 204
        assert asks("Paul", "publisher") == (200, None)
        assert "locked" not in server.ask("GET", path).json()
        assert await asyncio.to_thread(lock, "PUT") == 204
    assert server.ask("POST", f"{path}/end").status_code == 204
    assert asks("Vera", "viewer") == (200, None)


async def test_pages_are_told_what_the_room_allows_now(server: RestServer, room: TestRoom):
    async with joined(server, server.token(room, "Pia", "publisher")) as client:
        off = {"virtualBackgroundPreferences": {"enabled": False}}
        assert (await asyncio.to_thread(server.ask, "PUT", f"/rooms/{room.name}", off)).status_code == 200
        (told,) = await client.wait_for_event("data_received")
        assert json.loads(told.data) == {
            "chat": True, "chatHistory": True, "chatFiles": True,
            "recording": True, "virtualBackground": False, "lobby": False, "locked": False,
        }  # fmt: skip
