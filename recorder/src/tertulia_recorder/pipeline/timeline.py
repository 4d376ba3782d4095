"""The recording's one clock, and what it does when the machine cannot keep up. Pure: the time is an argument."""

from dataclasses import dataclass, field
from typing import Final

from tertulia_recorder.units import MICROSECOND, SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Timeline:
    """Maps the monotonic clock (microseconds) to frames and sound samples of the recording and back."""

    start_us: int
    fps: int

    def tick_us(self, tick: int) -> int:
        """Say when frame number `tick` is due."""
        return self.start_us + tick * MICROSECOND // self.fps

    def tick_at(self, now_us: int) -> int:
        """Give the last frame due at or before `now_us`."""
        return ((now_us - self.start_us) * self.fps) // MICROSECOND

    def sample_at(self, time_us: int) -> int:
        """Give the sound sample that belongs to `time_us`; negative before the start."""
        return (time_us - self.start_us) * SAMPLE_RATE_HZ // MICROSECOND

    def sample_of_tick(self, tick: int) -> int:
        """Give the first sound sample of frame `tick`."""
        return tick * SAMPLE_RATE_HZ // self.fps

    def seconds_of_tick(self, tick: int) -> float:
        """Give the time of frame `tick` from the recording's start."""
        return tick / self.fps


@dataclass(frozen=True, slots=True)
class QualityLevel:
    """How much work is done: every `stride`-th frame is composed; `small_layers` asks for the smallest pictures."""

    stride: int
    small_layers: bool


EFFORTS: Final = (QualityLevel(1, False), QualityLevel(2, False), QualityLevel(2, True), QualityLevel(4, True))

_BEHIND_US: Final = 400_000
_SKIP_US: Final = 1_000_000
_EASY_US: Final = 100_000
_PATIENCE_US: Final = 2 * MICROSECOND
_RECOVERY_US: Final = 30 * MICROSECOND


@dataclass(slots=True)
class Governor:
    """Lowers the frame rate, then the quality that is received, while frames come out late; sound is never touched.

    A step down needs frames to be late by more than 0.4 s and comes at most every 2 s; a step up needs 30 s in time,
    and twice as long after each time it did not hold.
    """

    fps: int
    level: int = 0
    reduced_frames: dict[int, int] = field(default_factory=dict)
    _changed_us: int = 0
    _went_up: bool = False
    _in_time_since_us: int | None = None
    _recovery_us: int = _RECOVERY_US

    @property
    def effort(self) -> QualityLevel:
        """What a frame may cost now."""
        return EFFORTS[self.level]

    def wants(self, tick: int, late_us: int) -> bool:
        """Say whether frame `tick`, handled `late_us` after it was due, is to be composed; counts what is left out."""
        if self.level:
            self.reduced_frames[self.level] = self.reduced_frames.get(self.level, 0) + 1
        return tick % self.effort.stride == 0 and late_us < _SKIP_US

    def observe(self, now_us: int, late_us: int) -> bool:
        """Learn how late the frames are; True when the effort changed."""
        if late_us > _BEHIND_US:
            self._in_time_since_us = None
            if now_us - self._changed_us > _PATIENCE_US and self.level + 1 < len(EFFORTS):
                if self._went_up and now_us - self._changed_us < self._recovery_us:
                    self._recovery_us = min(self._recovery_us * 2, 16 * _RECOVERY_US)
                return self._change(self.level + 1, now_us)
        elif late_us < _EASY_US:
            since = self._in_time_since_us
            if since is None:
                self._in_time_since_us = now_us
            elif self.level and now_us - since > self._recovery_us:
                return self._change(self.level - 1, now_us)
        return False

    def details(self) -> tuple[str, ...]:
        """Say in words what was lowered, and for how long."""
        return tuple(
            f"The machine was short of CPU: {frames / self.fps:.0f} s at {self.fps / EFFORTS[level].stride:g} frames a "
            f"second{' from the smallest pictures' if EFFORTS[level].small_layers else ''}."
            for level, frames in sorted(self.reduced_frames.items())
        )

    def _change(self, level: int, now_us: int) -> bool:
        self._went_up = level < self.level
        self.level, self._changed_us, self._in_time_since_us = level, now_us, None
        return True
