"""The two clocks: monotonic for everything that is measured, the time of day for what users read."""

import time

from tertulia_recorder.ids import Millis


def monotonic_us() -> int:
    """Return CLOCK_MONOTONIC in microseconds."""
    return time.monotonic_ns() // 1000


def wall_clock_ms() -> Millis:
    """Return the time of day in milliseconds since the epoch."""
    return Millis(time.time_ns() // 1_000_000)
