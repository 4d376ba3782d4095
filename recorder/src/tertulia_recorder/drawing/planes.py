"""An I420 picture in memory, and the operations that draw on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import av
import numpy as np
from numpy.typing import NDArray

from tertulia_recorder.drawing.layout import Rect, Size

Bytes = NDArray[np.uint8]

_MATRIX: Final = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255
_OFFSET: Final = np.array([16.0, 128.0, 128.0])


class Yuv(NamedTuple):
    """One colour, BT.601, limited range: as WebRTC's decoders deliver."""

    y: int
    u: int
    v: int


def yuv(red: int, green: int, blue: int) -> Yuv:
    """Convert a colour (0-255 each)."""
    y, u, v = np.rint(_MATRIX @ np.array([red, green, blue]) + _OFFSET)
    return Yuv(int(y), int(u), int(v))


@dataclass(frozen=True, slots=True)
class Overlay:
    """A half transparent picture, prepared once to be blended often: per plane, colour x alpha and 255 - alpha."""

    size: Size
    colour: tuple[NDArray[np.uint16], ...]
    rest: tuple[NDArray[np.uint16], ...]

    @classmethod
    def of_rgba(cls, rgba: Bytes) -> Self:
        """Return the overlay of an RGBA picture with even sides (straight alpha)."""
        alpha = rgba[..., 3].astype(np.float32)
        planes = rgba[..., :3].astype(np.float32) @ _MATRIX.T.astype(np.float32) + _OFFSET.astype(np.float32)
        small = alpha.reshape(alpha.shape[0] // 2, 2, alpha.shape[1] // 2, 2).mean((1, 3))
        weighted = (
            (planes[..., 1:] * alpha[..., np.newaxis]).reshape(small.shape[0], 2, small.shape[1], 2, 2).mean((1, 3))
        )
        colour = (planes[..., 0] * alpha, weighted[..., 0], weighted[..., 1])
        return cls(
            Size(rgba.shape[1], rgba.shape[0]),
            tuple(np.rint(each).astype(np.uint16) for each in colour),
            tuple(np.rint(255 - each).astype(np.uint16) for each in (alpha, small, small)),
        )


class Canvas:
    """A picture that is kept and drawn on. `buffer`: uint8, shape (height * 3 / 2, width)."""

    def __init__(self, size: Size, colour: Yuv) -> None:
        self.size = size
        self.buffer: Bytes = np.empty((size.h * 3 // 2, size.w), np.uint8)
        flat, luma, chroma = self.buffer.reshape(-1), size.w * size.h, size.w * size.h // 4
        half = (size.h // 2, size.w // 2)
        self._planes = (
            flat[:luma].reshape(size.h, size.w),
            flat[luma : luma + chroma].reshape(half),
            flat[luma + chroma :].reshape(half),
        )
        self.fill(Rect(0, 0, size.w, size.h), colour)

    def fill(self, rect: Rect, colour: Yuv) -> None:
        """Paint a rectangle in one colour."""
        for part, value in zip(self._parts(rect), colour, strict=True):
            part[:] = value

    def paste(self, rect: Rect, frame: av.VideoFrame) -> None:
        """Copy an I420 frame of the rectangle's size."""
        for part, plane in zip(self._parts(rect), frame.planes, strict=True):
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            part[:] = rows[: part.shape[0], : part.shape[1]]

    def blend(self, x: int, y: int, overlay: Overlay) -> None:
        """Blend an overlay in; it must be inside the picture, at even coordinates."""
        rect = Rect(x, y, overlay.size.w, overlay.size.h)
        for part, colour, rest in zip(self._parts(rect), overlay.colour, overlay.rest, strict=True):
            part[:] = (part * rest + colour) // 255

    def frame_rect(self, rect: Rect, width: int, colour: Yuv) -> None:
        """Draw a border of `width` (even) pixels inside a rectangle."""
        for side in _sides(rect, width):
            self.fill(side, colour)

    def _parts(self, rect: Rect) -> tuple[Bytes, Bytes, Bytes]:
        y, u, v = self._planes
        rows, columns = slice(rect.y // 2, (rect.y + rect.h) // 2), slice(rect.x // 2, (rect.x + rect.w) // 2)
        return y[rect.y : rect.y + rect.h, rect.x : rect.x + rect.w], u[rows, columns], v[rows, columns]


def _sides(rect: Rect, width: int) -> Iterable[Rect]:
    yield Rect(rect.x, rect.y, rect.w, width)
    yield Rect(rect.x, rect.y + rect.h - width, rect.w, width)
    yield Rect(rect.x, rect.y + width, width, rect.h - 2 * width)
    yield Rect(rect.x + rect.w - width, rect.y + width, width, rect.h - 2 * width)
