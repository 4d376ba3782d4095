"""Scene and subscriptions of a room that is described here; the connection sends nothing."""

import asyncio
import time

import pytest
from livekit.protocol import models, rtc

from tertulia_recorder.drawing.layout import Size, arrange
from tertulia_recorder.ids import Identity
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.pipeline.quality import QUALITY_LEVELS
from tertulia_recorder.receiving.connection import Connection
from tertulia_recorder.receiving.meeting_source import RECONNECT_GRACE_S, SPEAKING_HOLD_S, MeetingSource

HD = Size(1280, 720)
CAMERA, MICROPHONE = models.TrackSource.CAMERA, models.TrackSource.MICROPHONE


def camera(sid: str, **info: object) -> models.TrackInfo:
    return models.TrackInfo(sid=sid, type=models.TrackType.VIDEO, source=CAMERA, **info)  # type: ignore[arg-type]


def microphone(sid: str, **info: object) -> models.TrackInfo:
    return models.TrackInfo(sid=sid, type=models.TrackType.AUDIO, source=MICROPHONE, **info)  # type: ignore[arg-type]


class Room:
    """A meeting source that has joined a room, and what it has sent."""

    def __init__(self) -> None:
        self.media_buffer = MediaBuffer()
        self.source = MeetingSource(
            url="ws://", token="", media_buffer=self.media_buffer, with_picture=True, on_stop=lambda _age_s: None
        )
        self.sent: list[rtc.SignalRequest] = []
        self.connection = Connection(
            "ws://", "", self.media_buffer, on_change=lambda: None, on_stop=lambda _age_s: None
        )
        self.connection.send = self.sent.append  # type: ignore[method-assign]
        self.source._connection = self.connection
        self.source.connected.set()

    def join(self, identity: str, *tracks: models.TrackInfo, joined_at: int = 0, **permission: bool) -> None:
        grants = models.ParticipantPermission(**{"can_publish": True, **permission})
        self.connection.participants[f"PA_{identity}"] = models.ParticipantInfo(
            sid=f"PA_{identity}",
            identity=identity,
            name=identity.upper(),
            joined_at=joined_at,
            permission=grants,
            tracks=tracks,
        )
        self.source._update()

    def leave(self, identity: str) -> None:
        del self.connection.participants[f"PA_{identity}"]
        self.source._update()

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.media_buffer.scene.participants]

    def show(self) -> None:
        self.source.subscribe_for(arrange(self.media_buffer.scene.participants, HD), QUALITY_LEVELS[0])

    def subscribed(self) -> dict[str, bool]:
        """What was asked for since the last call."""
        changes = [each.subscription for each in self.sent if each.HasField("subscription")]
        self.sent.clear()
        return {change.track_sids[0]: change.subscribe for change in changes}


@pytest.fixture
async def room() -> Room:
    return Room()


async def test_participants_who_may_publish_are_in_the_scene_in_order_of_joining(room: Room):
    room.join("b", joined_at=2)
    room.join("a", joined_at=1)
    room.join("viewer", can_publish=False)
    room.join("recorder", hidden=True)
    assert room.names == ["B", "A"], "the order in which they were seen"
    late = Room()
    late.connection.participants = dict(room.connection.participants)
    late.source._update()
    assert late.names == ["A", "B"]


async def test_one_who_leaves_keeps_the_tile_for_a_moment(room: Room):
    room.join("a")
    room.leave("a")
    assert room.names == ["A"]
    async with asyncio.timeout(RECONNECT_GRACE_S + 10):
        while room.names:
            await asyncio.sleep(0.02)


async def test_a_reconnect_is_not_seen(room: Room):
    room.join("a", camera("TR_old"))
    room.leave("a")
    room.join("a", camera("TR_new"))
    assert [p.camera for p in room.media_buffer.scene.participants] == ["TR_new"]


async def test_a_muted_camera_has_no_picture(room: Room):
    room.join("a", camera("TR_c", muted=True))
    assert room.media_buffer.scene.participants[0].camera is None


async def test_what_is_heard_and_visible_is_subscribed_to(room: Room):
    room.join("a", camera("TR_c"), microphone("TR_m"))
    assert room.subscribed() == {"TR_m": True}, "no tile, no picture"
    room.show()
    assert room.subscribed() == {"TR_c": True}
    room.show()
    assert room.subscribed() == {}
    room.source.subscribe_for((), QUALITY_LEVELS[0])
    assert room.subscribed() == {"TR_c": False}


async def test_what_is_encrypted_is_not_subscribed_to_but_noted(room: Room):
    room.join("a", camera("TR_c", encryption=models.Encryption.GCM), microphone("TR_m"))
    room.show()
    assert room.subscribed() == {"TR_m": True}
    assert room.source.encrypted_tracks == {"TR_c"}


async def test_a_pause_between_words_is_part_of_speaking(room: Room):
    def is_speaking() -> bool:
        return room.media_buffer.scene.participants[0].is_speaking

    def speak(*identities: str) -> None:
        room.connection.speaking = frozenset(Identity(each) for each in identities)
        room.source._update()

    room.join("a")
    speak("a")
    assert is_speaking()
    speak()
    speak("a")
    assert is_speaking()
    began_s = time.monotonic()
    speak()
    speak()
    assert is_speaking()
    async with asyncio.timeout(SPEAKING_HOLD_S + 10):
        while is_speaking():
            await asyncio.sleep(0.02)
    assert time.monotonic() - began_s >= SPEAKING_HOLD_S


async def test_who_leaves_speaking_has_no_ring(room: Room):
    room.join("a")
    room.connection.speaking = frozenset({Identity("a")})
    room.source._update()
    room.leave("a")
    (left,) = room.media_buffer.scene.participants
    assert not left.is_speaking
