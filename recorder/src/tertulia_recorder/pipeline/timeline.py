"""The recording's time: frames and samples on the monotonic clock. Pure: the time is an argument."""

from dataclasses import dataclass

from tertulia_recorder.units import MICROSECOND, SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Timeline:
    """Maps the monotonic clock (microseconds) to frame and sample numbers of the recording and back."""

    start_us: int
    fps: int

    def tick_us(self, tick: int) -> int:
        """Return when frame number `tick` begins."""
        return self.start_us + tick * MICROSECOND // self.fps

    def tick_at(self, now_us: int) -> int:
        """Return the last frame that begins at or before `now_us`."""
        return ((now_us - self.start_us) * self.fps) // MICROSECOND

    def sample_at(self, time_us: int) -> int:
        """Return the sample that belongs to `time_us`; negative before the start."""
        return (time_us - self.start_us) * SAMPLE_RATE_HZ // MICROSECOND

    def sample_of_tick(self, tick: int) -> int:
        """Return the first sample of frame `tick`."""
        return tick * SAMPLE_RATE_HZ // self.fps

    def seconds_of_tick(self, tick: int) -> float:
        """Return the time of frame `tick` since the start."""
        return tick / self.fps
