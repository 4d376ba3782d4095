"""Clients of the real LiveKit SDK for Python: they publish known colours and tones, and record the room's events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import numpy as np
from livekit import api, rtc

from support.media_servers import RunningServer

CONNECT_DEADLINE_S: Final = 15
EVENT_DEADLINE_S: Final = 15
SAMPLE_RATE: Final = 48_000
FRAME_MS: Final = 10

RED: Final = (200, 30, 30)
BLUE: Final = (30, 30, 200)

_EVENTS: Final = (
    "participant_connected",
    "participant_disconnected",
    "participant_active",
    "participant_metadata_changed",
    "participant_name_changed",
    "participant_attributes_changed",
    "participant_permissions_changed",
    "track_published",
    "track_unpublished",
    "track_subscribed",
    "track_unsubscribed",
    "track_subscription_failed",
    "track_subscription_permission_changed",
    "local_track_subscribed",
    "local_track_unpublished",
    "track_muted",
    "track_unmuted",
    "active_speakers_changed",
    "room_metadata_changed",
    "connection_quality_changed",
    "data_received",
    "data_track_published",
    "data_track_unpublished",
    "disconnected",
    "reconnecting",
    "reconnected",
    "room_updated",
)


def token(
    server: RunningServer,
    identity: str,
    room: str,
    *,
    life: timedelta = timedelta(minutes=10),
    change: Callable[[api.AccessToken], Any] = lambda _token: None,
    **grants: Any,
) -> str:
    """Return an access token; `grants` are those of the video grant, `change` may set anything else."""
    made = api.AccessToken(server.key, server.secret).with_identity(identity).with_ttl(life)
    made.with_grants(api.VideoGrants(room_join=True, room=room, **grants))
    change(made)
    return made.to_jwt()


@dataclass
class RoomEvent:
    """One event of a room."""

    name: str
    arguments: tuple[Any, ...]


@dataclass
class LiveKitClient:
    """One client, and the events of its room."""

    room: rtc.Room
    events: list[RoomEvent] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def me(self) -> rtc.LocalParticipant:
        return self.room.local_participant

    def record_events(self) -> None:
        """Record every event from now on."""
        for name in _EVENTS:
            self.room.on(name, lambda *arguments, name=name: self._record(name, arguments))

    def _record(self, name: str, arguments: tuple[Any, ...]) -> None:
        self.events.append(RoomEvent(name, arguments))
        self.changed.set()

    def events_named(self, name: str) -> list[tuple[Any, ...]]:
        """Return the arguments of each event of this name."""
        return [event.arguments for event in self.events if event.name == name]

    async def until(self, condition: Callable[[], Any], what: str, *, within_s: float = EVENT_DEADLINE_S) -> Any:
        """Wait until a condition holds: checked after every event, and every 100 ms for state that has no event."""
        try:
            async with asyncio.timeout(within_s):
                while not (result := condition()):
                    self.changed.clear()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.1):
                            await self.changed.wait()
                return result
        except TimeoutError:
            seen = [event.name for event in self.events]
            raise AssertionError(f"{what}: not within {within_s} s; events: {seen}") from None

    async def wait_for_event(self, name: str, *, within_s: float = EVENT_DEADLINE_S) -> tuple[Any, ...]:
        """Wait until an event of this name has come. Return the arguments of the newest."""
        found: list[tuple[Any, ...]] = await self.until(lambda: self.events_named(name), name, within_s=within_s)
        return found[-1]

    async def sees(self, identity: str) -> rtc.RemoteParticipant:
        """Wait until another participant is in the room."""
        found: rtc.RemoteParticipant = await self.until(
            lambda: self.room.remote_participants.get(identity), f"{identity} to be seen"
        )
        return found

    async def misses(self, identity: str, *, within_s: float = EVENT_DEADLINE_S) -> None:
        """Wait until another participant has left."""
        await self.until(
            lambda: identity not in self.room.remote_participants, f"{identity} to be gone", within_s=within_s
        )

    async def receives(self, identity: str, source: int) -> rtc.Track:
        """Wait until a track of another participant is subscribed."""

        def subscribed() -> rtc.Track | None:
            participant = self.room.remote_participants.get(identity)
            for publication in participant.track_publications.values() if participant else ():
                if publication.source == source and publication.track is not None:
                    return publication.track
            return None

        track: rtc.Track = await self.until(subscribed, f"a track of {identity}")
        return track

    async def shows(
        self,
        colour: tuple[int, int, int] = RED,
        *,
        size: tuple[int, int] = (320, 180),
        simulcast: bool = False,
        codec: int = rtc.VideoCodec.VP8,
        source: int = rtc.TrackSource.SOURCE_CAMERA,
    ) -> rtc.LocalTrackPublication:
        """Publish a camera, or another source, that shows one colour."""
        width, height = size
        film = rtc.VideoSource(width, height)
        track = rtc.LocalVideoTrack.create_video_track("camera", film)
        picture = np.empty((height, width, 4), np.uint8)
        picture[:] = (*colour, 255)
        frame = rtc.VideoFrame(width, height, rtc.VideoBufferType.RGBA, picture.tobytes())
        self._tasks.append(asyncio.ensure_future(_film(film, frame)))
        options = rtc.TrackPublishOptions(
            source=source,  # type: ignore[arg-type]
            simulcast=simulcast,
            video_codec=codec,  # type: ignore[arg-type]
        )
        return await asyncio.wait_for(self.me.publish_track(track, options), EVENT_DEADLINE_S)

    async def sounds(
        self, hertz: float = 440.0, *, source: int = rtc.TrackSource.SOURCE_MICROPHONE
    ) -> rtc.LocalTrackPublication:
        """Publish a microphone, or another source, that hears one tone."""
        sound = rtc.AudioSource(SAMPLE_RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", sound)
        self._tasks.append(asyncio.ensure_future(_play(sound, hertz)))
        options = rtc.TrackPublishOptions(source=source)  # type: ignore[arg-type]
        return await asyncio.wait_for(self.me.publish_track(track, options), EVENT_DEADLINE_S)

    async def leaves(self) -> None:
        """Disconnect."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self.room.disconnect()


