"""Defaults of a recording's limits and format: the one place where they stand.

The settings take their defaults from here, and everything that makes a recording is given values that come from the
settings. Sizes are bytes, times seconds.
"""

from __future__ import annotations

from typing import Final

from tertulia_recorder.job import RecordingPreset

DEFAULT_PRESET: Final = RecordingPreset.HD_720P30
DEFAULT_MAX_DURATION_S: Final = 8 * 3600.0
DEFAULT_MAX_BYTES: Final[int | None] = None
"""None: no limit."""
DEFAULT_MIN_FREE_BYTES: Final = 1_000_000_000
"""A recording ends when less of the disk is free."""
DEFAULT_EMPTY_TIMEOUT_S: Final = 30.0
"""How long a meeting without participants is still recorded."""
