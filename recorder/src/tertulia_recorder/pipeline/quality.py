"""What is reduced when the machine cannot keep up. Pure: the time is an argument."""

from dataclasses import dataclass, field
from typing import Final

from tertulia_recorder.units import MICROSECOND


@dataclass(frozen=True, slots=True)
class QualityLevel:
    """Every `stride`-th frame is composed; `uses_lowest_layers` subscribes to the lowest simulcast layers."""

    stride: int
    uses_lowest_layers: bool


QUALITY_LEVELS: Final = (
    QualityLevel(1, uses_lowest_layers=False),
    QualityLevel(2, uses_lowest_layers=False),
    QualityLevel(2, uses_lowest_layers=True),
    QualityLevel(4, uses_lowest_layers=True),
)

_LATE_US: Final = 400_000
_SKIP_US: Final = 1_000_000
_IN_TIME_US: Final = 100_000
_STEP_DOWN_INTERVAL_US: Final = 2 * MICROSECOND
_RECOVERY_US: Final = 30 * MICROSECOND


@dataclass(slots=True)
class QualityGovernor:
    """Lowers the frame rate, then the layers that are received, while frames are late; sound is never touched.

    A step down needs frames that are more than 0.4 s late and comes at most every 2 s; a step up needs 30 s in time,
    and twice as long after each time that it did not hold.
    """

    fps: int
    level: int = 0
    reduced_frames: dict[int, int] = field(default_factory=dict)
    _changed_us: int = 0
    _was_step_up: bool = False
    _in_time_since_us: int | None = None
    _recovery_us: int = _RECOVERY_US

    @property
    def quality(self) -> QualityLevel:
        """The level that holds now."""
        return QUALITY_LEVELS[self.level]

    def should_compose(self, tick: int, late_us: int) -> bool:
        """Return whether frame `tick`, handled `late_us` after it was due, is composed; counts the reduced ones."""
        if self.level:
            self.reduced_frames[self.level] = self.reduced_frames.get(self.level, 0) + 1
        return tick % self.quality.stride == 0 and late_us < _SKIP_US

    def observe(self, now_us: int, late_us: int) -> bool:
        """Take note of how late frames are; True when the level changed."""
        if late_us > _LATE_US:
            self._in_time_since_us = None
            if now_us - self._changed_us > _STEP_DOWN_INTERVAL_US and self.level + 1 < len(QUALITY_LEVELS):
                if self._was_step_up and now_us - self._changed_us < self._recovery_us:
                    self._recovery_us = min(self._recovery_us * 2, 16 * _RECOVERY_US)
                return self._change(self.level + 1, now_us)
        elif late_us < _IN_TIME_US:
            since = self._in_time_since_us
            if since is None:
                self._in_time_since_us = now_us
            elif self.level and now_us - since > self._recovery_us:
                return self._change(self.level - 1, now_us)
        return False

    def details(self) -> tuple[str, ...]:
        """Return sentences on what was reduced and for how long."""
        return tuple(
            f"The machine was short of CPU: {frames / self.fps:.0f} s at {self.fps / QUALITY_LEVELS[level].stride:g} "
            f"frames a second{' from the smallest pictures' if QUALITY_LEVELS[level].uses_lowest_layers else ''}."
            for level, frames in sorted(self.reduced_frames.items())
        )

    def _change(self, level: int, now_us: int) -> bool:
        self._was_step_up = level < self.level
        self.level, self._changed_us, self._in_time_since_us = level, now_us, None
        return True
