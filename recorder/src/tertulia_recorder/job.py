"""The contract between a worker and the recorder process it starts: a job in, a state out, both as JSON in a folder.

The worker makes a folder, writes ``job.json`` into it, and starts ``python -m tertulia_recorder <folder>`` in a
session of its own (``setsid``) with the media server's token in the environment variable `TOKEN_VARIABLE`. An
``flock`` on ``lock`` is held as long as the recorder runs: the worker takes it and passes it on (`LOCK_VARIABLE`), so
that it is held from before the process exists; a recorder that is started without one takes it itself. The recorder
writes the media to ``<file_name>.part`` and `RecorderState` to ``state.json`` as soon as there is media on the disk and
then about twice a second (never ahead of what is on the disk; `NOTIFY_VARIABLE` spares the worker from polling it), and
ends on SIGTERM, on a file named ``stop``, on the attribute `STOP_ATTRIBUTE`, or by itself. At its end the media is
``<file_name>`` and the phase is ``done``.

A stop may arrive late: the file ``stop`` and the attribute hold how many seconds ago it was requested (0 where there is
no number). What was recorded after that instant is not in the media.

A folder whose lock is free and whose phase is not ``done`` belonged to a recorder that was killed:
``python -m tertulia_recorder --recover <folder>`` finishes it.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Final, Self

from tertulia_recorder.ids import Millis, RecordingId, RoomName

JOB_FILE: Final = "job.json"
STATE_FILE: Final = "state.json"
LOCK_FILE: Final = "lock"
STOP_FILE: Final = "stop"
PART_SUFFIX: Final = ".part"

STOP_ATTRIBUTE: Final = "tertulia.stopped_s_ago"
"""Ends the recording when the media server's API sets it on the recorder's own participant, which no other participant
can do: for a server that does not reach the worker."""

TOKEN_VARIABLE: Final = "TERTULIA_RECORDER_TOKEN"  # noqa: S105 - the variable's name, not a token
"""The access token: `recorder`, `hidden` and `canSubscribe` for one room. It must stay valid for `max_duration_s` and
`TOKEN_MARGIN_S` more: a recorder that outlived its server comes back with it."""
TOKEN_MARGIN_S: Final = 900.0

LOCK_VARIABLE: Final = "TERTULIA_RECORDER_LOCK"
"""The number of an open file that holds the lock already; absent when the recorder takes the lock itself."""

NOTIFY_VARIABLE: Final = "TERTULIA_RECORDER_NOTIFY"
"""Optional: the number of an inherited pipe's write end. After each replacement of ``state.json`` the recorder writes
one byte to it, without blocking and whether or not it is read: a hint to read the file, which stays the truth. The pipe
reaches its end when the recorder has exited, provided that the worker has closed its own copy of the write end."""


def stop_age_s(text: str) -> float:
    """Return how many seconds ago a stop was requested; 0 for a text that is no such number."""
    try:
        age_s = float(text)
    except ValueError:
        return 0.0
    return age_s if 0 <= age_s < float("inf") else 0.0


class RecordingPreset(StrEnum):
    """The picture size and frame rate of a file, or sound alone."""

    HD_720P30 = "720p30"
    FULL_HD_1080P30 = "1080p30"
    AUDIO = "audio"


class RecorderPhase(StrEnum):
    """The phases of a recorder. `RECORDING` means that the first media is on the disk."""

    JOINING = "joining"
    RECORDING = "recording"
    FINISHING = "finishing"
    DONE = "done"


class EndReason(StrEnum):
    """Why a recording ended."""

    STOPPED = "stopped"
    EMPTY = "empty"
    ROOM_CLOSED = "room_closed"
    REMOVED = "removed"
    CONNECTION_LOST = "connection_lost"
    LIMIT_DURATION = "limit_duration"
    LIMIT_SIZE = "limit_size"
    LIMIT_DISK = "limit_disk"
    START_FAILED = "start_failed"
    FAILED = "failed"
    CRASHED = "crashed"

    @property
    def is_limit(self) -> bool:
        """Whether the recording counts as LIMITED_REACHED."""
        return self.value.startswith("limit_")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderJob:
    """What to record and when to stop. Sizes are in bytes, times in seconds."""

    recording_id: RecordingId
    room_name: RoomName
    media_url: str
    file_name: str
    preset: RecordingPreset = RecordingPreset.HD_720P30
    max_duration_s: float = 8 * 3600.0
    max_bytes: int | None = None
    min_free_bytes: int = 1_000_000_000
    empty_timeout_s: float = 30.0
    start_timeout_s: float = 15.0

    def __post_init__(self) -> None:
        if not self.file_name or "/" in self.file_name or self.file_name.startswith("."):
            raise ValueError(f"file_name must be a plain file name, not {self.file_name!r}")
        for name in ("max_duration_s", "empty_timeout_s", "start_timeout_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0")

    def to_json(self) -> str:
        """Return the job as one JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a job. Raises ValueError, with a sentence, when the text is not one."""
        values = _known_fields(cls, text)
        try:
            return cls(**{**values, "preset": RecordingPreset(values.get("preset", RecordingPreset.HD_720P30))})
        except TypeError as error:
            raise ValueError(f"not a recorder's job: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderMetrics:
    """Measurements so far. `frames_late` were composed late or skipped; `audio_lost_s` should stay 0."""

    frames_composed: int = 0
    frames_late: int = 0
    audio_lost_s: float = 0.0
    cpu_s: float = 0.0
    max_memory_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderState:
    """The state of a recording. `bytes` and `duration_s` are of media that is on the disk.

    `file_name` is set once the file has its final name; `needs_remux` says that it plays but seeks slowly, because
    there was no room to write its index.
    """

    phase: RecorderPhase
    pid: int
    reason: EndReason | None = None
    started_at_ms: Millis | None = None
    ended_at_ms: Millis | None = None
    duration_s: float = 0.0
    bytes: int = 0
    file_name: str | None = None
    needs_remux: bool = False
    details: tuple[str, ...] = ()
    metrics: RecorderMetrics = field(default_factory=RecorderMetrics)

    def to_json(self) -> str:
        """Return the state as one JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a state. Raises ValueError, with a sentence, when the text is not one."""
        values = _known_fields(cls, text)
        try:
            reason = values.get("reason")
            return cls(
                **{
                    **values,
                    "phase": RecorderPhase(values["phase"]),
                    "reason": None if reason is None else EndReason(reason),
                    "details": tuple(values.get("details", ())),
                    "metrics": RecorderMetrics(**_only_fields(RecorderMetrics, values.get("metrics", {}))),
                }
            )
        except (TypeError, KeyError) as error:
            raise ValueError(f"not a recorder's state: {error}") from error


def _known_fields(cls: type, text: str) -> dict[str, Any]:
    # Fields of a newer version are dropped: an old recorder may outlive an update of the server, and the reverse.
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004 - callers catch ValueError, as of json.loads
    return _only_fields(cls, value)


def _only_fields(cls: type, value: dict[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(cls)}
    return {name: part for name, part in value.items() if name in names}
