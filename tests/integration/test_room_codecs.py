"""The codecs that a room is restricted to (`mediaPreferences`)."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest
from livekit import rtc

from support.livekit_clients import RED, is_near, joined, mean_colour, tone
from support.rest import RestServer, TestRoom
from tertulia.domain.rooms import Codec
from tertulia.services.tokens import CODECS_TAG
from tertulia_sfu.config import CODECS
from tertulia_sfu.rooms import codecs


def test_preferences_of_media(server: RestServer, room: TestRoom):
    """An addition never changes a documented answer: it is shown only where it restricts."""
    path = f"/rooms/{room.name}"

    def put(chosen: list[str]) -> object:
        answer = server.ask("PUT", path, {"mediaPreferences": {"codecs": chosen}})
        assert answer.status_code == 200, answer.text
        shown: object = server.ask("GET", path).json()["preferences"].get("mediaPreferences")
        assert answer.json()["preferences"].get("mediaPreferences") == shown
        return shown

    assert "mediaPreferences" not in room.answer["preferences"]
    assert put(["audio/opus", "video/VP8"]) == {"codecs": ["video/VP8", "audio/opus"]}
    assert server.ask("PUT", path, {"chatPreferences": {"enabled": True}}).json()["preferences"]["mediaPreferences"]
    assert server.ask("PUT", path, {"mediaPreferences": {}}).json()["preferences"]["mediaPreferences"]
    assert put([]) is None
    made = server.create_room(preferences={"mediaPreferences": {"codecs": ["video/AV1", "audio/opus"]}})
    assert made.answer["preferences"]["mediaPreferences"] == {"codecs": ["video/AV1", "audio/opus"]}


@pytest.mark.parametrize(
    "wrong",
    [None, "video/VP8", ["audio/opus"], ["video/VP8"], ["audio/opus", "video/H265"], ["video/vp8", "audio/opus"], [1]],
)
def test_a_choice_that_cannot_be_used_is_refused(server: RestServer, room: TestRoom, wrong: object):
    answer = server.ask("PUT", f"/rooms/{room.name}", {"mediaPreferences": {"codecs": wrong}})
    assert answer.status_code == 422
    assert "codecs" in answer.text


async def test_a_meeting_has_the_codecs_of_its_room(server: RestServer, room: TestRoom):
    """The same clients, in two rooms at a time: the one room has RED for its sound, the other is without it."""
    restricted = await asyncio.to_thread(
        server.create_room, preferences={"mediaPreferences": {"codecs": ["audio/opus", "video/VP8"]}}
    )
    mime_types = await asyncio.gather(_published(server, restricted), _published(server, room))
    assert mime_types == [{"video/vp8", "audio/opus"}, {"video/vp8", "audio/red"}]


async def _published(server: RestServer, room: TestRoom) -> set[str]:
    ann_token, bob_token = [await asyncio.to_thread(server.token, room, name) for name in ("Ann", "Bob")]
    async with joined(server, ann_token) as ann, joined(server, bob_token) as bob:
        await ann.shows(RED)
        await ann.sounds(440)
        assert is_near(await mean_colour(await bob.receives("Ann", rtc.TrackSource.SOURCE_CAMERA), RED), RED)
        microphone = await bob.receives("Ann", rtc.TrackSource.SOURCE_MICROPHONE)
        assert await tone(microphone, 440) == pytest.approx(440, abs=20)
        publications = bob.room.remote_participants["Ann"].track_publications.values()
        return {each.mime_type.lower() for each in publications}


def test_the_api_and_the_media_server_mean_the_same():
    assert get_args(Codec) == CODECS
    assert CODECS_TAG == codecs.CODECS_TAG
