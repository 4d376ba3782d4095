"""How late the media library gives sound against the pictures of the same person, from its own statistics.

Sound waits in a jitter buffer that grows when packets come unevenly (40 ms on a good day, 200 ms on a bad one);
pictures hardly wait. Frames carry no capture time, but the buffers count their delay (W3C webrtc-stats:
`jitterBufferDelay`, `jitterBufferEmittedCount`), which is all that is needed: packets of one moment arrive together.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from tertulia.domain.ids import Identity
from tertulia.recorder.scene import TrackSid

_FIRST_STEP_US: Final = 100_000
_STEP_US: Final = 10_000
_BUCKET_US: Final = 500_000
_BUCKETS: Final = 4


@dataclass(slots=True)
class _Buffer:
    total_s: float = 0.0
    count: int = 0
    delay_us: int = 0


@dataclass(slots=True)
class LipSync:
    """Knows how much earlier each person's sound is to be placed; it changes in steps that the mixer can follow."""

    _buffers: dict[tuple[Identity, bool], _Buffer] = field(default_factory=dict)
    _applied_us: dict[Identity, int] = field(default_factory=dict)
    _sids: dict[tuple[Identity, bool], TrackSid] = field(default_factory=dict)

    def measured(self, who: Identity, track: TrackSid, *, is_sound: bool, total_s: float, count: int) -> None:
        """Learn a buffer's running totals: seconds waited, summed over `count` frames or samples."""
        key = (who, is_sound)
        if self._sids.get(key) != track:
            self._sids[key], self._buffers[key] = track, _Buffer()
        buffer = self._buffers[key]
        if count > buffer.count and total_s >= buffer.total_s:
            buffer.delay_us = round((total_s - buffer.total_s) / (count - buffer.count) * 1_000_000)
        buffer.total_s, buffer.count = total_s, count
        if is_sound:
            self._apply(who)

    def sound_is_late_us(self, who: Identity) -> int:
        """Say by how much this person's sound is to be placed earlier."""
        return self._applied_us.get(who, 0)

    def forget(self, who: Identity) -> None:
        """Drop what is known of one who left."""
        self._applied_us.pop(who, None)
        for is_sound in (True, False):
            self._buffers.pop((who, is_sound), None)
            self._sids.pop((who, is_sound), None)

    def _apply(self, who: Identity) -> None:
        sound, picture = self._buffers[who, True], self._buffers.get((who, False), _Buffer())
        wanted = max(0, sound.delay_us - picture.delay_us)
        applied = self._applied_us.get(who)
        step = _FIRST_STEP_US if applied is None else _STEP_US
        before = applied or 0
        self._applied_us[who] = before + max(-step, min(step, wanted - before))


@dataclass(slots=True)
class HandOverDelay:
    """How late the event loop hands things over. Pictures tell, since they carry the time they were given to it.

    Sound comes through the same queue; on a starved machine all of it would be placed that much too late.
    """

    _buckets: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_BUCKETS))

    def seen(self, now_us: int, picture_us: int) -> None:
        """Learn that a picture of `picture_us` was handed over at `now_us`."""
        delay_us = max(0, now_us - picture_us)
        if not self._buckets or now_us - self._buckets[-1][0] > _BUCKET_US:
            self._buckets.append((now_us, delay_us))
        else:
            begun_us, smallest_us = self._buckets[-1]
            self._buckets[-1] = begun_us, min(smallest_us, delay_us)

    def smallest_us(self, now_us: int) -> int:
        """Give the smallest delay of the last two seconds; 0 when no picture came."""
        recent = [delay_us for begun_us, delay_us in self._buckets if now_us - begun_us <= _BUCKETS * _BUCKET_US]
        return min(recent, default=0)
