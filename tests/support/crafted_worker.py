"""Installations without a server: a store, a folder, and what a server or recorder would have left in them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

from tertulia.adapters.blobs import Blobs, open_blobs
from tertulia.adapters.clock import SystemClock
from tertulia.adapters.recorder.process import WorkerLock
from tertulia.adapters.sql.store import SqlStore, open_store
from tertulia.app.worker import WorkerDependencies, at_work
from tertulia.domain.ids import Millis, RecordingId, RoomName
from tertulia.domain.recordings.recording import Recording, RecordingState, recording_names
from tertulia.services.tokens import RecorderTokens
from tertulia.settings import Settings
from tertulia_recorder.drawing.layout import Size
from tertulia_recorder.drawing.planes import Canvas, yuv
from tertulia_recorder.job import JOB_FILE, STATE_FILE, RecorderJob, RecorderPhase, RecorderState
from tertulia_recorder.pipeline.muxer import Format, Muxer
from tertulia_recorder.repair.mp4 import measure
from tertulia_recorder.units import AUDIO_BLOCK


@cache
def media() -> tuple[bytes, bytes]:
    """A short recording as bytes: in the middle of being written, and finished."""
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
class Crafted:
    """A worker's data directory and store."""

    root: Path
    store: SqlStore
    files: Blobs
    owner: str

    def parts(self) -> WorkerDependencies:
        return WorkerDependencies(
            root=self.root,
            media_url="ws://127.0.0.1:9",
            store=self.store,
            files=self.files,
            tokens=RecorderTokens(api_key="key", api_secret="a-secret-that-is-long-enough-for-hs256"),
            settings=Settings(recording_min_free_bytes=0),
        )

    async def finish(self) -> None:
        """Be the worker until everything that is left is finished."""
        async with at_work(self.root) as place:
            await self.parts().worker(place).finish_all()

    async def row(self, state: RecordingState, *, room: str | None = None, **changes: object) -> Recording:
        """Put a recording's row."""
        name = RoomName(room or f"room-{os.urandom(6).hex()}")
        recording_id, filename = recording_names(name, os.urandom(8).hex(), os.urandom(8).hex())
        started_at_ms = None if state is RecordingState.STARTING else Millis(now_ms() - 5000)
        made = Recording(
            recording_id, name, filename, state, Millis(now_ms() - 6000), started_at_ms=started_at_ms,
            lease_owner=self.owner, lease_until_ms=Millis(now_ms() + 10_000),
        )  # fmt: skip
        made = replace(made, **changes)  # type: ignore[arg-type]
        assert await self.store.write(lambda tx: tx.recordings.insert(made))
        return made

    def folder(self, recording: Recording, *, job: bool = True) -> Path:
        """Make a recording's folder as the launcher does."""
        folder = self.root / recording.id
        folder.mkdir(parents=True)
        if job:
            made = RecorderJob(
                recording_id=recording.id,
                room_name=recording.room,
                media_url="ws://127.0.0.1:9",
                file_name=recording.filename,
            )
            (folder / JOB_FILE).write_text(made.to_json())
        return folder

    def part(self, recording: Recording, content: bytes) -> None:
        (self.root / recording.id / f"{recording.filename}.part").write_bytes(content)

    def finished(self, recording: Recording) -> None:
        (self.root / recording.id / recording.filename).write_bytes(media()[1])

    def says(self, recording: Recording, phase: RecorderPhase, **more: object) -> None:
        state = RecorderState(phase=phase, pid=0, started_at_ms=recording.started_at_ms)
        state = replace(state, **more)  # type: ignore[arg-type]
        (self.root / recording.id / STATE_FILE).write_text(state.to_json())

    async def found(self, recording: Recording) -> Recording:
        found = await self.store.read(lambda tx: tx.recordings.find(recording.id))
        assert found is not None
        return found

    def duration_s(self, recording: Recording) -> float:
        return measure(self.root / recording.id / recording.filename).duration_s


@asynccontextmanager
async def crafted(folder: Path, database_url: str, *, recordings_url: str = "") -> AsyncIterator[Crafted]:
    """Open an installation that no server runs on."""
    store = open_store(database_url)
    await store.open()
    root = folder / "recordings"
    place = await asyncio.to_thread(WorkerLock.take, root)
    assert place is not None
    place.leave()
    try:
        yield Crafted(root, store, open_blobs(recordings_url, default_folder=root), place.owner)
    finally:
        await store.close()


def ids(recordings: list[Recording]) -> set[RecordingId]:
    return {recording.id for recording in recordings}
