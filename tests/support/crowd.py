"""Many participants who join at once: clients of the SDK, without browsers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from livekit import api, rtc

from support.product import MEDIA_API_KEY, MEDIA_API_SECRET, Product, RoomLinks

_SAMPLES_PER_S = 48_000


@asynccontextmanager
async def crowd(
    product: Product, room: RoomLinks, size: int, *, can_publish: bool = False, name: str = "guest"
) -> AsyncIterator[list[rtc.Room]]:
    """Have so many clients join, `guest-0` and so on, for as long as the block lasts."""
    clients = [rtc.Room() for _ in range(size)]
    url = product.url.replace("http", "ws")

    def token(number: int) -> str:
        grants = api.VideoGrants(room_join=True, room=room.name, can_publish=can_publish)
        made = api.AccessToken(MEDIA_API_KEY, MEDIA_API_SECRET).with_identity(f"{name}-{number}")
        return made.with_grants(grants).to_jwt()

    options = rtc.RoomOptions(auto_subscribe=False)
    await asyncio.gather(*(client.connect(url, token(number), options) for number, client in enumerate(clients)))
    try:
        yield clients
    finally:
        await asyncio.gather(*(client.disconnect() for client in clients))


@asynccontextmanager
async def speaking(client: rtc.Room) -> AsyncIterator[None]:
    """Have a client publish a loud tone for as long as the block lasts."""
    source = rtc.AudioSource(_SAMPLES_PER_S, 1)
    track = rtc.LocalAudioTrack.create_audio_track("voice", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await client.local_participant.publish_track(track, options)
    samples = _SAMPLES_PER_S // 100
    wave = (20_000 * np.sin(np.arange(samples) * 2 * np.pi * 4 / samples)).astype("<i2").tobytes()

    async def sound() -> None:
        while True:
            await source.capture_frame(rtc.AudioFrame(wave, _SAMPLES_PER_S, 1, samples))

    async with asyncio.TaskGroup() as tasks:
        sounding = tasks.create_task(sound(), name="a voice")
        try:
            yield
        finally:
            sounding.cancel()


@asynccontextmanager
async def filming(client: rtc.Room, width: int, height: int) -> AsyncIterator[None]:
    """Have a client publish a picture of that size for as long as the block lasts."""
    source = rtc.VideoSource(width, height)
    track = rtc.LocalVideoTrack.create_video_track("picture", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False)
    await client.local_participant.publish_track(track, options)

    async def film() -> None:
        brightness = 0
        while True:
            brightness = (brightness + 9) % 200
            rgba = np.full((height, width, 4), brightness, np.uint8)
            rgba[height // 4 : height // 2, width // 4 : width // 2] = 255
            source.capture_frame(rtc.VideoFrame(width, height, rtc.VideoBufferType.RGBA, rgba.tobytes()))
            await asyncio.sleep(1 / 15)

    async with asyncio.TaskGroup() as tasks:
        camera = tasks.create_task(film(), name="a camera")
        try:
            yield
        finally:
            camera.cancel()
