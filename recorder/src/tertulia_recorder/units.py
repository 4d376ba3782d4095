"""Constants of sound and time that every part of the recorder shares."""

from typing import Final

MICROSECOND: Final = 1_000_000
"""Microseconds in a second: times inside the recorder are microseconds of the monotonic clock."""
SAMPLE_RATE_HZ: Final = 48_000
CHANNELS: Final = 2
AUDIO_BLOCK: Final = 1024
"""Samples in one AAC frame."""
