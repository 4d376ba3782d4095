"""The worker: takes recordings that wait, keeps the leases of its own, finishes what any crash left.

One mechanism for all sizes: a recording is a row, and the first worker that can carry it puts its name on it. A worker
is one process at a time on one data directory, and its name stays with that directory: whoever becomes the worker
there next goes on with the same recordings, whose recorders may still run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Final

import structlog

from tertulia.domain.ids import Millis, RecordingId
from tertulia.domain.recordings.outcomes import is_lost_machine
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.errors import TertuliaError
from tertulia.services.ports import Transaction
from tertulia.services.recordings.service import file_path
from tertulia.services.recordings.supervisor import RecordingSupervisor, WorkerContext, lost_with_its_machine

_log = structlog.get_logger(__name__)

_LOOK_EVERY_S: Final = 0.2
_RENEW_EVERY_S: Final = 3.0
_LEASE_MS: Final = 15_000
_ABANDONED_AFTER_S: Final = 45.0
"""How long a lease may stay as it is until its recording counts as lost with its machine: machines restart."""
_STEADY_S: Final = 10.0
"""How long we have kept our own leases without a break before we say of others that they did not: after an outage of
the database nobody has."""
_SWEEP_EVERY_S: Final = 600.0
_AFTER_FAILURE_S: Final = 1.0


class _Leases:
    """Notices leases of others that are not renewed any more. By our monotonic clock alone: theirs, and the time of day
    anywhere, may jump."""

    def __init__(self) -> None:
        self._seen: dict[RecordingId, tuple[Millis, float]] = {}

    def abandoned(self, held: Sequence[Recording]) -> list[Recording]:
        """Learn what is held now; gives what has stayed the same for too long."""
        now_s, before = time.monotonic(), self._seen
        self._seen = {
            each.id: seen
            if (seen := before.get(each.id)) is not None and seen[0] == each.lease_until_ms
            else (each.lease_until_ms, now_s)
            for each in held
        }
        return [each for each in held if now_s - self._seen[each.id][1] >= _ABANDONED_AFTER_S]


class RecordingWorker:
    """Carries up to `capacity` recordings at once on this machine."""

    def __init__(self, workshop: WorkerContext, *, capacity: int) -> None:
        self._shop = workshop
        self._capacity = capacity
        self._keepers: dict[RecordingId, RecordingSupervisor] = {}
        self._due_s: dict[str, float] = {}
        self._leases = _Leases()
        self._steady_since_s = time.monotonic()

    async def run(self) -> None:
        """Work until cancelled; recorders that run then go on, and whoever is the worker next adopts them."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    await self._look(tasks)
                except TertuliaError as error:
                    _log.warning("recordings cannot be looked after right now", reason=error.message)
                    await asyncio.sleep(_AFTER_FAILURE_S)
                    self._steady_since_s = time.monotonic()
                except Exception:  # noqa: BLE001 - the next look may go well, and recordings depend on it
                    _log.exception("looking after recordings failed by a defect")
                    await asyncio.sleep(_AFTER_FAILURE_S)
                await asyncio.sleep(_LOOK_EVERY_S)

    async def finish_all(self) -> list[RecordingId]:
        """Finish what any crash left, then return which recordings that were. Recorders that live are waited for."""
        async with asyncio.TaskGroup() as tasks:
            await self._adopt(tasks)
            await self._sweep(tasks)
            return list(self._keepers)

    @property
    def unfinished(self) -> int:
        """Return how many recordings this worker carries now."""
        return len(self._keepers)

    async def _look(self, tasks: asyncio.TaskGroup) -> None:
        await self._adopt(tasks)
        while self._has_room() and (recording := await self._claim()) is not None:
            keeper = RecordingSupervisor(self._shop, recording.id)
            self._start(tasks, keeper, recording.id, keeper.begin(recording))
        if self._is_due("renew", _RENEW_EVERY_S):
            await self._renew()
        if self._is_due("sweep", _SWEEP_EVERY_S):
            await self._sweep(tasks)

    def _is_due(self, what: str, every_s: float) -> bool:
        now_s = time.monotonic()
        if now_s < self._due_s.get(what, 0.0):
            return False
        self._due_s[what] = now_s + every_s
        return True

    def _has_room(self) -> bool:
        return sum(keeper.is_recording for keeper in self._keepers.values()) < self._capacity

    # ── rows ──

    async def _adopt(self, tasks: asyncio.TaskGroup) -> None:
        """Go on with what is ours and nobody here looks after: the last worker's, or one whose keeper failed."""
        for recording in await self._shop.store.read(lambda tx: tx.recordings.held(self._shop.owner)):
            if recording.id not in self._keepers:
                _log.info("recording adopted", recording=recording.id, state=recording.state)
                self._keep(tasks, recording.id)

    async def _claim(self) -> Recording | None:
        if not await self._shop.store.read(lambda tx: tx.recordings.unclaimed()):
            return None
        owner, until_ms = self._shop.owner, self._lease_end()
        return await self._shop.store.write(lambda tx: tx.recordings.claim(owner=owner, until_ms=until_ms))

    async def _renew(self) -> None:
        """Keep our leases, and release the rooms whose recordings are nobody's any more."""
        owner, until_ms = self._shop.owner, self._lease_end()

        def renew(tx: Transaction) -> list[Recording]:
            tx.recordings.renew(owner=owner, until_ms=until_ms)
            return tx.recordings.held_by_others(owner)

        abandoned = self._leases.abandoned(await self._shop.store.write(renew))
        if abandoned and time.monotonic() - self._steady_since_s >= _STEADY_S:
            await self._give_up(abandoned)

    async def _give_up(self, abandoned: Sequence[Recording]) -> None:
        now_ms = self._shop.clock.now_ms()

        def work(tx: Transaction) -> list[RecordingId]:
            found = [(each, tx.recordings.lock(each.id)) for each in abandoned]
            lost = [now for seen, now in found if now is not None and now == seen]
            for recording in lost:
                tx.recordings.update(lost_with_its_machine(recording, now_ms), only_from=frozenset({recording.state}))
            return [recording.id for recording in lost]

        for recording_id in await self._shop.store.write(work):
            _log.error("recording lost with its machine", recording=recording_id)

    def _lease_end(self) -> Millis:
        return Millis(self._shop.clock.now_ms() + _LEASE_MS)

    # ── folders ──

    async def _sweep(self, tasks: asyncio.TaskGroup) -> None:
        """Look at folders that nobody here looks after: what their rows say decides.

        A folder that is here makes its recording ours, whoever's name is on the row. One without a row is left alone:
        the database may be another one than yesterday.
        """
        known = [each for each in await self._shop.recorders.known() if each not in self._keepers]
        for recording in await self._shop.store.read(lambda tx: tx.recordings.find_many(known)):
            gone = recording.state is RecordingState.ABORTED  # its recorder may still live
            if recording.is_running or is_lost_machine(recording) or gone:
                self._keep(tasks, recording.id)
            elif recording.is_playable and await self._lacks_its_index(recording):
                keeper = RecordingSupervisor(self._shop, recording.id)
                self._start(tasks, keeper, recording.id, keeper.index(recording))
            elif recording.is_playable:
                await self._drop_copy(recording)

    async def _lacks_its_index(self, recording: Recording) -> bool:
        """Tell a file whose index found no room on a full disk, where there is room for it now."""
        state = (await self._shop.recorders.look(recording.id)).state
        if state is None or not state.needs_remux:
            return False
        return await self._shop.recorders.free_bytes() - self._shop.rules.min_free_bytes >= state.bytes

    async def _drop_copy(self, recording: Recording) -> None:
        """Remove what a crash left of a recording whose file is kept elsewhere."""
        local = self._shop.recorders.folder(recording.id) / recording.filename
        if await self._shop.files.is_elsewhere(file_path(recording), local):
            await self._shop.recorders.discard(recording.id)

    # ── keepers ──

    def _keep(self, tasks: asyncio.TaskGroup, recording_id: RecordingId) -> None:
        keeper = RecordingSupervisor(self._shop, recording_id)
        self._start(tasks, keeper, recording_id, keeper.keep())

    def _start(
        self,
        tasks: asyncio.TaskGroup,
        keeper: RecordingSupervisor,
        recording_id: RecordingId,
        work: Coroutine[None, None, None],
    ) -> None:
        self._keepers[recording_id] = keeper
        tasks.create_task(self._guarded(recording_id, work), name=f"recording {recording_id}")

    async def _guarded(self, recording_id: RecordingId, work: Coroutine[None, None, None]) -> None:
        """Let nothing that goes wrong with one recording end the others; what failed is adopted anew."""
        try:
            await work
        except TertuliaError as error:
            _log.warning("recording stays as it is for now", recording=recording_id, reason=error.message)
            await asyncio.sleep(_AFTER_FAILURE_S)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("keeping a recording failed by a defect", recording=recording_id)
            await asyncio.sleep(_AFTER_FAILURE_S)
        finally:
            del self._keepers[recording_id]
