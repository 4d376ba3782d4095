"""The recording worker put together: inside the server, alone (`tertulia recorder`), or for one round of repairs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from tertulia.adapters.clock import SystemClock
from tertulia.adapters.recorder.process import RecorderProcesses
from tertulia.adapters.recorder.worker_lock import WorkerLock
from tertulia.errors import Unavailable
from tertulia.services.ports import Files, Store
from tertulia.services.recordings.changes import RecordingChanges
from tertulia.services.recordings.context import RecordingRules, WorkerContext
from tertulia.services.recordings.draining import WorkerDrain
from tertulia.services.recordings.leases import LeaseTiming
from tertulia.services.recordings.worker import RecordingWorker
from tertulia.services.tokens import RecorderTokens

_log = structlog.get_logger(__name__)
_RETRY_LOCK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDependencies:
    """The parts of a worker. `root` is the folder in which recordings are made.

    `changes` is shared with the `RecordingService` of the same process, so that each wakes the other.
    """

    root: Path
    store: Store
    files: Files
    tokens: RecorderTokens
    rules: RecordingRules
    capacity: int
    changes: RecordingChanges = field(default_factory=RecordingChanges)
    lease_timing: LeaseTiming = field(default_factory=LeaseTiming)
    drain: WorkerDrain = field(default_factory=WorkerDrain)

    def worker(self, lock: WorkerLock) -> RecordingWorker:
        """Return a worker for the folder of a lock."""
        return RecordingWorker(self.context(lock.owner), capacity=self.capacity, lease_timing=self.lease_timing)

    def context(self, owner: str) -> WorkerContext:
        """Return what the worker of that name works with."""
        return WorkerContext(
            owner=owner,
            store=self.store,
            clock=SystemClock(),
            recorders=RecorderProcesses(self.root, on_change=self.changes.notify),
            files=self.files,
            tokens=self.tokens,
            rules=self.rules,
            changes=self.changes,
            drain=self.drain,
        )


@asynccontextmanager
async def worker_lock(root: Path) -> AsyncIterator[WorkerLock]:
    """Be the one worker of a folder. Waits while another process is (the previous server, still stopping), and while
    the folder cannot be written (a full disk).
    """
    told = ""
    while True:
        reason = "another process supervises the recordings here: waiting for it to end"
        try:
            if (lock := await asyncio.to_thread(WorkerLock.acquire, root)) is not None:
                break
        except Unavailable as error:
            reason = error.message
        if reason != told:
            _log.warning(reason, folder=str(root))
        told = reason
        await asyncio.sleep(_RETRY_LOCK_EVERY_S)
    try:
        yield lock
    finally:
        lock.release()


async def run_worker(dependencies: WorkerDependencies) -> None:
    """Work until cancelled."""
    async with worker_lock(dependencies.root) as lock:
        await dependencies.worker(lock).run()
