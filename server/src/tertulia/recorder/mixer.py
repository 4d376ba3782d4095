"""Many people's sound on one sample clock: placed, kept in step, summed. Pure: times are sample numbers, passed in.

The media library gives sound without a time. A track's first chunk is placed by its arrival; then samples are counted,
because arrivals jitter. The earliest arrivals of the last seconds show how far counting has drifted from the clock; a
drift is worn off in pauses, or by one sample in a hundred, a real gap becomes silence.
"""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tertulia.recorder.timeline import SAMPLE_RATE_HZ

Pcm = NDArray[np.int16]
"""Sound: int16, shape (samples, CHANNELS), 48 kHz."""

CHANNELS: Final = 2
RESYNC_SAMPLES: Final = SAMPLE_RATE_HZ * 120 // 1000
_TOLERANCE: Final = SAMPLE_RATE_HZ * 2 // 1000
_SLOWEST: Final = 100
_QUIET: Final = 100
_SETTLE: Final = SAMPLE_RATE_HZ // 10
_BUCKET: Final = SAMPLE_RATE_HZ // 2
_BUCKETS: Final = 4
_PATIENCE: Final = SAMPLE_RATE_HZ * 3
_FULL_SCALE: Final = 32767.0
_RELEASE_PER_BLOCK: Final = 1.02


@dataclass(slots=True)
class _EarliestArrival:
    """The smallest (arrival - counted position) of the last two seconds: queueing only ever makes arrivals later."""

    buckets: deque[int] = field(default_factory=lambda: deque(maxlen=_BUCKETS))
    bucket_until: int = 0

    def add(self, arrival: int, offset: int) -> None:
        if not self.buckets or arrival >= self.bucket_until:
            self.buckets.append(offset)
            self.bucket_until = arrival + _BUCKET
        else:
            self.buckets[-1] = min(self.buckets[-1], offset)

    def offset(self) -> int | None:
        return min(self.buckets) if len(self.buckets) == _BUCKETS else None

    def shift(self, samples: int) -> None:
        for index, value in enumerate(self.buckets):
            self.buckets[index] = value - samples


class TrackSound:
    """One track's sound, waiting to be mixed."""

    def __init__(self) -> None:
        self.next_sample: int | None = None
        self.last_arrival = 0
        self.ended = False
        self.chunks: deque[tuple[int, Pcm]] = deque()
        self._earliest = _EarliestArrival()
        self._suspects: list[tuple[int, Pcm]] = []

    def push(self, pcm: Pcm, arrival: int) -> None:
        """Take the next chunk, which arrived when sample `arrival` of the recording was due."""
        self.last_arrival = arrival
        if self.next_sample is None:
            self.next_sample = arrival
        offset = arrival - self.next_sample
        if self._suspects or offset > RESYNC_SAMPLES:
            self._suspect(pcm, arrival)
        else:
            self._place(pcm, arrival)

    def _suspect(self, pcm: Pcm, arrival: int) -> None:
        # A late chunk may come after a gap, or out of a queue that was stuck: then the next ones are there at once.
        self._suspects.append((arrival, pcm))
        waited = arrival - self._suspects[0][0]
        assert self.next_sample is not None  # noqa: S101 - push placed it
        queued = sum(len(each) for _, each in self._suspects)
        caught_up = arrival - (self.next_sample + queued - len(pcm)) <= RESYNC_SAMPLES
        is_catching_up = queued > waited * 3 // 2 + 2 * len(pcm)
        if not caught_up and (waited < _SETTLE or (is_catching_up and waited < _PATIENCE)):
            return
        if not caught_up:
            self.next_sample = max(self.next_sample, arrival - (queued - len(pcm)))
            self._earliest = _EarliestArrival()
        self._accept_suspects()

    def end(self) -> None:
        """Nothing more will come."""
        self.ended = True
        self._accept_suspects()

    def _accept_suspects(self) -> None:
        suspects, self._suspects = self._suspects, []
        for arrival, pcm in suspects:
            self._place(pcm, arrival)

    def _place(self, pcm: Pcm, arrival: int) -> None:
        assert self.next_sample is not None  # noqa: S101 - push placed it
        self._earliest.add(arrival, arrival - self.next_sample)
        drift = self._earliest.offset() or 0
        if abs(drift) > len(pcm) and np.abs(pcm).max(initial=0) < _QUIET:
            # In a pause nobody hears a piece more or less.
            self._earliest.shift(len(pcm) if drift > 0 else -len(pcm))
            self.next_sample += 2 * len(pcm) if drift > 0 else 0
            return
        if abs(drift) > _TOLERANCE:
            step = min(max(1, abs(drift) // _TOLERANCE), max(1, len(pcm) // _SLOWEST)) * (1 if drift > 0 else -1)
            pcm = stretch(pcm, len(pcm) + step)
            self._earliest.shift(step)
        self.chunks.append((self.next_sample, pcm))
        self.next_sample += len(pcm)

    def add_to(self, mix: NDArray[np.int32], start: int) -> int:
        """Add what belongs to [start, start + len(mix)) and forget it; returns how many samples came too late."""
        end, late = start + len(mix), 0
        while self.chunks and self.chunks[0][0] < end:
            at, pcm = self.chunks.popleft()
            if at < start:
                # What came before the recording began is not missed.
                late += max(0, min(start, at + len(pcm)) - max(at, 0))
                pcm, at = pcm[start - at :], start
            now = pcm[: end - at]
            mix[at - start : at - start + len(now)] += now
            if len(now) < len(pcm):
                self.chunks.appendleft((end, pcm[len(now) :]))
                break
        return late

    def is_ready(self, until: int, now: int) -> bool:
        """Say whether the sound up to sample `until` is there, or not worth waiting for at sample time `now`."""
        quiet = self.ended or self.next_sample is None or now - self.last_arrival > _PATIENCE
        return quiet or (self.next_sample is not None and self.next_sample >= until)


class Mixer:
    """Sums all tracks into one stereo stream that never clips."""

    def __init__(self) -> None:
        self.lost_samples = 0
        self._tracks: dict[Hashable, TrackSound] = {}
        self._gain = 1.0

    def push(self, track: Hashable, pcm: Pcm, arrival: int) -> None:
        """Take a track's next chunk; see `TrackSound.push`."""
        self._tracks.setdefault(track, TrackSound()).push(pcm, arrival)

    def end(self, track: Hashable) -> None:
        """Forget a track once what it already sent is mixed."""
        if track in self._tracks:
            self._tracks[track].end()

    def is_ready(self, until: int, now: int) -> bool:
        """Say whether every live track has delivered up to sample `until`."""
        return all(sound.is_ready(until, now) for sound in self._tracks.values())

    def mix(self, start: int, count: int) -> Pcm:
        """Give samples [start, start + count); `start` only ever rises."""
        total = np.zeros((count, CHANNELS), np.int32)
        for track, sound in list(self._tracks.items()):
            self.lost_samples += sound.add_to(total, start)
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
