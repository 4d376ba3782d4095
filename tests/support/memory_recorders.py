"""Recorders without processes, and a worker's context around them: a test says what each recorder does."""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

from support.offline_installation import OfflineInstallation
from tertulia.domain.ids import LATEST, Millis, RecordingId, RoomName
from tertulia.domain.recordings.recording import Recording
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences
from tertulia.errors import Unavailable
from tertulia.services.ports import Clock, RecorderStatus
from tertulia.services.recordings.changes import RecordingChanges
from tertulia.services.recordings.context import WorkerContext
from tertulia_recorder.job import EndReason, RecorderJob, RecorderPhase, RecorderState

JOINING = RecorderState(phase=RecorderPhase.JOINING, pid=1)
MINUTE_S = 60.0


@dataclass
class MemoryRecorders:
    """What `RecorderProcesses` is to a worker, in memory. `calls` counts what was asked of each recorder."""

    root: Path
    changes: RecordingChanges
    free: int = 10**12
    start_error: Unavailable | None = None
    recover_error: Unavailable | None = None
    status_error: Exception | None = None
    statuses: dict[RecordingId, RecorderStatus] = field(default_factory=dict)
    jobs: dict[RecordingId, RecorderJob] = field(default_factory=dict)
    calls: dict[tuple[str, RecordingId], int] = field(default_factory=lambda: defaultdict(int))
    stop_ages_s: dict[RecordingId, float] = field(default_factory=dict)
    _called: asyncio.Condition = field(default_factory=asyncio.Condition)

    # ── for the test ──

    def become(self, recording: Recording, state: RecorderState | None, *, is_alive: bool = True) -> None:
        """Let a recorder write a state, or exit."""
        self.statuses[recording.id] = RecorderStatus(exists=True, is_alive=is_alive, state=state)
        self.changes.notify(recording.id)

    def record(self, recording: Recording, *, duration_s: float = 1.0) -> None:
        started_at_ms = Millis(recording.created_at_ms + 1000)
        phase = RecorderPhase.RECORDING
        self.become(recording, replace(JOINING, phase=phase, started_at_ms=started_at_ms, duration_s=duration_s))

    def finish(self, recording: Recording, reason: EndReason = EndReason.STOPPED) -> None:
        """Let a recorder write its file and exit."""
        path = self.folder(recording.id) / recording.filename
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"media")
        state = RecorderState(
            phase=RecorderPhase.DONE, pid=1, reason=reason, started_at_ms=Millis(recording.created_at_ms + 1000),
            ended_at_ms=Millis(recording.created_at_ms + 5000), duration_s=4.0, bytes=5, file_name=recording.filename,
        )  # fmt: skip
        self.become(recording, state, is_alive=False)

    async def was_called(self, what: str, recording: Recording, *, times: int = 1) -> None:
        """Wait until something was asked of a recorder."""
        async with asyncio.timeout(MINUTE_S), self._called:
            await self._called.wait_for(lambda: self.calls[what, recording.id] >= times)

    async def _count(self, what: str, recording_id: RecordingId) -> None:
        async with self._called:
            self.calls[what, recording_id] += 1
            self._called.notify_all()

    # ── for the worker ──

    def folder(self, recording_id: RecordingId) -> Path:
        return self.root / recording_id

    async def start(self, job: RecorderJob, token: str) -> None:
        assert token
        if self.start_error is not None:
            raise self.start_error
        self.folder(job.recording_id).mkdir()
        self.jobs[job.recording_id] = job
        self.statuses[job.recording_id] = RecorderStatus(exists=True, is_alive=True, state=None)
        await self._count("start", job.recording_id)

    async def job(self, recording_id: RecordingId) -> RecorderJob | None:
        return self.jobs.get(recording_id)

    async def status(self, recording_id: RecordingId) -> RecorderStatus:
        await self._count("status", recording_id)
        if self.status_error is not None:
            raise self.status_error
        return self.statuses.get(recording_id, RecorderStatus(exists=False, is_alive=False, state=None))

    async def request_stop(self, recording_id: RecordingId, *, age_s: float = 0.0) -> None:
        self.stop_ages_s[recording_id] = age_s
        await self._count("request_stop", recording_id)

    async def kill(self, recording_id: RecordingId) -> None:
        status = self.statuses[recording_id]
        self.statuses[recording_id] = replace(status, is_alive=False)
        await self._count("kill", recording_id)
        self.changes.notify(recording_id)

    async def recover(self, recording_id: RecordingId) -> RecorderState | None:
        await self._count("recover", recording_id)
        if self.recover_error is not None:
            raise self.recover_error
        status = self.statuses.get(recording_id)
        if status is None or status.state is None or status.state.phase is RecorderPhase.DONE:
            return status and status.state
        return RecorderState(phase=RecorderPhase.DONE, pid=0, reason=EndReason.CRASHED)

    async def log_tail(self, _recording_id: RecordingId) -> str:
        return "the end of its log"

    async def delete_folder(self, recording_id: RecordingId) -> None:
        shutil.rmtree(self.folder(recording_id), ignore_errors=True)
        await self._count("delete_folder", recording_id)

    async def recording_ids(self) -> list[RecordingId]:
        return [RecordingId(path.name) for path in self.root.iterdir() if path.is_dir()]

    async def free_bytes(self) -> int:
        return self.free


def worker_context(installation: OfflineInstallation, recorders: MemoryRecorders, clock: Clock) -> WorkerContext:
    """Return the context of an installation's worker, with recorders in memory."""
    parts = installation.dependencies()
    return WorkerContext(
        owner=installation.owner,
        store=installation.store,
        clock=clock,
        recorders=recorders,
        files=installation.files,
        tokens=parts.tokens,
        rules=parts.rules,
        changes=installation.changes,
    )


async def add_room(installation: OfflineInstallation, name: str = "room") -> RoomName:
    """Add a room that never expires."""
    room = Room(RoomName(name), None, Millis(0), LATEST, None, RoomPreferences(), RoleSecrets("m", "p", "v"))
    await installation.store.write(lambda tx: tx.rooms.insert(room))
    return room.name