async def _film(source: rtc.VideoSource, frame: rtc.VideoFrame) -> None:
    while True:
        source.capture_frame(frame)
        await asyncio.sleep(1 / 15)


async def _play(source: rtc.AudioSource, hertz: float) -> None:
    count, at = SAMPLE_RATE * FRAME_MS // 1000, 0
    while True:
        phase = 2 * np.pi * hertz * (np.arange(count) + at) / SAMPLE_RATE
        samples = (np.sin(phase) * 16_000).astype(np.int16)
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, count))
        at += count


@asynccontextmanager
async def joined(
    server: RunningServer, access_token: str, *, options: rtc.RoomOptions | None = None
) -> AsyncIterator[LiveKitClient]:
    """Connect a client for as long as the block lasts."""
    client = LiveKitClient(rtc.Room())
    client.record_events()
    try:
        async with asyncio.timeout(CONNECT_DEADLINE_S):
            await client.room.connect(server.ws_url, access_token, options or rtc.RoomOptions())
        yield client
    finally:
        await client.leaves()


async def mean_colour(track: rtc.Track, near: tuple[int, int, int], *, within_s: float = 15) -> tuple[int, int, int]:
    """Return the mean colour of the first frame that is near the expected one, or of the last frame."""
    stream = rtc.VideoStream(track, format=rtc.VideoBufferType.RGBA)
    seen = (0, 0, 0)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                async for event in stream:
                    frame = event.frame
                    if frame.width <= 8:
                        continue
                    pixels = np.frombuffer(frame.data, np.uint8).reshape(frame.height, frame.width, 4)
                    red, green, blue = pixels[:, :, :3].mean(axis=(0, 1))
                    seen = (int(red), int(green), int(blue))
                    if is_near(seen, near):
                        break
    finally:
        await stream.aclose()
    return seen


def is_near(one: tuple[int, int, int], other: tuple[int, int, int], *, within: int = 40) -> bool:
    """Return whether two colours look the same, after a lossy codec."""
    return all(abs(a - b) <= within for a, b in zip(one, other, strict=True))


async def tone(track: rtc.Track, near: float, *, within_s: float = 15) -> float:
    """Return the loudest frequency (Hz) in a quarter of a second of sound: the first near one, or the last."""
    stream = rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1)
    window, heard = np.zeros(0, np.int16), 0.0
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                async for event in stream:
                    window = np.concatenate([window, np.frombuffer(event.frame.data, np.int16)])
                    if window.size < SAMPLE_RATE // 4:
                        continue
                    spectrum = np.abs(np.fft.rfft(window * np.hanning(window.size)))
                    heard = float(np.argmax(spectrum) * SAMPLE_RATE / window.size)
                    loud = float(np.abs(window).mean())
                    if loud > 500 and abs(heard - near) < 20:
                        return heard
                    window = window[:0]
    finally:
        await stream.aclose()
    return heard
