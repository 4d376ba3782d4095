"""Installations without a server: a store, a folder, and what a server or recorder would have left in them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

from tertulia.adapters.blobs import Blobs, open_blobs
from tertulia.adapters.clock import SystemClock
from tertulia.adapters.recorder.worker_lock import WorkerLock
from tertulia.adapters.sql.store import SqlStore, open_store
from tertulia.app.worker import WorkerDependencies, run_worker, worker_lock
from tertulia.domain.ids import Millis, RoomName
from tertulia.domain.recordings.recording import Recording, RecordingState, recording_names
from tertulia.services.recordings.changes import RecordingChanges
from tertulia.services.recordings.context import RecordingRules
from tertulia.services.tokens import RecorderTokens
from tertulia_recorder.drawing.layout import Size
from tertulia_recorder.drawing.planes import Canvas, yuv
from tertulia_recorder.job import JOB_FILE, STATE_FILE, RecorderJob, RecorderPhase, RecorderState
from tertulia_recorder.pipeline.muxer import Format, Muxer
from tertulia_recorder.repair.mp4 import measure
from tertulia_recorder.units import AUDIO_BLOCK

MEDIA_URL = "ws://127.0.0.1:9"
"""An address where no media server is."""


@cache
def media() -> tuple[bytes, bytes]:
    """Return a short recording's bytes: in the middle of being written, and finished."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.mp4")
        muxer = Muxer(path, Format(Size(160, 90), 30))
        canvas, silence = Canvas(Size(160, 90), yuv(200, 0, 0)), np.zeros((AUDIO_BLOCK, 2), np.int16)
        for tick in range(150):
            muxer.write_video(av.VideoFrame.from_numpy_buffer(canvas.buffer, "yuv420p"), tick)
            for sample in range(-(-tick * 1600 // AUDIO_BLOCK), -(-(tick + 1) * 1600 // AUDIO_BLOCK)):
                muxer.write_audio(silence, sample * AUDIO_BLOCK)
        torn = path.read_bytes()
        muxer.close()
        return torn, path.read_bytes()


def now_ms() -> Millis:
    return SystemClock().now_ms()


@dataclass
class OfflineInstallation:
    """A worker's data directory and store. The rows that it makes are leased to `owner`, the worker of the folder."""

    root: Path
    store: SqlStore
    files: Blobs
    owner: str
    changes: RecordingChanges = field(default_factory=RecordingChanges)

    # ── the worker ──

    def dependencies(self) -> WorkerDependencies:
        return WorkerDependencies(
            root=self.root,
            store=self.store,
            files=self.files,
            tokens=RecorderTokens(api_key="key", api_secret="a-secret-that-is-long-enough-for-hs256"),
            rules=RecordingRules(media_url=MEDIA_URL, min_free_bytes=0),
            capacity=2,
            changes=self.changes,
        )

    async def finish(self) -> None:
        """Be the worker until everything that is left is finished."""
        async with worker_lock(self.root) as lock:
            await self.dependencies().worker(lock).finish_all()

    @asynccontextmanager
    async def working(self, dependencies: WorkerDependencies | None = None) -> AsyncIterator[None]:
        """Run a worker as long as the block lasts."""
        working = asyncio.ensure_future(run_worker(dependencies or self.dependencies()))
        try:
            yield
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    # ── rows ──

    async def add_row(self, state: RecordingState, *, room: str | None = None, **changes: object) -> Recording:
        """Add a recording's row."""
        name = RoomName(room or f"room-{os.urandom(6).hex()}")
        recording_id, filename = recording_names(name, os.urandom(8).hex(), os.urandom(8).hex())
        started_at_ms = None if state is RecordingState.STARTING else Millis(now_ms() - 5000)
        row = Recording(
            recording_id, name, filename, state, Millis(now_ms() - 6000), started_at_ms=started_at_ms,
            lease_owner=self.owner, lease_until_ms=Millis(now_ms() + 10_000),
        )  # fmt: skip
        row = replace(row, **changes)  # type: ignore[arg-type]
        assert await self.store.write(lambda tx: tx.recordings.insert(row))
        return row

    async def row(self, recording: Recording) -> Recording:
        """Return a recording's row as it is now."""
        found = await self.store.read(lambda tx: tx.recordings.find(recording.id))
        assert found is not None
        return found

    async def row_when(
        self, recording: Recording, condition: Callable[[Recording], bool], *, within_s: float = 40
    ) -> Recording:
        """Wait for the worker's wake-ups, without a poll, until a recording's row is in a certain way; return it."""
        with self.changes.watch(recording.id) as wakeup:
            async with asyncio.timeout(within_s):
                while not condition(row := await self.row(recording)):
                    await wakeup.wait(2 * within_s)
        return row

    # ── folders ──

    def folder(self, recording: Recording) -> Path:
        return self.root / recording.id

    def file(self, recording: Recording) -> Path:
        return self.folder(recording) / recording.filename

    def make_folder(self, recording: Recording, *, job: bool = True) -> None:
        """Make a recording's folder as `RecorderProcesses` does."""
        self.folder(recording).mkdir(parents=True)
        if job:
            made = RecorderJob(
                recording_id=recording.id,
                room_name=recording.room,
                media_url=MEDIA_URL,
                file_name=recording.filename,
            )
            (self.folder(recording) / JOB_FILE).write_text(made.to_json())

    def write_part(self, recording: Recording, content: bytes) -> None:
        self.file(recording).with_name(f"{recording.filename}.part").write_bytes(content)

    def write_file(self, recording: Recording) -> None:
        self.file(recording).write_bytes(media()[1])

    def write_state(self, recording: Recording, phase: RecorderPhase, **more: object) -> None:
        state = RecorderState(phase=phase, pid=0, started_at_ms=recording.started_at_ms)
        state = replace(state, **more)  # type: ignore[arg-type]
        (self.folder(recording) / STATE_FILE).write_text(state.to_json())

    def duration_s(self, recording: Recording) -> float:
        return measure(self.file(recording)).duration_s


@asynccontextmanager
async def offline_installation(
    folder: Path, database_url: str, *, recordings_url: str = ""
) -> AsyncIterator[OfflineInstallation]:
    """Open an installation that no server runs on."""
    store = open_store(database_url)
    await store.open()
    root = folder / "recordings"
    lock = await asyncio.to_thread(WorkerLock.acquire, root)
    assert lock is not None
    lock.release()
    try:
        yield OfflineInstallation(root, store, open_blobs(recordings_url, default_folder=root), lock.owner)
    finally:
        await store.close()
