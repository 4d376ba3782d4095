"""Constants of sound and time that every part of the recorder shares."""

from typing import Final

SAMPLE_RATE_HZ: Final = 48_000
MICROSECOND: Final = 1_000_000
"""Microseconds in a second: all times inside the recorder are microseconds of the monotonic clock."""
AUDIO_BLOCK: Final = 1024
"""Samples in one AAC frame."""
