"""The limits and defaults of recordings. Settings and rules refer to these, so that each figure stands once."""

from __future__ import annotations

from typing import Final

from tertulia_recorder.job import RecordingPreset

DEFAULT_PRESET: Final = RecordingPreset.HD_720P30
MAX_DURATION_S: Final = 8 * 3600.0
MIN_FREE_BYTES: Final = 1_000_000_000
EMPTY_TIMEOUT_S: Final = 30.0
