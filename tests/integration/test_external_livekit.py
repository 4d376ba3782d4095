"""The same product over a real LiveKit server: what ours refuses at the join, webhooks enforce there."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.chat import messages_and_history
from support.livekit_clients import joined
from support.media_servers import find_livekit_server
from support.moderation import hands_and_reactions, microphones_and_cameras
from support.ports import free_port
from support.rest import RestServer, running_server

KEY, SECRET = "devkey", "a-secret-of-the-external-server-0123456789"


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestServer]:
    """A product whose media server is livekit-server."""
    binary = find_livekit_server()
    if binary is None:
        pytest.fail("livekit-server is not installed: .ci/run installs it")
    folder = tmp_path_factory.mktemp("external")
    port, own_port = free_port(), free_port()
    config = {
        "port": port, "bind_addresses": ["127.0.0.1"], "rtc": {"udp_port": free_port(), "tcp_port": free_port()},
        "keys": {KEY: SECRET},
        "webhook": {"api_key": KEY, "urls": [f"http://127.0.0.1:{own_port}/livekit/webhook"]},
    }  # fmt: skip
    with (folder / "livekit.log").open("wb") as log:
        media = subprocess.Popen([binary, "--config-body", json.dumps(config)], stdout=log, stderr=log)
    try:
        settings = {
            "TERTULIA_PORT": str(own_port), "TERTULIA_MEDIA_URL": f"ws://127.0.0.1:{port}",
            "TERTULIA_MEDIA_API_KEY": KEY, "TERTULIA_MEDIA_API_SECRET": SECRET,
        }  # fmt: skip
        with running_server(folder, **settings) as server:
            yield server
            assert "Traceback" not in server.log()
    finally:
        media.terminate()
        media.wait(10)


class Media:
    """Where clients connect."""

    def __init__(self, server: RestServer, token: str) -> None:
        import jwt  # noqa: PLC0415

        claims = jwt.decode(token, options={"verify_signature": False})
        self.ws_url = json.loads(claims["metadata"])["livekitUrl"]


async def test_chat_off_and_dead_tokens(external: RestServer):
    """On another LiveKit server our server enforces it at once when the webhook of the join arrives."""
    room = await asyncio.to_thread(external.create_room)
    token = await asyncio.to_thread(external.token, room, "Ana")
    media = Media(external, token)
    ask = lambda *arguments: asyncio.to_thread(external.ask, *arguments)  # noqa: E731
    async with joined(media, token) as ana:
        off = {"chatPreferences": {"enabled": False}}
        assert (await ask("PUT", f"/rooms/{room.name}", off)).status_code == 200
        await ana.until(lambda: not ana.me.permissions.can_publish_data, "data off")
    async with joined(media, token) as ana:  # the old token still says that data may be sent
        await ana.until(lambda: not ana.me.permissions.can_publish_data, "data off again")
        people = await ask("GET", f"/rooms/{room.name}/participants")
        assert [one["participantName"] for one in people.json()] == ["Ana"]
        assert (await ask("DELETE", f"/participants/Ana?roomName={room.name}")).status_code == 204
        await ana.wait_for_event("disconnected")
    async with joined(media, token) as ana:
        await ana.wait_for_event("disconnected")


async def test_delete_and_expiry(external: RestServer):
    """people inside are told and disconnected; a deleted room's old tokens are worth nothing there either."""
    room = await asyncio.to_thread(external.create_room)
    token = await asyncio.to_thread(external.token, room, "Ana")
    media = Media(external, token)
    async with joined(media, token) as ana:
        assert (await asyncio.to_thread(external.ask, "DELETE", f"/rooms/{room.name}")).status_code == 204
        await ana.wait_for_event("disconnected")
    async with joined(media, token) as ana:
        await ana.wait_for_event("disconnected")


def test_unsigned_reports_are_refused(external: RestServer):
    """(running.md) `POST /livekit/webhook`: only what carries the server's signature counts."""
    for headers in ({}, {"Authorization": "nonsense"}):
        answer = external.ask("POST", "/livekit/webhook", {"event": "participant_left"}, base="", headers=headers)
        assert answer.status_code == 401


def test_media_server_away(tmp_path: Path):
    """(Both APIs) Never a stack trace: what needs the media server answers 503 while it cannot be reached."""
    settings = {
        "TERTULIA_MEDIA_URL": f"ws://127.0.0.1:{free_port()}",
        "TERTULIA_MEDIA_API_KEY": KEY, "TERTULIA_MEDIA_API_SECRET": SECRET,
    }  # fmt: skip
    with running_server(tmp_path, **settings) as server:
        room = server.create_room()
        answer = server.ask("GET", f"/rooms/{room.name}/participants")
        assert (answer.status_code, answer.json()["code"]) == (503, "media_unavailable")
        assert "retry-after" in answer.headers
        assert server.ask("PUT", f"/rooms/{room.name}", {"chatPreferences": {"enabled": False}}).status_code == 200
        assert server.ask("DELETE", f"/rooms/{room.name}").status_code == 204
        assert server.ask("GET", f"/rooms/{room.name}").status_code == 404
        assert "Traceback" not in server.log()


async def test_moderation(external: RestServer):
    """Hands, reactions, mute all, stop camera, ask to unmute: the same by a LiveKit server's server API."""
    for scenario in (hands_and_reactions, microphones_and_cameras):
        room = await asyncio.to_thread(external.create_room)
        await scenario(external, room, lambda token: Media(external, token))


async def test_chat(external: RestServer):
    """Messages through our API and their history, by a LiveKit server's own ids of meetings."""
    room = await asyncio.to_thread(external.create_room)
    await messages_and_history(external, room, lambda token: Media(external, token))
