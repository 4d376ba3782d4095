"""Maps a sender's media clock to ours. Pure: times are passed in.

Media arrives after it was sent, by a time that varies: the earliest arrivals of the last seconds show what the sender's
clock says. Media is placed by it, so jitter is neither seen nor heard.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from tertulia_recorder.units import MICROSECOND

_BUCKET_US: Final = MICROSECOND // 2
_BUCKETS: Final = 6
_LATE_US: Final = 50_000
_STEADY_US: Final = 30_000
_SETTLED_US: Final = 150_000


@dataclass(slots=True)
class _LateRun:
    """A run of arrivals that were all late, by between `least_us` and `most_us`."""

    since_us: int
    least_us: int
    most_us: int


@dataclass(slots=True)
class RtpClock:
    """One track's clock (RFC 3550 section 5.1: `hz` ticks a second, from anywhere)."""

    hz: int
    _buckets: deque[int] = field(default_factory=lambda: deque(maxlen=_BUCKETS))
    _bucket_until_us: int = 0
    _late: _LateRun | None = None

    def time_us(self, rtp_time: int, arrived_us: int) -> int:
        """Return when (our monotonic clock) it was sent, plus the shortest delay of the last seconds."""
        media_us = rtp_time * MICROSECOND // self.hz
        offset_us = arrived_us - media_us
        if self._stood_still(offset_us, arrived_us):
            self._buckets.clear()
        if not self._buckets or arrived_us >= self._bucket_until_us:
            self._buckets.append(offset_us)
            self._bucket_until_us = arrived_us + _BUCKET_US
        else:
            self._buckets[-1] = min(self._buckets[-1], offset_us)
        return media_us + min(self._buckets)

    def _stood_still(self, offset_us: int, arrived_us: int) -> bool:
        """Distinguish a sender's clock that stood still, or a delay that has grown, from media that was held up.

        The former is late by a steady time; what was held up comes in a burst, each packet less late than the previous.
        """
        if not self._buckets or offset_us - min(self._buckets) <= _LATE_US:
            self._late = None
            return False
        run = self._late
        if run is None or max(run.most_us, offset_us) - min(run.least_us, offset_us) > _STEADY_US:
            self._late = _LateRun(arrived_us, offset_us, offset_us)
            return False
        run.least_us, run.most_us = min(run.least_us, offset_us), max(run.most_us, offset_us)
        if arrived_us - run.since_us < _SETTLED_US:
            return False
        self._late = None
        return True
