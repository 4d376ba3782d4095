"""Recordings and their states.

STARTING → ACTIVE → ENDING → COMPLETE, or FAILED (media was lost), ABORTED (nothing was recorded), LIMITED_REACHED
(a limit ended it; the file is kept).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tertulia.domain.ids import Millis, RecordingId, RoomName
from tertulia_recorder.job import RecordingPreset

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,200}\Z")


class RecordingState(StrEnum):
    """How far a recording is. ACTIVE means that the first media is on the disk."""

    STARTING = "STARTING"
    ACTIVE = "ACTIVE"
    ENDING = "ENDING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    LIMITED_REACHED = "LIMITED_REACHED"


RUNNING: Final = frozenset({RecordingState.STARTING, RecordingState.ACTIVE, RecordingState.ENDING})
OCCUPYING: Final = frozenset({RecordingState.STARTING, RecordingState.ACTIVE})
"""States that can be stopped, and keep the room from being recorded again. A file that waits for its store does not."""
PLAYABLE: Final = frozenset({RecordingState.COMPLETE, RecordingState.LIMITED_REACHED})


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of a worker to change a recording. Every taking raises the epoch, and ends the leases before it.

    A worker that was away (its machine stood still, its directory was cloned) is recognised by its old epoch, whatever
    its clock says.
    """

    recording: RecordingId
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Recording:
    """One file made of one meeting. It outlives its room.

    `preset` is the one that was asked for, or None for that of the worker's settings. `started_at_ms` is the first
    frame written, `ended_at_ms` the stop; `duration_s` and `size_bytes` are the file's. A worker has it by a lease
    (`lease_owner`, `lease_epoch`, `lease_until_ms`) while it runs. Once `deleted_at_ms` is set, only its removal is
    left to do. `created_at_ms` and `lease_until_ms` are of the database's clock, which all workers share.
    """

    id: RecordingId
    room: RoomName
    filename: str
    state: RecordingState
    created_at_ms: Millis
    started_at_ms: Millis | None = None
    ended_at_ms: Millis | None = None
    duration_s: float | None = None
    size_bytes: int | None = None
    error_code: int | None = None
    error: str | None = None
    details: str | None = None
    stop_requested_at_ms: Millis | None = None
    lease_owner: str | None = None
    lease_until_ms: Millis = Millis(0)
    deleted_at_ms: Millis | None = None
    preset: RecordingPreset | None = None
    lease_epoch: int = 0

    @property
    def lease(self) -> Lease | None:
        """The newest lease; None before the first."""
        return None if self.lease_owner is None else Lease(self.id, self.lease_owner, self.lease_epoch)

    @property
    def is_running(self) -> bool:
        """Whether it is not over yet."""
        return self.state in RUNNING

    @property
    def is_playable(self) -> bool:
        """Whether there is a finished file."""
        return self.state in PLAYABLE


def could_be_recording_id(text: str) -> bool:
    """Return whether a text can be an id at all. Ids are opaque: nothing is ever read out of one."""
    return _ID.match(text) is not None


def recording_names(room: RoomName, random_id: str, random_file: str) -> tuple[RecordingId, str]:
    """Return a recording's id and the name of its file."""
    return RecordingId(f"{room}--EG_{random_id}--{random_file}"), f"{room}--{random_file}.mp4"
