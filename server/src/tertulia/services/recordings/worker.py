"""The worker: claims recordings that wait for one, renews the leases of its own, finishes what any crash left.

One mechanism for all sizes: a recording is a row, and the first worker with a free recorder writes its name into it. A
worker is one process at a time on one data directory, and its name stays with that directory: the next process that
becomes the worker there goes on with the same recordings, whose recorders may still run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Final

import structlog

from tertulia.domain.ids import Millis, RecordingId
from tertulia.domain.recordings.outcomes import has_media, is_lost_machine, lost_with_machine, may_come_back
from tertulia.domain.recordings.recording import Lease, Recording
from tertulia.errors import TertuliaError
from tertulia.services.ports import Transaction
from tertulia.services.recordings.context import WorkerContext
from tertulia.services.recordings.leases import LeaseObserver, LeaseTiming
from tertulia.services.recordings.service import file_path
from tertulia.services.recordings.supervisor import RecordingSupervisor
from tertulia_recorder.job import RecorderPhase

_log = structlog.get_logger(__name__)

_POLL_S: Final = 0.2
"""The longest until a recording that another process created is seen."""
_SWEEP_EVERY_S: Final = 600.0
_AFTER_FAILURE_S: Final = 1.0


class RecordingWorker:
    """Carries up to `capacity` recordings at once on this machine."""

    def __init__(self, context: WorkerContext, *, capacity: int, lease_timing: LeaseTiming) -> None:
        self._context = context
        self._capacity = capacity
        self._lease_timing = lease_timing
        self._leases = LeaseObserver(lease_timing, now_s=time.monotonic())
        self._supervisors: dict[RecordingId, RecordingSupervisor] = {}
        self._taken: dict[RecordingId, Lease] = {}
        self._due_at_s: dict[str, float] = {}
        self._finishing: list[RecordingId] | None = None

    async def run(self) -> None:
        """Work until cancelled. Recorders that run then go on, and the next worker here adopts them."""
        async with asyncio.TaskGroup() as tasks:
            with self._context.changes.watch_claimable() as wakeup:
                while True:
                    try:
                        await self._poll(tasks)
                    except TertuliaError as error:
                        _log.warning("recordings cannot be supervised right now", reason=error.message)
                        await asyncio.sleep(_AFTER_FAILURE_S)
                        self._leases.failed(now_s=time.monotonic())
                    except Exception:  # noqa: BLE001 - the next poll may succeed, and recordings depend on it
                        _log.exception("supervising recordings failed by a defect")
                        await asyncio.sleep(_AFTER_FAILURE_S)
                    await wakeup.wait(_POLL_S)

    async def finish_all(self) -> list[RecordingId]:
        """Finish what any crash left; return which recordings that were. Recorders that live are waited for."""
        async with asyncio.TaskGroup() as tasks:
            self._finishing = []
            await self._adopt(tasks)
            await self._sweep(tasks)
            found, self._finishing = self._finishing, None
            return found

    @property
    def unfinished(self) -> int:
        """Return how many recordings this worker carries now."""
        return len(self._supervisors)

    async def _poll(self, tasks: asyncio.TaskGroup) -> None:
        await self._adopt(tasks)
        while self._has_capacity() and await self._claim_and_start(tasks):
            pass
        if self._is_due("renew", self._lease_timing.renew_every_s):
            await self._renew()
        if self._context.changes.take_repair_request():
            self._due_at_s["sweep"] = 0.0
        if self._is_due("sweep", _SWEEP_EVERY_S):
            await self._sweep(tasks)

    def _is_due(self, what: str, every_s: float) -> bool:
        now_s = time.monotonic()
        if now_s < self._due_at_s.get(what, 0.0):
            return False
        self._due_at_s[what] = now_s + every_s
        return True

    def _has_capacity(self) -> bool:
        if self._context.drain.is_requested:
            return False
        return sum(supervisor.is_recording for supervisor in self._supervisors.values()) < self._capacity

    # ── rows ──

    async def _adopt(self, tasks: asyncio.TaskGroup) -> None:
        """Supervise this worker's recordings that have no supervisor: those of an earlier process or a failed task."""
        for recording in await self._context.store.read(lambda tx: tx.recordings.held(self._context.owner)):
            if recording.id in self._supervisors:
                continue
            if (lease := await self._lease_of(recording)) is not None:
                _log.info("recording adopted", recording=recording.id, state=recording.state)
                self._supervise(tasks, recording.id, lease)

    async def _claim(self) -> Recording | None:
        if not await self._context.store.read(lambda tx: tx.recordings.unclaimed()):
            return None
        owner = self._context.owner
        return await self._context.store.write(
            lambda tx: tx.recordings.claim(owner=owner, until_ms=self._lease_end(tx))
        )

    async def _lease_of(self, recording: Recording) -> Lease | None:
        """Return the lease that this process has, which writes nothing: a full disk may fail a task again and again."""
        lease = self._taken.get(recording.id)
        return lease if lease is not None and lease == recording.lease else await self._take(recording.id)

    async def _take(self, recording_id: RecordingId) -> Lease | None:
        """Lease a running recording of this worker again, or a lost one, whose folder is here; None for any other.

        What a process or a task that had it before still writes is refused from now on.
        """
        owner = self._context.owner

        def work(tx: Transaction) -> Lease | None:
            row = tx.recordings.lock(recording_id)
            if row is None or not (may_come_back(row) or (row.is_running and row.lease_owner == owner)):
                return None
            return tx.recordings.take(row, owner=owner, until_ms=self._lease_end(tx)).lease

        return await self._context.store.write(work)

    async def _renew(self) -> None:
        """Renew the leases of this worker, and release the rooms whose recordings have lost theirs."""
        owner = self._context.owner
        own = [each.lease for each in self._supervisors.values() if each.lease is not None]

        def renew(tx: Transaction) -> list[Recording]:
            tx.recordings.renew(own, until_ms=self._lease_end(tx))
            return tx.recordings.held_by_others(owner)

        leased = await self._context.store.write(renew)
        abandoned = self._leases.abandoned(leased, now_s=time.monotonic())
        if abandoned:
            await self._give_up(abandoned)

    async def _give_up(self, abandoned: Sequence[Recording]) -> None:
        now_ms = self._context.clock.now_ms()

        def work(tx: Transaction) -> list[RecordingId]:
            rows = [(seen, tx.recordings.lock(seen.id)) for seen in abandoned]
            lost = [row for seen, row in rows if row is not None and row == seen]
            for recording in lost:
                tx.recordings.update(lost_with_machine(recording, now_ms), only_from=frozenset({recording.state}))
            return [recording.id for recording in lost]

        for recording_id in await self._context.store.write(work):
            _log.error("recording lost with its machine", recording=recording_id)
            self._due_at_s["sweep"] = 0.0  # its folder may be here
            self._context.changes.notify(recording_id)

    def _lease_end(self, tx: Transaction) -> Millis:
        return Millis(tx.now_ms() + self._lease_timing.lifetime_ms)

    # ── folders ──

    async def _sweep(self, tasks: asyncio.TaskGroup) -> None:
        """Go through the folders that have no supervisor: the state of their rows decides.

        A folder that is here makes a lost recording this worker's, whichever owner the row names; one that another
        worker records is left to it. One whose row is missing or has ended is repaired and kept: the database may be
        another one than yesterday. One that is marked as deleted is deleted, with what was stored of it: this machine
        may have been away when that happened.
        """
        found = [each for each in await self._context.recorders.recording_ids() if each not in self._supervisors]
        rows, deleted = await self._context.store.read(
            lambda tx: (tx.recordings.find_many(found), tx.recordings.marked_deleted(found))
        )
        for recording_id in {*found} - {row.id for row in rows}:
            if recording_id in deleted or await self._is_unfinished(recording_id):
                self._supervise(tasks, recording_id, None)
        for recording in rows:
            if recording.is_running and recording.lease_owner != self._context.owner:
                continue
            if not recording.is_playable:
                is_open = recording.is_running or is_lost_machine(recording)
                if is_open or await self._is_unfinished(recording.id) or await self._is_film_back(recording):
                    self._supervise(tasks, recording.id, await self._lease_of(recording))
            elif await self._can_write_index(recording):
                supervisor = RecordingSupervisor(self._context, recording.id, None)
                self._run(tasks, supervisor, recording.id, supervisor.write_index(recording))
            else:
                await self._delete_copy(recording)

    async def _is_unfinished(self, recording_id: RecordingId) -> bool:
        """Tell whether a recorder of a folder still runs, or died before it had finished its file."""
        status = await self._context.recorders.status(recording_id)
        if status.is_alive or status.state is None:
            return status.is_alive or await self._context.recorders.job(recording_id) is not None
        return status.state.phase is not RecorderPhase.DONE

    async def _is_film_back(self, recording: Recording) -> bool:
        """Tell whether a recording counts as lost although its finished file is here."""
        state = (await self._context.recorders.status(recording.id)).state
        if state is None or not may_come_back(recording) or not has_media(state):
            return False
        return await asyncio.to_thread((self._context.recorders.folder(recording.id) / recording.filename).is_file)

    async def _can_write_index(self, recording: Recording) -> bool:
        """Tell whether a file has no index because the disk was full, and the disk has room for it now."""
        state = (await self._context.recorders.status(recording.id)).state
        if state is None or not state.needs_remux:
            return False
        return await self._context.recorders.free_bytes() - self._context.rules.min_free_bytes >= state.bytes

    async def _delete_copy(self, recording: Recording) -> None:
        """Delete the local copy that a crash left of a recording whose file is stored elsewhere.

        A part of another worker's recording is no such copy: it came with a folder that was cloned.
        """
        if await self._is_unfinished(recording.id):
            return
        local = self._context.recorders.folder(recording.id) / recording.filename
        if await self._context.files.is_elsewhere(file_path(recording), local):
            await self._context.recorders.delete_folder(recording.id)

    # ── supervisors ──

    def _supervise(self, tasks: asyncio.TaskGroup, recording_id: RecordingId, lease: Lease | None) -> None:
        supervisor = RecordingSupervisor(self._context, recording_id, lease)
        self._run(tasks, supervisor, recording_id, supervisor.supervise())

    async def _claim_and_start(self, tasks: asyncio.TaskGroup) -> bool:
        drain = self._context.drain
        with drain.claiming():
            recording = await self._claim()
            if recording is not None:
                drain.starts(recording.id)
                supervisor = RecordingSupervisor(self._context, recording.id, recording.lease)
                self._run(tasks, supervisor, recording.id, self._start(supervisor, recording))
        return recording is not None

    async def _start(self, supervisor: RecordingSupervisor, recording: Recording) -> None:
        try:
            await supervisor.start(recording)
        finally:
            self._context.drain.started(recording.id)

    def _run(
        self,
        tasks: asyncio.TaskGroup,
        supervisor: RecordingSupervisor,
        recording_id: RecordingId,
        work: Coroutine[None, None, None],
    ) -> None:
        self._supervisors[recording_id] = supervisor
        if supervisor.lease is not None:
            self._taken[recording_id] = supervisor.lease
        if self._finishing is not None:
            self._finishing.append(recording_id)
        tasks.create_task(self._guarded(recording_id, work), name=f"recording {recording_id}")

    async def _guarded(self, recording_id: RecordingId, work: Coroutine[None, None, None]) -> None:
        """Keep a failure with one recording away from the others; the recording is adopted again."""
        try:
            await work
            self._taken.pop(recording_id, None)
        except TertuliaError as error:
            _log.warning("recording stays as it is for now", recording=recording_id, reason=error.message)
            await asyncio.sleep(_AFTER_FAILURE_S)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("supervising a recording failed by a defect", recording=recording_id)
            await asyncio.sleep(_AFTER_FAILURE_S)
        finally:
            del self._supervisors[recording_id]
