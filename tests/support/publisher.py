"""Publishers: real SDK clients with a colour, a tone, a frame counter, or flash and beep once a second."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from support.media_server_process import MediaServerProcess
from tertulia_recorder.drawing.planes import yuv

RATE = 48_000
COUNTER_BITS = 16
Sound = Callable[[int, int], NDArray[np.float64]]
"""(first sample, count) -> values in -1..1; the sample count follows the monotonic clock."""

COLOURS = {
    "red": (200, 40, 40),
    "green": (40, 180, 60),
    "blue": (50, 70, 210),
    "yellow": (220, 200, 40),
    "purple": (150, 50, 190),
    "cyan": (40, 190, 200),
}


def tone(frequency_hz: float, volume: float = 0.25) -> Sound:
    return lambda start, count: volume * np.sin(2 * np.pi * frequency_hz * np.arange(start, start + count) / RATE)


def silence(start: int, count: int) -> NDArray[np.float64]:
    return np.zeros(count)


def beep_each_second(start: int, count: int) -> NDArray[np.float64]:
    """Beep for the first 60 ms of every second of the monotonic clock."""
    at = np.arange(start, start + count)
    return np.where(at % RATE < RATE * 60 // 1000, 0.6 * np.sin(2 * np.pi * 1000 * at / RATE), 0.0)


def is_flash(now_s: float) -> bool:
    return now_s % 1.0 < 0.060


@dataclass
class Look:
    """What a camera sends: `size`, a flat colour, and a strip of blocks with the frame's number in bits."""

    colour: tuple[int, int, int] = (128, 128, 128)
    size: tuple[int, int] = (640, 360)
    flashes: bool = False

    def draw(self, number: int, now_s: float) -> bytearray:
        width, height = self.size
        flash = self.flashes and is_flash(now_s)
        y, u, v = yuv(255, 255, 255) if flash else yuv(*self.colour)
        luma = np.full((height, width), y, np.uint8)
        block = width // COUNTER_BITS
        for bit in range(COUNTER_BITS):
            luma[: height // 10, bit * block : (bit + 1) * block] = 235 if number >> bit & 1 else 16
        half = (height + 1) // 2 * ((width + 1) // 2)
        return bytearray(luma.tobytes() + bytes([u]) * half + bytes([v]) * half)


@dataclass
class Publisher:
    """One participant. `look` and `sound` may be changed while it publishes."""

    server: MediaServerProcess
    room_name: str
    identity: str
    name: str = ""
    look: Look = field(default_factory=Look)
    sound: Sound = silence
    fps: int = 25
    room: rtc.Room = field(init=False)
    camera: rtc.LocalTrackPublication | None = None
    microphone: rtc.LocalTrackPublication | None = None
    screen: rtc.LocalTrackPublication | None = None
    simulcast: bool = False
    codec: int | None = None
    key: bytes | None = None
    """Encrypts end to end with this key."""
    flashed_at_s: list[float] = field(default_factory=list)
    beeped_at_s: list[float] = field(default_factory=list)
    """When a flash, and a sound after silence, was handed over (monotonic clock): a busy machine is late with both."""
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def join(self, *, camera: bool = True, microphone: bool = True, **grants: bool) -> "Publisher":
        self.room = rtc.Room()
        token = self.server.token(self.room_name, self.identity, name=self.name, **grants)
        options = rtc.RoomOptions(auto_subscribe=False)
        if self.key is not None:
            options.encryption = rtc.E2EEOptions(key_provider_options=rtc.KeyProviderOptions(shared_key=self.key))
        await self.room.connect(self.server.url, token, options)
        if camera:
            await self.publish_camera()
        if microphone:
            await self.publish_microphone()
        return self

    async def publish_camera(self) -> None:
        self.camera = await self._publish_video("camera", rtc.TrackSource.SOURCE_CAMERA, lambda: self.look)

    async def publish_screen(self, look: Look) -> None:
        self.screen = await self._publish_video("screen", rtc.TrackSource.SOURCE_SCREENSHARE, lambda: look)

    async def publish_microphone(self) -> None:
        source = rtc.AudioSource(RATE, 1, queue_size_ms=100)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        self.microphone = await self.room.local_participant.publish_track(track, options)
        self._run("microphone", self._speak(source))

    async def unpublish(self, publication: rtc.LocalTrackPublication, kind: str) -> None:
        await self._cancel(kind)
        await self.room.local_participant.unpublish_track(publication.sid)

    async def leave(self) -> None:
        for kind in list(self._tasks):
            await self._cancel(kind)
        await self.room.disconnect()

    async def _publish_video(self, kind: str, source: int, look: Callable[[], Look]) -> rtc.LocalTrackPublication:
        frames = rtc.VideoSource(*look().size, is_screencast=kind == "screen")
        track = rtc.LocalVideoTrack.create_video_track(kind, frames)
        options = rtc.TrackPublishOptions(
            source=source,  # type: ignore[arg-type]
            simulcast=self.simulcast and kind == "camera",
            video_encoding=rtc.VideoEncoding(max_framerate=self.fps, max_bitrate=1_500_000),
        )
        if self.codec is not None:
            options.video_codec = self.codec  # type: ignore[assignment]
        publication = await self.room.local_participant.publish_track(track, options)
        self._run(kind, self._film(frames, look))
        return publication

    async def _film(self, source: rtc.VideoSource, look: Callable[[], Look]) -> None:
        begin, number, flashing = time.monotonic(), 0, False
        while True:
            width, height = look().size
            now_s = time.monotonic()
            data = look().draw(number, now_s)
            source.capture_frame(rtc.VideoFrame(width, height, rtc.VideoBufferType.I420, data))
            before, flashing = flashing, look().flashes and is_flash(now_s)
            if flashing and not before:
                self.flashed_at_s.append(time.monotonic())
            number += 1
            # A late test process must not send a burst: it skips.
            number = max(number, int((time.monotonic() - begin) * self.fps))
            await asyncio.sleep(max(0.001, begin + number / self.fps - time.monotonic()))

    async def _speak(self, source: rtc.AudioSource) -> None:
        at, loud = int(time.monotonic() * RATE), True
        while True:
            values = np.rint(self.sound(at, RATE // 100) * 32767).astype(np.int16)
            before, loud = loud, bool(values.any())
            if loud and not before:
                self.beeped_at_s.append(time.monotonic() + source.queued_duration)
            await source.capture_frame(rtc.AudioFrame(values.tobytes(), RATE, 1, RATE // 100))
            at += RATE // 100
            ahead = at / RATE - time.monotonic()
            if ahead < -0.02:
                # Like a sound card: what was missed is missed; a burst would only make everything after it late.
                at = int(time.monotonic() * RATE)
            await asyncio.sleep(max(0.0, ahead))

    def _run(self, kind: str, work: "asyncio.Future[None] | object") -> None:
        self._tasks[kind] = asyncio.get_running_loop().create_task(work, name=f"{self.identity} {kind}")  # type: ignore[arg-type]

    async def _cancel(self, kind: str) -> None:
        task = self._tasks.pop(kind, None)
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@contextlib.asynccontextmanager
async def in_meeting(*publishers: Publisher, **how: bool) -> AsyncIterator[None]:
    # One after the other: the first to join has the first tile.
    for each in publishers:
        await each.join(**how)
    try:
        yield
    finally:
        await asyncio.gather(*(each.leave() for each in publishers), return_exceptions=True)
