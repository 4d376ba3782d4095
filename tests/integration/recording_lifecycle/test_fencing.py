"""Who has lost a recording writes nothing of it any more, and no machine's clock decides anything."""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from support import crash_states
from support.memory_recorders import MINUTE_S, MemoryRecorders, worker_context
from support.offline_installation import OfflineInstallation, now_ms, offline_installation
from tertulia.app.worker import worker_lock
from tertulia.domain.ids import Millis, RoomName
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences
from tertulia.services.recordings.leases import LeaseTiming
from tertulia.services.recordings.lost import LostRecordings
from tertulia.services.recordings.supervisor import RecordingSupervisor
from tertulia.services.recordings.worker import RecordingWorker

ACTIVE, COMPLETE, STARTING = RecordingState.ACTIVE, RecordingState.COMPLETE, RecordingState.STARTING
HOUR_MS = 3_600_000


async def taken(installation: OfflineInstallation, row: Recording, *, owner: str) -> Recording:
    return await installation.store.write(
        lambda tx: tx.recordings.take(tx.recordings.lock(row.id) or row, owner=owner, until_ms=tx.now_ms())
    )


async def test_each_taking_raises_the_epoch(installation: OfflineInstallation) -> None:
    await installation.add_row(STARTING, lease_owner=None)
    first = await installation.store.write(lambda tx: tx.recordings.claim(owner="a", until_ms=now_ms()))
    assert first is not None
    second = await taken(installation, first, owner="a")
    third = await taken(installation, first, owner="b")
    assert (first.lease_epoch, second.lease_epoch, third.lease_epoch) == (1, 2, 3)
    assert await installation.row(first) == third
    for old in (first, second):
        assert old.lease is not None
        await installation.store.write(lambda tx, lease=old.lease: tx.recordings.renew([lease], until_ms=Millis(5)))
        assert await installation.row(first) == third
    assert third.lease is not None
    await installation.store.write(lambda tx: tx.recordings.renew([third.lease], until_ms=Millis(5)))
    assert await installation.row(first) == replace(third, lease_until_ms=Millis(5))


@pytest.mark.parametrize("owner", ["the same", "another"])
async def test_what_one_that_lost_its_lease_writes_is_refused(tmp_path: Path, database_url: str, owner: str) -> None:
    """Neither the row nor the stored file changes: a process of the same name may have taken it, or another worker."""
    store = tmp_path / "store"
    async with offline_installation(tmp_path, database_url, recordings_url=str(store)) as installation:
        row = await installation.add_row(ACTIVE)
        crash_states.done(installation, row)
        now = await taken(installation, row, owner=installation.owner if owner == "the same" else owner)
        await RecordingSupervisor(
            installation.dependencies().context(row.lease_owner or ""), row.id, row.lease
        ).supervise()
        assert await installation.row(row) == now
        assert not (store / row.id).exists()
        assert installation.file(row).exists()


class AheadClock:
    """The clock of a machine that nobody has set."""

    def __init__(self, ahead_ms: int) -> None:
        self._ahead_ms = ahead_ms

    def now_ms(self) -> Millis:
        return Millis(now_ms() + self._ahead_ms)


async def test_two_workers_whose_clocks_differ_by_two_hours(installation: OfflineInstallation, tmp_path: Path) -> None:
    """Each starts what it claims, in a room that is over in half an hour, and neither gives up what the other has."""
    soon = Millis(now_ms() + HOUR_MS // 2)
    timing = LeaseTiming(renew_every_s=0.05, abandoned_after_s=0.6, steady_s=0.0)
    rows: list[Recording] = []
    works = []
    recorders = {}
    for owner, ahead_ms in (("behind", -HOUR_MS), ("ahead", HOUR_MS)):
        root = tmp_path / owner
        root.mkdir()
        recorders[owner] = MemoryRecorders(root, installation.changes)
        context = worker_context(installation, recorders[owner], AheadClock(ahead_ms))
        worker = RecordingWorker(replace(context, owner=owner), capacity=1, lease_timing=timing)
        works.append(asyncio.ensure_future(worker.run()))
        room = Room(RoomName(owner), None, Millis(0), soon, None, RoomPreferences(), RoleSecrets("m", "p", "v"))
        await installation.store.write(lambda tx, room=room: tx.rooms.insert(room))
        row = await installation.add_row(
            STARTING, room=owner, lease_owner=None, lease_until_ms=Millis(0), created_at_ms=now_ms()
        )
        installation.changes.notify_claimable()
        await recorders[owner].was_called("start", row)
        recorders[owner].record(row)
        await installation.row_when(row, lambda row: row.state is ACTIVE)
        rows.append(row)
    await asyncio.sleep(1.5)  # nothing happens: that is what is tested
    after = [await installation.row(row) for row in rows]
    for work in works:
        work.cancel()
    await asyncio.gather(*works, return_exceptions=True)
    assert [(row.state, row.lease_owner) for row in after] == [(ACTIVE, "behind"), (ACTIVE, "ahead")]
    for row in after:
        assert 0 < row.lease_until_ms - time.time() * 1000 < MINUTE_S * 1000


async def test_the_databases_clock(installation: OfflineInstallation) -> None:
    before = now_ms()
    shown = await installation.store.read(lambda tx: tx.now_ms())
    assert before - 5 <= shown <= now_ms() + 5


async def test_a_cloned_directory_disturbs_nothing_and_loses_nothing(tmp_path: Path, database_url: str) -> None:
    store = str(tmp_path / "store")
    async with offline_installation(tmp_path / "original", database_url, recordings_url=store) as original:
        row = await original.add_row(ACTIVE)
        crash_states.recording(original, row)
        shutil.copytree(tmp_path / "original", tmp_path / "clone")
        async with offline_installation(tmp_path / "clone", database_url, recordings_url=store) as clone:
            assert clone.owner != original.owner
            part = clone.file(row).with_name(f"{row.filename}.part")
            async with worker_lock(clone.root):
                pass
            await clone.finish()
            assert await original.row(row) == row, "the original records on"
            await original.finish()
            complete = await original.row(row)
            assert (complete.state, complete.lease_owner) == (COMPLETE, original.owner)
            await clone.finish()
            assert part.exists()
            lost = await LostRecordings(clone.dependencies().context(clone.owner)).find()
            assert [(each.id, each.row_state) for each in lost] == [(row.id, COMPLETE)]
            assert await original.row(row) == complete
