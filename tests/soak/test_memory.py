"""Two hours of encoded media through decoding, composing and writing, faster than they last."""

from __future__ import annotations

import os
from itertools import cycle
from pathlib import Path
from typing import cast

from support.encoded_media import PACKET, SimulatedFrame, SimulatedReceiver, opus, pictures
from tertulia_recorder.drawing.compositor import Compositor
from tertulia_recorder.drawing.layout import Size
from tertulia_recorder.drawing.text import BUNDLED_FONT, TextPainter
from tertulia_recorder.ids import Identity
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.pipeline.formats import Format
from tertulia_recorder.pipeline.muxer import Muxer
from tertulia_recorder.pipeline.pipeline import Pipeline
from tertulia_recorder.pipeline.timeline import Timeline
from tertulia_recorder.receiving.decoding import MediaDecoder
from tertulia_recorder.scene import Participant, Scene, TrackSid
from tertulia_sfu.receiver import Receiver

HOURS = float(os.environ.get("SOAK_HOURS", "2"))
MINUTE_US, STEP_US = 60_000_000, 40_000
CANVAS = Size(320, 180)
INDEX_BYTES_A_MINUTE = 600_000
"""An MP4's index is kept in memory until the file is closed: some 100 bytes for each frame and piece of sound."""


def memory_bytes() -> int:
    status = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


class SimulatedMeeting:
    """Two participants who publish new tracks every minute, in the same sections."""

    def __init__(self, media_buffer: MediaBuffer) -> None:
        self._receiver = SimulatedReceiver()
        self._now_us = 0
        self._decoder = MediaDecoder(cast("Receiver", self._receiver), media_buffer, lambda: self._now_us)
        self._tracks: dict[str, TrackSid] = {}
        self._media_buffer = media_buffer
        self._pictures = cycle(pictures("libvpx", (320, 180), [20 + 4 * n for n in range(50)]))
        self._sounds = cycle(opus(50))

    def begin(self, minute: int) -> None:
        self._tracks = tracks = {f"{kind}{who}": TrackSid(f"TR_{kind}{who}_{minute}") for kind in "av" for who in "12"}
        participants = [
            Participant(Identity(who), f"{who} in minute {minute}", camera=tracks[f"v{who}"], last_spoke_at_s=minute)
            for who in "12"
        ]
        self._media_buffer.add_scene(Scene(tuple(participants)), minute * MINUTE_US)

    def advance(self, now_us: int) -> None:
        self._now_us = now_us
        picture = next(self._pictures)
        for who in "12":
            ticks = now_us * 9 // 100
            self._receiver.frames.append(SimulatedFrame(f"v{who}", "vp8", ticks, 90_000, picture))
            for n in (1, 0):
                samples = 10**9 + (now_us - n * 20_000) * 48 // 1000 - PACKET
                sound = SimulatedFrame(f"a{who}", "opus", samples, 48_000, next(self._sounds), age_us=n * 20_000)
                self._receiver.frames.append(sound)
        self._decoder.advance(self._tracks)


def test_memory_stays_flat(tmp_path: Path) -> None:
    media_buffer, form = MediaBuffer(), Format(CANVAS, 30)
    meeting = SimulatedMeeting(media_buffer)
    pipeline = Pipeline(
        timeline=Timeline(0, form.fps),
        muxer=Muxer(tmp_path / "long.mp4", form),
        media_buffer=media_buffer,
        compositor=Compositor(CANVAS, TextPainter([BUNDLED_FONT])),
        on_layout=lambda *_: None,
    )
    minutes, at_start = int(HOURS * 60), 0
    for minute in range(minutes):
        meeting.begin(minute)
        for now_us in range(minute * MINUTE_US, (minute + 1) * MINUTE_US, STEP_US):
            meeting.advance(now_us)
            while pipeline.advance(now_us):
                pass
        if minute == minutes // 12:
            at_start = memory_bytes()
    grown, since = memory_bytes() - at_start, minutes - 1 - minutes // 12
    print(f"{HOURS:g} h: {at_start / 1e6:.0f} MB after a twelfth, {grown / 1e6:+.1f} MB at the end")
    pipeline.finish()
    assert pipeline.mixer.lost_samples == 0
    assert grown < since * INDEX_BYTES_A_MINUTE
