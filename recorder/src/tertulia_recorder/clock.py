"""The clock that recordings follow."""

import time


def monotonic_us() -> int:
    """Give CLOCK_MONOTONIC in microseconds, which is what the receiver's arrival times are in."""
    return time.monotonic_ns() // 1000
