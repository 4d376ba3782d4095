"""Decoded pictures on their way from the event loop to the composing thread."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from tertulia.recorder.layout import Size
from tertulia.recorder.scene import TrackSid

_CAPACITY: Final = 16
_MIN_SIDE_PX: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One decoded frame. `i420`: uint8, shape (height * 3 / 2, width), even sides; `time_us`: the monotonic clock."""

    i420: NDArray[np.uint8]
    size: Size
    time_us: int

    def frame(self) -> av.VideoFrame:
        """Give the picture to FFmpeg, without a copy."""
        return av.VideoFrame.from_numpy_buffer(self.i420, "yuv420p")


def picture_of(
    data: bytearray | bytes | memoryview, width: int, height: int, quarter_turns: int, time_us: int
) -> Picture | None:
    """Make a picture of packed I420 bytes, turned clockwise by quarter turns; None for what is too small to be one.

    Odd sides lose their last line, since the recording's picture has whole chroma samples only.
    """
    if width < _MIN_SIDE_PX or height < _MIN_SIDE_PX:
        return None
    raw = np.frombuffer(data, np.uint8)
    if width % 2 == 0 and height % 2 == 0 and quarter_turns % 4 == 0:
        return Picture(raw.reshape(height * 3 // 2, width), Size(width, height), time_us)
    half_w, half_h = (width + 1) // 2, (height + 1) // 2
    luma, chroma = width * height, half_w * half_h
    planes = [
        raw[:luma].reshape(height, width)[: height - height % 2, : width - width % 2],
        raw[luma : luma + chroma].reshape(half_h, half_w)[: height // 2, : width // 2],
        raw[luma + chroma : luma + 2 * chroma].reshape(half_h, half_w)[: height // 2, : width // 2],
    ]
    turned = [np.rot90(plane, -quarter_turns) for plane in planes]
    h, w = turned[0].shape
    packed = np.concatenate([plane.reshape(-1) for plane in turned])
    return Picture(packed.reshape(h * 3 // 2, w), Size(w, h), time_us)


class Gallery:
    """The newest pictures of each track. One thread adds, one takes."""

    def __init__(self) -> None:
        self._tracks: dict[TrackSid, deque[Picture]] = {}

    def add(self, track: TrackSid, picture: Picture) -> None:
        """Keep a picture until its time has come."""
        self._tracks.setdefault(track, deque(maxlen=_CAPACITY)).append(picture)

    def remove(self, track: TrackSid) -> None:
        """Forget a track."""
        self._tracks.pop(track, None)

    def at(self, track: TrackSid, time_us: int) -> Picture | None:
        """Give the newest picture of `track` at or before `time_us`, and forget older ones."""
        waiting = self._tracks.get(track)
        if not waiting or waiting[0].time_us > time_us:
            return None
        while len(waiting) > 1 and waiting[1].time_us <= time_us:
            waiting.popleft()
        return waiting[0]
