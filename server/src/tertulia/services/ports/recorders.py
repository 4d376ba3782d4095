"""The recorder processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tertulia.domain.ids import RecordingId
from tertulia_recorder.job import RecorderJob, RecorderState


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """What is seen of a recorder from outside: is there a folder, does the process live, what did it say last."""

    exists: bool
    is_alive: bool
    state: RecorderState | None


class Recorders(Protocol):
    """The recorder processes of this machine, one a recording, each with a folder. They outlive the server."""

    def folder(self, recording_id: RecordingId) -> Path:
        """Tell where a recording is made."""
        ...

    async def start(self, job: RecorderJob, token: str) -> None:
        """Make the folder and start the recorder. Raises Unavailable."""
        ...

    async def look(self, recording_id: RecordingId) -> RecorderStatus:
        """See whether a recorder lives, and what it said last."""
        ...

    async def ask_to_end(self, recording_id: RecordingId) -> None:
        """Ask a recorder to finish its file; one that has gone is no error."""
        ...

    async def kill(self, recording_id: RecordingId) -> None:
        """End a recorder that does not answer; its file is repaired afterwards."""
        ...

    async def recover(self, recording_id: RecordingId) -> RecorderState | None:
        """Finish what a recorder left; None when it left nothing at all. Raises Unavailable when that failed."""
        ...

    async def log_tail(self, recording_id: RecordingId) -> str:
        """Give the end of a recorder's log, for whoever has to find out what went wrong."""
        ...

    async def discard(self, recording_id: RecordingId) -> None:
        """Remove a recording's folder with all that is in it."""
        ...

    async def known(self) -> list[RecordingId]:
        """List whose folders are here."""
        ...

    async def free_bytes(self) -> int:
        """Tell how much the disk of the folders still takes."""
        ...
