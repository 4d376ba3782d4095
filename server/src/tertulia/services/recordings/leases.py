"""Leases: for how long a recording is a worker's, and how another worker sees that it is not renewed any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tertulia.domain.ids import Millis, RecordingId
from tertulia.domain.recordings.recording import Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTiming:
    """How often leases are renewed, and when one counts as abandoned.

    `abandoned_after_s`: how long a lease may stay unchanged until its recording counts as lost with its machine.
    Machines restart. `steady_s`: how long a worker must have renewed its own leases without a failure before it calls
    others abandoned: while the database is down no worker can renew.
    """

    renew_every_s: float = 3.0
    lifetime_ms: int = 15_000
    abandoned_after_s: float = 45.0
    steady_s: float = 10.0


class LeaseObserver:
    """Finds leases of other workers that are not renewed any more.

    It compares what it reads with its own monotonic clock and ignores the date in a lease: the other machine's clock,
    and the time of day on any machine, may jump.
    """

    def __init__(self, timing: LeaseTiming, *, now_s: float) -> None:
        self._timing = timing
        self._seen: dict[RecordingId, tuple[tuple[int, Millis], float]] = {}
        self._steady_since_s = now_s

    def failed(self, *, now_s: float) -> None:
        """Remember that this worker could not renew its own leases."""
        self._steady_since_s = now_s

    def abandoned(self, leased: Sequence[Recording], *, now_s: float) -> list[Recording]:
        """Take in the leases of other workers as they are now; return those that have not changed for too long."""
        before = self._seen
        self._seen = {
            recording.id: seen
            if (seen := before.get(recording.id)) is not None and seen[0] == _renewal(recording)
            else (_renewal(recording), now_s)
            for recording in leased
        }
        if now_s - self._steady_since_s < self._timing.steady_s:
            return []
        limit_s = self._timing.abandoned_after_s
        return [recording for recording in leased if now_s - self._seen[recording.id][1] >= limit_s]


def _renewal(recording: Recording) -> tuple[int, Millis]:
    return recording.lease_epoch, recording.lease_until_ms
