"""The sound of all tracks on one sample clock: placed, synchronised, summed. Pure: times are sample numbers.

A track's first chunk is placed by its time; then samples are counted, so that nothing clicks. Times and count drift
apart, since no two clocks run alike: the drift is removed in pauses, or by one sample in a hundred. A gap is silence.
"""

from collections import deque
from collections.abc import Hashable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tertulia_recorder.media_buffer import Pcm
from tertulia_recorder.units import CHANNELS, SAMPLE_RATE_HZ

RESYNC_SAMPLES: Final = SAMPLE_RATE_HZ * 120 // 1000
_TOLERANCE_SAMPLES: Final = SAMPLE_RATE_HZ * 2 // 1000
_STRETCH_RATIO: Final = 100
_SILENCE_LEVEL: Final = 100
_FULL_SCALE: Final = 32767.0
_RELEASE_PER_BLOCK: Final = 1.02


class TrackSound:
    """One track's sound that is not mixed yet."""

    def __init__(self) -> None:
        self.ended = False
        self.chunks: deque[tuple[int, Pcm]] = deque()
        self._next_sample: int | None = None

    def push(self, pcm: Pcm, at: int) -> None:
        """Take the next chunk, which begins at sample `at` of the recording by the sender's clock."""
        if self._next_sample is None or abs(at - self._next_sample) > RESYNC_SAMPLES:
            self._next_sample = at
        drift = at - self._next_sample
        if abs(drift) > len(pcm) and np.abs(pcm).max(initial=0) < _SILENCE_LEVEL:
            # In a pause a chunk more or less is not heard.
            self._next_sample += 2 * len(pcm) if drift > 0 else 0
            return
        if abs(drift) > _TOLERANCE_SAMPLES:
            step = min(max(1, abs(drift) // _TOLERANCE_SAMPLES), max(1, len(pcm) // _STRETCH_RATIO)) * (
                1 if drift > 0 else -1
            )
            pcm = stretch(pcm, len(pcm) + step)
        self.chunks.append((self._next_sample, pcm))
        self._next_sample += len(pcm)

    def add_to(self, mix: NDArray[np.int32], start: int, count_from: int) -> int:
        """Add what belongs to [start, start + len(mix)) and drop it.

        Returns how many samples came too late; those before `count_from` are not counted.
        """
        end, late = start + len(mix), 0
        while self.chunks and self.chunks[0][0] < end:
            at, pcm = self.chunks.popleft()
            if at < start:
                late += max(0, min(start, at + len(pcm)) - max(at, count_from))
                pcm, at = pcm[start - at :], start
            now = pcm[: end - at]
            mix[at - start : at - start + len(now)] += now
            if len(now) < len(pcm):
                self.chunks.appendleft((end, pcm[len(now) :]))
                break
        return late


class Mixer:
    """Sums all tracks into one stereo stream that never clips.

    `lost_samples` counts what came too late, from sample `count_from` of the recording on.
    """

    def __init__(self, count_from: int = 0) -> None:
        self.lost_samples = 0
        self._count_from = count_from
        self._tracks: dict[Hashable, TrackSound] = {}
        self._gain = 1.0

    def push(self, track: Hashable, pcm: Pcm, at: int) -> None:
        """Take a track's next chunk; see `TrackSound.push`."""
        self._tracks.setdefault(track, TrackSound()).push(pcm, at)

    def end(self, track: Hashable) -> None:
        """Remove a track once what it has sent is mixed."""
        if track in self._tracks:
            self._tracks[track].ended = True

    def mix(self, start: int, count: int) -> Pcm:
        """Return samples [start, start + count); `start` only ever rises."""
        total = np.zeros((count, CHANNELS), np.int32)
        for track, sound in list(self._tracks.items()):
            self.lost_samples += sound.add_to(total, start, self._count_from)
            if sound.ended and not sound.chunks:
                del self._tracks[track]
        return self._limit(total)

    def _limit(self, total: NDArray[np.int32]) -> Pcm:
        peak = float(np.abs(total).max(initial=0))
        wanted = _FULL_SCALE / peak if peak > _FULL_SCALE else 1.0
        before, after = min(self._gain, wanted), min(wanted, self._gain * _RELEASE_PER_BLOCK)
        self._gain = after
        if before == 1.0 and after == 1.0:
            return total.astype(np.int16)
        ramp = np.linspace(before, after, len(total), endpoint=True)[:, np.newaxis]
        return np.clip(total * ramp, -_FULL_SCALE, _FULL_SCALE).astype(np.int16)


def stretch(pcm: Pcm, length: int) -> Pcm:
    """Resample a chunk to `length` samples by linear interpolation; a sample more or less is not heard."""
    if length == len(pcm) or len(pcm) < 2 or length < 2:  # noqa: PLR2004 - two points make a line
        return pcm
    at = np.linspace(0, len(pcm) - 1, length)
    channels = [np.interp(at, np.arange(len(pcm)), pcm[:, channel]) for channel in range(pcm.shape[1])]
    return np.rint(np.stack(channels, axis=1)).astype(np.int16)
