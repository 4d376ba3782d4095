"""The recording worker put together: inside the server, alone (`tertulia recorder`), or for one round of repairs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from tertulia.adapters.clock import SystemClock
from tertulia.adapters.recorder.process import RecorderProcesses, WorkerLock
from tertulia.services.ports import Files, Store
from tertulia.services.recordings.supervisor import RecordingRules, WorkerContext
from tertulia.services.recordings.worker import RecordingWorker
from tertulia.services.tokens import RecorderTokens
from tertulia.settings import Settings
from tertulia_recorder.job import RecordingPreset

_log = structlog.get_logger(__name__)
_ASK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDependencies:
    """What a worker is made of. `root`: where recordings are made; `media_url`: how recorders reach the meetings."""

    root: Path
    media_url: str
    store: Store
    files: Files
    tokens: RecorderTokens
    settings: Settings

    def worker(self, place: WorkerLock) -> RecordingWorker:
        """Put a worker together that works at a place."""
        settings = self.settings
        rules = RecordingRules(
            media_url=self.media_url.replace("http", "ws", 1) if self.media_url.startswith("http") else self.media_url,
            preset=RecordingPreset(settings.recording_preset),
            max_duration_s=settings.recording_max_duration_s,
            max_bytes=settings.recording_max_bytes,
            min_free_bytes=settings.recording_min_free_bytes,
            empty_timeout_s=settings.recording_empty_timeout_s,
        )
        workshop = WorkerContext(
            owner=place.owner,
            store=self.store,
            clock=SystemClock(),
            recorders=RecorderProcesses(place.root),
            files=self.files,
            tokens=self.tokens,
            rules=rules,
        )
        capacity = settings.recording_capacity
        return RecordingWorker(workshop, capacity=(os.cpu_count() or 1) if capacity is None else capacity)


@asynccontextmanager
async def at_work(root: Path) -> AsyncIterator[WorkerLock]:
    """Be the one worker of a folder; waits as long as another process is (the last server, still stopping)."""
    waiting = False
    while (place := await asyncio.to_thread(WorkerLock.take, root)) is None:
        if not waiting:
            _log.warning("another process looks after the recordings here: waiting for it to end", folder=str(root))
        waiting = True
        await asyncio.sleep(_ASK_EVERY_S)
    try:
        yield place
    finally:
        place.leave()


async def run_worker(parts: WorkerDependencies) -> None:
    """Work until cancelled."""
    async with at_work(parts.root) as place:
        await parts.worker(place).run()
