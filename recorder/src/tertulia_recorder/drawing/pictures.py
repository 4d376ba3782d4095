"""Decoded pictures in the form in which they are composed."""

from dataclasses import dataclass
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from tertulia_recorder.drawing.layout import Size

_MIN_SIDE_PX: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One decoded frame, I420 with even sides; `time_us` is of the monotonic clock."""

    frame: av.VideoFrame
    size: Size
    time_us: int

    @property
    def size_bytes(self) -> int:
        """The memory that it takes."""
        return self.size.w * self.size.h * 3 // 2


def picture_of(frame: av.VideoFrame, quarter_turns: int, time_us: int) -> Picture | None:
    """Return the picture of a decoded frame, turned clockwise by quarter turns; None when it is too small.

    Odd sides lose their last line, since the recording has whole chroma samples only. A frame that needs neither is not
    copied.
    """
    width, height = frame.width, frame.height
    if width < _MIN_SIDE_PX or height < _MIN_SIDE_PX:
        return None
    if frame.format.name != "yuv420p":
        frame = frame.reformat(format="yuv420p")
    if width % 2 == 0 and height % 2 == 0 and quarter_turns % 4 == 0:
        return Picture(frame, Size(width, height), time_us)
    even = [(height // 2 * 2, width // 2 * 2), (height // 2, width // 2), (height // 2, width // 2)]
    planes = [_rows(plane)[:h, :w] for plane, (h, w) in zip(frame.planes, even, strict=True)]
    turned = [np.rot90(plane, -quarter_turns) for plane in planes]
    h, w = turned[0].shape
    packed = np.concatenate([plane.reshape(-1) for plane in turned])
    return Picture(av.VideoFrame.from_numpy_buffer(packed.reshape(h * 3 // 2, w), "yuv420p"), Size(w, h), time_us)


def _rows(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
