"""Encodes media as publishers do, and a receiver that delivers it in simulated time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np

PACKET = 960
"""Samples in a packet of sound: 20 ms."""
_VPX = {"deadline": "realtime", "lag-in-frames": "0"}
_REALTIME_OPTIONS = {"libvpx": _VPX, "libvpx-vp9": _VPX, "libx264": {"tune": "zerolatency"}}


@dataclass
class SimulatedFrame:
    """The fields of `tertulia_sfu.receiver.Frame`."""

    mid: str
    codec: str
    rtp_time: int
    clock_hz: int
    data: bytes
    age_us: int = 0
    is_key: bool = True
    quarter_turns: int = 0
    is_refused: bool = False


@dataclass
class SimulatedReceiver:
    """Delivers the frames that a test appends, as `tertulia_sfu.receiver.Receiver` does."""

    frames: list[SimulatedFrame] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    behind_us: int = 0
    before_drain: Callable[[], None] = lambda: None
    """Called while frames are about to be taken: a machine that is too slow lets time pass there."""

    def drain_audio(self) -> list[SimulatedFrame]:
        self.before_drain()
        return self._take(is_audio=True)

    def drain_video(self) -> list[SimulatedFrame]:
        return self._take(is_audio=False)

    def _take(self, *, is_audio: bool) -> list[SimulatedFrame]:
        taken = [frame for frame in self.frames if (frame.codec == "opus") == is_audio]
        self.frames = [frame for frame in self.frames if (frame.codec == "opus") != is_audio]
        return taken

    def restart(self, mid: str) -> None:
        self.restarted.append(mid)


def opus(count: int) -> list[bytes]:
    """Encode a tone."""
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", av.AudioFormat("s16")
    wave = (8000 * np.sin(2 * np.pi * 440 * np.arange(PACKET * (count + 1)) / 48_000)).astype(np.int16)
    packets: list[bytes] = []
    for number in range(count + 1):
        piece = np.repeat(wave[number * PACKET : (number + 1) * PACKET], 2).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(piece, "s16", "stereo")
        frame.sample_rate = 48_000
        packets += [bytes(each) for each in encoder.encode(frame)]
    return packets[:count]


def pictures(codec: str, size: tuple[int, int], lights: Iterable[int]) -> list[bytes]:
    """Encode flat pictures with an FFmpeg encoder; the first is a key frame."""
    encoder = av.codec.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = _REALTIME_OPTIONS[codec]
    packets = []
    for number, light in enumerate(lights):
        frame = av.VideoFrame(*size, "yuv420p")
        for plane, value in zip(frame.planes, (light, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts = number
        packets += [bytes(each) for each in encoder.encode(frame)]
    return packets
