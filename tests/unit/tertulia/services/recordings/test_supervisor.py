"""One recording under its supervisor: what it asks of the recorder, and what the row says at each step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from support.memory_recorders import JOINING, MINUTE_S, MemoryRecorders
from support.offline_installation import OfflineInstallation, now_ms
from tertulia.adapters.sql.store import SqlStore
from tertulia.adapters.sql.transaction import T, Work
from tertulia.domain.ids import Millis, RoomName
from tertulia.domain.recordings.outcomes import RecordingFault
from tertulia.domain.recordings.recording import RUNNING, Lease, Recording, RecordingState
from tertulia.errors import Unavailable
from tertulia.services.recordings import hang_detector, supervisor
from tertulia.services.recordings.context import WorkerContext
from tertulia.services.recordings.supervisor import RecordingSupervisor, cpu_per_second
from tertulia_recorder.job import EndReason, RecorderMetrics, RecorderPhase

STARTING, ACTIVE, ENDING = RecordingState.STARTING, RecordingState.ACTIVE, RecordingState.ENDING
FAULT = Unavailable("broken", "It is broken")


@pytest.fixture(autouse=True)
def only_wakeups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_POLL_S", 2 * MINUTE_S)
    monkeypatch.setattr(supervisor, "_FIRST_RETRY_S", 0.0)


@pytest.fixture
async def row(installation: OfflineInstallation, room: RoomName) -> Recording:
    return await installation.add_row(STARTING, room=room)


@asynccontextmanager
async def starting(context: WorkerContext, row: Recording) -> AsyncIterator[RecordingSupervisor]:
    """Start a recording; its supervisor ends with the block."""
    made = RecordingSupervisor(context, row.id, row.lease)
    async with asyncio.timeout(MINUTE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(made.start(row))
        yield made


async def test_from_the_claim_to_the_file(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext, row: Recording
) -> None:
    async with starting(context, row) as made:
        await recorders.was_called("start", row)
        assert recorders.jobs[row.id] == context.rules.job(row)
        recorders.become(row, JOINING)
        await recorders.was_called("status", row, times=2)
        assert (await installation.row(row)).state is STARTING
        recorders.record(row)
        active = await installation.row_when(row, lambda row: row.state is ACTIVE)
        assert (active.started_at_ms, active.duration_s) == (row.created_at_ms + 1000, 1.0)
        assert made.is_recording

        await request_stop(installation, row, ENDING)
        await recorders.was_called("request_stop", row)
        recorders.finish(row)
        complete = await installation.row_when(row, lambda row: not row.is_running)
    assert complete.state is RecordingState.COMPLETE
    assert (complete.duration_s, complete.size_bytes, complete.details) == (4.0, 5, "Stopped")
    assert not made.is_recording
    assert installation.file(row).exists(), "the folder is the store here"
    assert recorders.calls["request_stop", row.id] == 1


async def test_stopped_before_there_was_media(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext, row: Recording
) -> None:
    async with starting(context, row):
        await recorders.was_called("start", row)
        await request_stop(installation, row, STARTING)
        await recorders.was_called("request_stop", row)
        recorders.become(row, replace(JOINING, phase=RecorderPhase.DONE, reason=EndReason.STOPPED), is_alive=False)
        after = await installation.row_when(row, lambda row: not row.is_running)
    assert (after.state, after.error_code) == (RecordingState.ABORTED, RecordingFault.NOTHING_RECORDED)
    assert not installation.folder(row).exists()


async def request_stop(installation: OfflineInstallation, row: Recording, state: RecordingState) -> None:
    """Write what a request to stop writes."""
    current = await installation.row(row)
    stopped = replace(current, state=state, stop_requested_at_ms=now_ms(), ended_at_ms=now_ms(), details="Stopped")
    assert await installation.store.write(lambda tx: tx.recordings.update(stopped, only_from=RUNNING))
    installation.changes.notify(row.id)


async def test_a_recorder_that_hangs_is_killed(
    installation: OfflineInstallation,
    recorders: MemoryRecorders,
    context: WorkerContext,
    row: Recording,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(hang_detector.MAX_SILENCE_S, RecorderPhase.JOINING, 0.0)
    async with starting(context, row):
        await recorders.was_called("kill", row)
        after = await installation.row_when(row, lambda row: not row.is_running)
    assert (after.state, after.error_code) == (RecordingState.ABORTED, RecordingFault.NOTHING_RECORDED)


async def test_a_recorder_is_not_blamed_for_a_database_that_hangs(
    installation: OfflineInstallation,
    recorders: MemoryRecorders,
    context: WorkerContext,
    row: Recording,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """(issue 10) It was killed for its state of before the block, although its film had grown meanwhile."""
    monkeypatch.setitem(hang_detector.MAX_SILENCE_S, RecorderPhase.RECORDING, 0.3)
    store = HangingStore(installation.store)
    async with starting(replace(context, store=store), row):
        await recorders.was_called("start", row)
        recorders.record(row, duration_s=1.0)
        await installation.row_when(row, lambda row: row.state is ACTIVE)
        store.answers.clear()
        installation.changes.notify(row.id)
        await recorders.was_called("status", row, times=3)
        for second in range(2, 8):
            await asyncio.sleep(0.1)
            recorders.record(row, duration_s=float(second))
        store.answers.set()
        await recorders.was_called("status", row, times=4)
        recorders.finish(row)
        after = await installation.row_when(row, lambda row: not row.is_running)
    assert after.state is RecordingState.COMPLETE
    assert ("kill", row.id) not in recorders.calls


class HangingStore:
    """A store that answers while `answers` is set."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.answers = asyncio.Event()
        self.answers.set()

    async def read(self, work: Work[T]) -> T:
        await self.answers.wait()
        return await self._store.read(work)

    async def write(self, work: Work[T]) -> T:
        await self.answers.wait()
        return await self._store.write(work)

    async def check(self) -> None:
        await self._store.check()


