"""Analyses a recording: decodes it, and measures the colours of tiles, the loudness of tones, and frozen pictures."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from support.publisher import COUNTER_BITS, RATE
from tertulia_recorder.drawing.layout import Rect


@dataclass
class Film:
    """A decoded file. Frames are scaled to `width`, to keep long films small."""

    path: Path
    width: int = 320
    last_s: float | None = None
    """Only the pictures of so many seconds at the end are decoded; None: all."""

    @classmethod
    def end_of(cls, path: Path, last_s: float) -> "Film":
        """Return the end of a file, which may still be written."""
        return cls(path, last_s=last_s)

    @cached_property
    def _video(self) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        times, frames = [], []
        with av.open(str(self.path), mode="r") as container:
            for frame in self._frames(container):
                height = frame.height * self.width // frame.width
                small = frame.reformat(self.width, height, "rgb24", src_colorspace="ITU601", interpolation="AREA")  # type: ignore[arg-type]
                times.append(frame.time or 0.0)
                frames.append(small.to_ndarray())
        return np.array(times), np.array(frames)

    def _frames(self, container: InputContainer) -> Iterable[av.VideoFrame]:
        if self.last_s is None:
            yield from container.decode(video=0)
            return
        packets: list[av.Packet] = []
        with contextlib.suppress(av.InvalidDataError):  # a fragment that is being written
            for packet in container.demux(video=0):
                if packet.is_keyframe and packets and packet.pts is not None:
                    # Decoding needs a key frame; the one before the last is early enough for `last_s` of its interval.
                    keys = [n for n, each in enumerate(packets) if each.is_keyframe]
                    packets = packets[keys[-1] :]
                packets.append(packet)
        frames = [frame for packet in packets for frame in packet.decode()]
        yield from (frame for frame in frames if (frame.time or 0) > (frames[-1].time or 0) - self.last_s)

    @property
    def times(self) -> NDArray[np.float64]:
        return self._video[0]

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """Frames: uint8, shape (n, height, width, 3)."""
        return self._video[1]

    @cached_property
    def sound(self) -> NDArray[np.float32]:
        """Mono: float, 48 kHz."""
        with av.open(str(self.path), mode="r") as container:
            parts = [frame.to_ndarray().mean(axis=0) for frame in container.decode(audio=0)]
        return np.concatenate(parts)

    @cached_property
    def duration_s(self) -> float:
        with av.open(str(self.path), mode="r") as container:
            return (container.duration or 0) / 1_000_000

    def frame_at(self, time_s: float) -> NDArray[np.uint8]:
        return self.rgb[int(np.argmin(np.abs(self.times - time_s)))]

    def colour_at(self, time_s: float, rect: Rect, canvas_width: int = 1280) -> NDArray[np.float64]:
        """Mean colour of the middle of a tile."""
        return self._middle(self.frame_at(time_s), rect, canvas_width).reshape(-1, 3).mean(0)

    def _middle(self, frame: NDArray[np.uint8], rect: Rect, canvas_width: int) -> NDArray[np.uint8]:
        scale = self.width / canvas_width
        x, y, w, h = (n * scale for n in (rect.x, rect.y, rect.w, rect.h))
        return frame[int(y + h * 0.4) : int(y + h * 0.6) + 1, int(x + w * 0.4) : int(x + w * 0.6) + 1]

    def loudness(self, frequency_hz: float, start_s: float, end_s: float) -> float:
        """Amplitude (0..1) of one tone in an interval: the mean of pieces of 50 ms, since a phase may jump."""
        piece = RATE // 20
        part = self.sound[int(start_s * RATE) : int(end_s * RATE)]
        pieces = part[: len(part) // piece * piece].reshape(-1, piece)
        probe = np.hanning(piece) * np.exp(-2j * np.pi * frequency_hz * np.arange(piece) / RATE)
        return float(np.abs(pieces @ probe).mean() * 2 / np.hanning(piece).sum())

    def counters(self, rect: Rect) -> list[int]:
        """The frame numbers seen in a tile (which a publisher's picture fills), in order."""
        numbers = []
        with av.open(str(self.path), mode="r") as container:
            for frame in container.decode(video=0):
                luma = frame.to_ndarray()[: frame.height, : frame.width]
                row = luma[rect.y + rect.h // 20]
                block = rect.w / COUNTER_BITS
                bits = [row[rect.x + int((bit + 0.5) * block)] > 125 for bit in range(COUNTER_BITS)]
                numbers.append(sum(1 << bit for bit, is_set in enumerate(bits) if is_set))
        return numbers

    def save_frame(self, time_s: float, path: Path) -> None:
        """Save a frame as a picture."""
        av.VideoFrame.from_ndarray(self.frame_at(time_s), "rgb24").save(str(path))


def is_like(found: NDArray[np.float64], wanted: tuple[int, int, int], tolerance: float = 40) -> bool:
    return bool(np.abs(found - np.array(wanted)).max() <= tolerance)
