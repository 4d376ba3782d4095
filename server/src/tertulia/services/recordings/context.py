"""What a recording worker and its supervisors work with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tertulia.domain.recordings.limits import (
    DEFAULT_EMPTY_TIMEOUT_S,
    DEFAULT_MAX_BYTES,
    DEFAULT_MAX_DURATION_S,
    DEFAULT_MIN_FREE_BYTES,
    DEFAULT_PRESET,
)
from tertulia.domain.recordings.recording import Recording
from tertulia.services.ports import Clock, Files, Recorders, Store
from tertulia.services.recordings.changes import RecordingChanges
from tertulia.services.recordings.draining import WorkerDrain
from tertulia.services.tokens import RecorderTokens
from tertulia_recorder.job import RecorderJob, RecordingPreset

_SHORTEST_EMPTY_TIMEOUT_S = 0.1
STORED_RULES: Final = "recordings"
"""The name under which an administrator's changes of the rules are stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRules:
    """How this installation records.

    `media_url` is where recorders reach the media server. `preset` holds for recordings that ask for none. The rest
    are limits.
    """

    media_url: str
    preset: RecordingPreset = DEFAULT_PRESET
    max_duration_s: float = DEFAULT_MAX_DURATION_S
    max_bytes: int | None = DEFAULT_MAX_BYTES
    min_free_bytes: int = DEFAULT_MIN_FREE_BYTES
    empty_timeout_s: float = DEFAULT_EMPTY_TIMEOUT_S

    def job(self, recording: Recording) -> RecorderJob:
        """Return the job for the recorder of a recording."""
        return RecorderJob(
            recording_id=recording.id,
            room_name=recording.room,
            media_url=self.media_url,
            file_name=recording.filename,
            preset=recording.preset or self.preset,
            max_duration_s=self.max_duration_s,
            max_bytes=self.max_bytes,
            min_free_bytes=self.min_free_bytes,
            empty_timeout_s=max(self.empty_timeout_s, _SHORTEST_EMPTY_TIMEOUT_S),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """The dependencies of a worker and its supervisors. `owner` is the worker's name in the rows that it has leased."""

    owner: str
    store: Store
    clock: Clock
    recorders: Recorders
    files: Files
    tokens: RecorderTokens
    rules: RecordingRules
    changes: RecordingChanges
    drain: WorkerDrain = field(default_factory=WorkerDrain)


def with_stored_rules(rules: RecordingRules, stored: Mapping[str, Any]) -> RecordingRules:
    """Return the rules with an administrator's changes. Raises TypeError or ValueError for what is not understood."""
    changes = dict(stored)
    if "preset" in changes:
        changes["preset"] = RecordingPreset(changes["preset"])
    return replace(rules, **changes)


def rules_now(rules: RecordingRules, stored: str | None) -> RecordingRules:
    """Return the rules that count for a recording that starts now. `stored` is the JSON of an administrator's changes.

    What cannot be understood (of a newer version) changes nothing.
    """
    if stored is None:
        return rules
    try:
        return with_stored_rules(rules, json.loads(stored))
    except (TypeError, ValueError):
        return rules