@pytest.mark.parametrize("case", ["expired", "disk", "no room", "recorder"])
async def test_refused(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext, row: Recording, case: str
) -> None:
    if case == "expired":
        row = replace(row, created_at_ms=Millis(now_ms() - 60_000))
    if case == "disk":
        recorders.free, context = 99, replace(context, rules=replace(context.rules, min_free_bytes=100))
    if case == "no room":
        await installation.store.write(lambda tx: tx.rooms.delete(row.room))
    if case == "recorder":
        recorders.start_error = FAULT
    async with starting(context, row) as made:
        after = await installation.row_when(row, lambda row: not row.is_running)
    assert after.state is RecordingState.ABORTED
    assert after.error_code == (RecordingFault.NO_SPACE if case == "disk" else RecordingFault.NOT_STARTED)
    assert row.id not in recorders.jobs
    assert not made.is_recording


async def test_what_cannot_be_repaired_is_left_for_a_human(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext, room: RoomName
) -> None:
    row = await installation.add_row(ACTIVE, room=room)
    installation.make_folder(row)
    recorders.recover_error = FAULT
    await RecordingSupervisor(context, row.id, row.lease).supervise()
    after = await installation.row(row)
    assert (after.state, after.error_code) == (RecordingState.FAILED, RecordingFault.MEDIA_LOST)
    assert after.error == FAULT.message
    assert recorders.calls["recover", row.id] == 3
    assert installation.folder(row).exists()


async def test_a_repair_that_fails_once_is_tried_again(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext, room: RoomName
) -> None:
    row = await installation.add_row(ACTIVE, room=room)
    recorders.finish(row, EndReason.CRASHED)
    recorders.recover_error = FAULT
    supervising = asyncio.ensure_future(RecordingSupervisor(context, row.id, row.lease).supervise())
    await recorders.was_called("recover", row)
    recorders.recover_error = None
    await supervising
    assert (await installation.row(row)).state is RecordingState.COMPLETE


async def test_a_recording_that_was_given_up_ends_its_recorder(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext, room: RoomName
) -> None:
    row = await installation.add_row(RecordingState.ABORTED, room=room)
    recorders.record(row)
    supervising = asyncio.ensure_future(RecordingSupervisor(context, row.id, row.lease).supervise())
    await recorders.was_called("request_stop", row)
    recorders.finish(row)
    await supervising
    assert (await installation.row(row)).state is RecordingState.ABORTED
    assert installation.file(row).exists(), "it is stopped, not erased"


async def test_what_one_that_lost_its_lease_writes_is_refused(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext, room: RoomName
) -> None:
    """As in a data directory that was cloned: the other worker records on."""
    row = await installation.add_row(ACTIVE, room=room, lease_owner="another")
    recorders.finish(row, EndReason.CRASHED)
    await RecordingSupervisor(context, row.id, Lease(row.id, installation.owner, row.lease_epoch)).supervise()
    assert await installation.row(row) == row
    assert installation.file(row).exists(), "it is kept, as everything that is not marked as deleted"


async def test_an_index_is_written_later(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext, room: RoomName
) -> None:
    row = await installation.add_row(RecordingState.LIMITED_REACHED, room=room)
    recorders.finish(row)
    await RecordingSupervisor(context, row.id, row.lease).write_index(row)
    after = await installation.row(row)
    assert (after.state, after.size_bytes, after.duration_s) == (row.state, 5, 4.0)


async def test_a_late_index_does_not_bring_a_deleted_recording_back(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext, room: RoomName
) -> None:
    row = await installation.add_row(RecordingState.LIMITED_REACHED, room=room)
    recorders.finish(row)
    await installation.store.write(lambda tx: tx.recordings.mark_deleted([row.id], now_ms=now_ms()))
    await RecordingSupervisor(context, row.id, row.lease).write_index(row)
    assert await installation.store.read(lambda tx: tx.recordings.find(row.id)) is None


def test_cpu_per_recorded_second() -> None:
    state = replace(JOINING, metrics=RecorderMetrics(cpu_s=3.0))
    assert cpu_per_second(state) is None
    assert cpu_per_second(replace(state, duration_s=12.0)) == 0.25


@pytest.mark.parametrize(("asked_ms_ago", "least_s", "most_s"), [(3000, 3, 5), (3_600_000, 5, 5), (-60_000, 0, 0)])
async def test_a_stop_that_was_missed_is_passed_on_with_its_age(
    installation: OfflineInstallation,
    recorders: MemoryRecorders,
    context: WorkerContext,
    row: Recording,
    asked_ms_ago: int,
    least_s: float,
    most_s: float,
) -> None:
    """A worker that comes back: at most what was recorded since its last progress, whatever the clocks say."""
    recorders.folder(row.id).mkdir()
    recorders.record(row, duration_s=15.0)
    stopped = replace(
        row,
        state=ENDING,
        duration_s=10.0,
        stop_requested_at_ms=Millis(now_ms() - asked_ms_ago),
        lease_owner=installation.owner,
    )
    await installation.store.write(lambda tx: tx.recordings.update(stopped, only_from=RUNNING))
    async with asyncio.timeout(MINUTE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(RecordingSupervisor(context, row.id, stopped.lease).supervise())
        await recorders.was_called("request_stop", row)
        assert least_s <= recorders.stop_ages_s[row.id] <= most_s
        recorders.finish(row)
