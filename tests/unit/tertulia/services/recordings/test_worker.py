"""A worker: how many recordings it carries, and that one that fails harms no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from support.memory_recorders import MINUTE_S, MemoryRecorders, add_room
from support.offline_installation import OfflineInstallation
from tertulia.domain.ids import Millis
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.errors import Unavailable
from tertulia.services.recordings import supervisor, worker
from tertulia.services.recordings.context import WorkerContext
from tertulia.services.recordings.leases import LeaseTiming
from tertulia.services.recordings.worker import RecordingWorker


@pytest.fixture(autouse=True)
def only_wakeups(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (supervisor, worker):
        monkeypatch.setattr(module, "_POLL_S", 2 * MINUTE_S)
    monkeypatch.setattr(worker, "_AFTER_FAILURE_S", 0.0)


def made(context: WorkerContext, *, capacity: int = 1) -> RecordingWorker:
    return RecordingWorker(context, capacity=capacity, lease_timing=LeaseTiming())


@asynccontextmanager
async def running(made: RecordingWorker) -> AsyncIterator[None]:
    working = asyncio.ensure_future(made.run())
    try:
        async with asyncio.timeout(MINUTE_S):
            yield
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def add_unclaimed(installation: OfflineInstallation, room: str) -> Recording:
    name = await add_room(installation, room)
    row = await installation.add_row(RecordingState.STARTING, room=name, lease_owner=None, lease_until_ms=Millis(0))
    installation.changes.notify_claimable()
    return row


async def test_no_more_than_it_can_carry(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext
) -> None:
    async with running(made(context, capacity=2)):
        first, second, third = [await add_unclaimed(installation, name) for name in "abc"]
        await recorders.was_called("start", first)
        await recorders.was_called("start", second)
        assert (await installation.row(third)).lease_owner is None
        recorders.finish(first)
        await recorders.was_called("start", third)
        claimed = await installation.row(third)
    assert claimed.lease_owner == installation.owner
    assert claimed.lease_until_ms > claimed.created_at_ms


async def test_without_capacity_it_claims_nothing(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext
) -> None:
    """It still finishes what is its own."""
    own = await installation.add_row(RecordingState.ACTIVE)
    recorders.finish(own)
    waiting = await add_unclaimed(installation, "room")
    async with running(made(context, capacity=0)):
        await installation.row_when(own, lambda row: not row.is_running)
    assert (await installation.row(waiting)).lease_owner is None


async def test_a_supervisor_that_fails_is_replaced(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext
) -> None:
    row = await installation.add_row(RecordingState.ACTIVE)
    recorders.status_error = ArithmeticError("a defect")
    with capture_logs() as logs:
        async with running(made(context)):
            await recorders.was_called("status", row)
            recorders.status_error = None
            recorders.finish(row)
            after = await installation.row_when(row, lambda row: not row.is_running)
    assert after.state is RecordingState.COMPLETE
    assert any("by a defect" in entry["event"] for entry in logs)
    assert after.lease_epoch == row.lease_epoch + 1, (
        "the process goes on by its lease: a full disk has no room for more"
    )


async def test_a_round_of_repairs_tells_what_it_finished(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext
) -> None:
    crashed = await installation.add_row(RecordingState.ACTIVE)
    lost = await installation.add_row(RecordingState.FAILED, error_code=5, lease_owner="another")
    finished = await installation.add_row(RecordingState.COMPLETE)
    failed = await installation.add_row(RecordingState.FAILED, error_code=4)
    never_joined = await installation.add_row(RecordingState.FAILED, error_code=2)
    for row in (crashed, lost, finished, failed, never_joined):
        recorders.finish(row)
    assert set(await made(context).finish_all()) == {crashed.id, lost.id, failed.id}
    for row in (crashed, lost, failed):
        assert (await installation.row(row)).state is RecordingState.COMPLETE
    assert await installation.row(never_joined) == never_joined


async def test_what_another_worker_records_is_left_to_it(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext
) -> None:
    row = await installation.add_row(RecordingState.ACTIVE, lease_owner="another")
    recorders.finish(row)
    assert await made(context).finish_all() == []
    assert await installation.row(row) == row


async def test_a_repair_that_failed_is_tried_again_by_the_next_round(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext
) -> None:
    """FAILED is not for good while there is a film: the disk may have been full, or a folder not mounted."""
    row = await installation.add_row(RecordingState.ACTIVE)
    recorders.record(row)
    state = recorders.statuses[row.id].state
    recorders.become(row, state, is_alive=False)
    recorders.folder(row.id).mkdir()
    recorders.recover_error = Unavailable("broken", "It is broken")
    assert await made(context).finish_all() == [row.id]
    after = await installation.row(row)
    assert (after.state, after.error) == (RecordingState.FAILED, "It is broken")
    recorders.recover_error = None
    recorders.finish(row)
    assert await made(context).finish_all() == [row.id]
    after = await installation.row(row)
    assert (after.state, after.error, after.ended_at_ms) == (RecordingState.COMPLETE, None, row.created_at_ms + 5000)
    assert installation.file(row).exists()


async def test_a_late_index_needs_room_on_the_disk(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext
) -> None:
    row = await installation.add_row(RecordingState.LIMITED_REACHED)
    recorders.finish(row)
    status = recorders.statuses[row.id]
    assert status.state is not None
    recorders.statuses[row.id] = replace(status, state=replace(status.state, needs_remux=True))
    recorders.free = status.state.bytes - 1
    await made(context).finish_all()
    assert not recorders.calls["recover", row.id]
    recorders.free = status.state.bytes
    await made(context).finish_all()
    assert recorders.calls["recover", row.id]


async def test_one_that_is_to_end_starts_what_it_has_claimed_and_claims_no_more(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext
) -> None:
    async with running(made(context, capacity=2)):
        first = await add_unclaimed(installation, "a")
        await recorders.was_called("start", first)
        settled = asyncio.ensure_future(context.drain.settled())
        second = await add_unclaimed(installation, "b")
        await recorders.was_called("status", first)
        assert not settled.done()
        recorders.record(first)
        await settled
        assert (await installation.row(first)).state is RecordingState.ACTIVE
        assert (await installation.row(second)).lease_owner is None
