"""The recorder processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tertulia.domain.ids import RecordingId
from tertulia_recorder.job import RecorderJob, RecorderState


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """What is known of a recorder from outside: its folder, its process, and the state that it wrote last."""

    exists: bool
    is_alive: bool
    state: RecorderState | None


class Recorders(Protocol):
    """The recorder processes of this machine, one for each recording, each with a folder. They outlive the server."""

    def folder(self, recording_id: RecordingId) -> Path:
        """Return the folder in which a recording is made."""
        ...

    async def start(self, job: RecorderJob, token: str) -> None:
        """Make the folder and start the recorder. Raises Unavailable."""
        ...

    async def job(self, recording_id: RecordingId) -> RecorderJob | None:
        """Return the job that is in a recording's folder; None when there is no readable one."""
        ...

    async def status(self, recording_id: RecordingId) -> RecorderStatus:
        """Return whether a recorder lives, and its last state."""
        ...

    async def request_stop(self, recording_id: RecordingId, *, age_s: float = 0.0) -> None:
        """Ask a recorder to finish its file as of `age_s` ago; one that has exited is not an error."""
        ...

    async def kill(self, recording_id: RecordingId) -> None:
        """Kill a recorder that does not answer; `recover` finishes its file."""
        ...

    async def recover(self, recording_id: RecordingId) -> RecorderState | None:
        """Finish the file that a recorder left; None when it left nothing at all. Raises Unavailable on failure."""
        ...

    async def log_tail(self, recording_id: RecordingId) -> str:
        """Return the end of a recorder's log."""
        ...

    async def delete_folder(self, recording_id: RecordingId) -> None:
        """Delete a recording's folder with all that is in it."""
        ...

    async def recording_ids(self) -> list[RecordingId]:
        """List the recordings that have a folder on this machine."""
        ...

    async def free_bytes(self) -> int:
        """Return how much space is left on the disk of the folders."""
        ...
