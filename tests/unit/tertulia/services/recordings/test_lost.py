"""What counts as a lost recording, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.memory_recorders import JOINING, MemoryRecorders
from support.offline_installation import OfflineInstallation, now_ms
from tertulia.domain.ids import RoomName
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.errors import NotFound
from tertulia.services.recordings.context import WorkerContext
from tertulia.services.recordings.lost import LostRecordings
from tertulia_recorder.job import EndReason, RecorderPhase


@pytest.fixture
def lost(context: WorkerContext) -> LostRecordings:
    return LostRecordings(context)


async def left_behind(
    installation: OfflineInstallation, recorders: MemoryRecorders, context: WorkerContext, state: RecordingState
) -> Recording:
    row = await installation.add_row(state)
    recorders.jobs[row.id] = context.rules.job(row)
    recorders.finish(row)
    return row


@pytest.mark.parametrize("state", [RecordingState.ACTIVE, RecordingState.COMPLETE])
async def test_what_its_row_accounts_for_is_not_lost(
    installation: OfflineInstallation,
    recorders: MemoryRecorders,
    context: WorkerContext,
    lost: LostRecordings,
    state: RecordingState,
) -> None:
    row = await left_behind(installation, recorders, context, state)
    assert await lost.find() == []
    with pytest.raises(NotFound):
        await lost.adopt(row.id)
    assert await installation.row(row) == row


@pytest.mark.parametrize("case", ["it lives", "there is no media", "it is not a recording", "it is deleted"])
async def test_what_cannot_be_taken_back_is_not_lost(
    installation: OfflineInstallation,
    recorders: MemoryRecorders,
    context: WorkerContext,
    lost: LostRecordings,
    case: str,
) -> None:
    row = await left_behind(installation, recorders, context, RecordingState.FAILED)
    assert [each.id for each in await lost.find()] == [row.id]
    if case == "it lives":
        recorders.record(row)
    if case == "there is no media":
        done = replace(JOINING, phase=RecorderPhase.DONE, reason=EndReason.START_FAILED)
        recorders.become(row, done, is_alive=False)
    if case == "it is not a recording":
        del recorders.jobs[row.id]
    if case == "it is deleted":
        await installation.store.write(lambda tx: tx.recordings.mark_deleted([row.id], now_ms=now_ms()))
    assert await lost.find() == []


async def test_its_room_can_be_recorded_meanwhile(
    installation: OfflineInstallation,
    recorders: MemoryRecorders,
    context: WorkerContext,
    lost: LostRecordings,
    room: RoomName,
) -> None:
    """one-active-recording: what is taken back occupies no room."""
    row = await installation.add_row(RecordingState.FAILED, room=room, error="It was lost.", error_code=4)
    recorders.jobs[row.id] = context.rules.job(row)
    recorders.finish(row)
    await installation.add_row(RecordingState.ACTIVE, room=room)
    adopted = await lost.adopt(row.id)
    assert (adopted.state, adopted.error, adopted.lease_owner) == (RecordingState.ENDING, None, installation.owner)
    assert await installation.row(row) == adopted
