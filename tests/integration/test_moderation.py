"""Hands, reactions, and the microphones and cameras of others, over the embedded media server."""

from __future__ import annotations

from support.moderation import hands_and_reactions, microphones_and_cameras
from support.rest import RestServer, TestRoom


async def test_hands_and_reactions(server: RestServer, room: TestRoom):
    """ "moderation, raised hands and reactions go through our API, which checks permission and then acts by the media
    server's server API"."""
    await hands_and_reactions(server, room, lambda _token: server)


async def test_microphones_and_cameras(server: RestServer, room: TestRoom):
    await microphones_and_cameras(server, room, lambda _token: server)


def test_too_many_reactions(server: RestServer, room: TestRoom):
    """The reactions of one participant are limited; a participant who is not in the meeting has none."""
    bearer = server.token(room, "Vera", "viewer")
    path = f"/rooms/{room.name}/participants/Vera/reactions"
    assert server.internal("POST", path, {"reaction": "👍"}, bearer=bearer).status_code == 404
