"""A server may die between any two steps. Each state that it can leave is made here, and a worker started on it."""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from support import crash_states
from support.offline_installation import OfflineInstallation, now_ms
from support.recording_server import until_found
from tertulia.adapters.recorder.worker_lock import WorkerLock
from tertulia.domain.ids import Millis
from tertulia.domain.recordings.outcomes import RecordingFault, is_lost_machine
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.errors import NotFound
from tertulia.services.recordings.leases import LeaseTiming
from tertulia.services.recordings.lost import LostRecordings
from tertulia_recorder.job import LOCK_FILE

STARTING, ACTIVE, ENDING = RecordingState.STARTING, RecordingState.ACTIVE, RecordingState.ENDING
COMPLETE, ABORTED, FAILED = RecordingState.COMPLETE, RecordingState.ABORTED, RecordingState.FAILED

CASES: list[tuple[RecordingState, Callable[[OfflineInstallation, Recording], None], RecordingState]] = [
    (STARTING, crash_states.claimed, ABORTED),
    (STARTING, crash_states.folder_made, ABORTED),
    (STARTING, crash_states.job_written, ABORTED),
    (STARTING, crash_states.joining, ABORTED),
    (STARTING, crash_states.header_written, ABORTED),
    (STARTING, crash_states.media_before_state, COMPLETE),
    (STARTING, crash_states.recording, COMPLETE),
    (ACTIVE, crash_states.recording, COMPLETE),
    (ENDING, crash_states.recording, COMPLETE),
    (ENDING, crash_states.finishing, COMPLETE),
    (ENDING, crash_states.renamed, COMPLETE),
    (ENDING, crash_states.done, COMPLETE),
    (ACTIVE, crash_states.done, COMPLETE),
    (ENDING, crash_states.media_gone, FAILED),
    (ACTIVE, crash_states.overwritten, FAILED),
]


async def test_every_state_that_a_crash_can_leave(installation: OfflineInstallation) -> None:
    """After any crash: COMPLETE with the reason in `details` where there is a playable file, ABORTED where nothing was
    recorded, FAILED where media is lost."""
    rows = []
    for state, leave, _expected in CASES:
        row = await installation.add_row(state)
        leave(installation, row)
        rows.append(row)
    began_at_s = time.monotonic()
    await installation.finish()
    print(f"{len(CASES)} orphans finished in {time.monotonic() - began_at_s:.1f} s")
    for row, (state, leave, expected) in zip(rows, CASES, strict=True):
        after = await installation.row(row)
        what = f"{state} {leave.__name__}: {after}"
        assert after.state is expected, what
        assert after.ended_at_ms is not None, what
        if expected is COMPLETE:
            assert after.details, what
            assert after.started_at_ms is not None, what
            assert after.duration_s == pytest.approx(installation.duration_s(row), abs=0.01), what  # file-first
            assert after.size_bytes == installation.file(row).stat().st_size, what
        else:
            assert after.error, what
            assert after.error_code is not None, what
        # one-active-recording: the room can record again
        assert await installation.add_row(STARTING, room=row.room)


async def test_finishing_twice_changes_nothing(installation: OfflineInstallation) -> None:
    row = await installation.add_row(ACTIVE)
    crash_states.recording(installation, row)
    await installation.finish()
    first = await installation.row(row)
    await installation.finish()
    assert await installation.row(row) == first


async def test_the_reason_of_a_requested_end_is_kept(installation: OfflineInstallation) -> None:
    row = await installation.add_row(
        ENDING, stop_requested_at_ms=now_ms(), ended_at_ms=now_ms(), details="Stopped using API"
    )
    crash_states.done(installation, row)
    await installation.finish()
    after = await installation.row(row)
    assert (after.state, after.details, after.ended_at_ms) == (COMPLETE, "Stopped using API", row.ended_at_ms)


@pytest.mark.parametrize("state", [None, ABORTED, FAILED])
async def test_media_that_the_database_does_not_know_is_kept_and_can_be_taken_back(
    installation: OfflineInstallation, state: RecordingState | None
) -> None:
    """The database may have been restored to an earlier moment, or be another one than yesterday."""
    row = await installation.add_row(state or ACTIVE)
    crash_states.recording(installation, row)
    if state is None:
        await installation.store.write(lambda tx: tx.recordings.delete([row.id]))
    await installation.finish()
    assert installation.file(row).exists(), "repaired and kept"
    lost = LostRecordings(installation.dependencies().context(installation.owner))
    (found,) = await lost.find()
    assert (found.id, found.room, found.row_state) == (row.id, row.room, state)
    assert found.state is not None
    assert found.state.duration_s == pytest.approx(installation.duration_s(row), abs=0.01)

    await lost.adopt(row.id)
    await installation.finish()
    after = await installation.row(row)
    assert (after.state, after.error, after.size_bytes) == (COMPLETE, None, installation.file(row).stat().st_size)
    assert await lost.find() == []
    with pytest.raises(NotFound):
        await lost.adopt(row.id)


async def test_only_a_mark_of_deletion_deletes_media(installation: OfflineInstallation) -> None:
    row = await installation.add_row(FAILED)
    crash_states.recording(installation, row)
    await installation.store.write(lambda tx: tx.recordings.mark_deleted([row.id], now_ms=now_ms()))
    assert await LostRecordings(installation.dependencies().context(installation.owner)).find() == []
    await installation.finish()
    assert not installation.folder(row).exists()


async def test_what_was_given_up_without_media_leaves_nothing(installation: OfflineInstallation) -> None:
    row = await installation.add_row(ABORTED)
    crash_states.joining(installation, row)
    await installation.finish()
    assert not installation.folder(row).exists()


# ── a worker that runs: every wait below ends by a wake-up, none by a poll ──


async def test_a_machine_that_comes_back_brings_its_recording(installation: OfflineInstallation) -> None:
    """Another worker gave the recording up, so that the room could record again; nothing is lost by that."""
    tomorrow = Millis(now_ms() + 86_400_000)  # clocks may be wrong: only a lease that stands still counts
    row = await installation.add_row(ACTIVE, lease_owner="another", lease_until_ms=tomorrow)
    alive = await installation.add_row(ACTIVE, lease_owner="a-third", lease_until_ms=Millis(0))
    timing = LeaseTiming(renew_every_s=0.1, abandoned_after_s=1.0, steady_s=0.0)
    dependencies = replace(installation.dependencies(), lease_timing=timing)
    async with renewing(installation, alive), installation.working(dependencies):
        await installation.row_when(row, is_lost_machine)
    assert (await installation.row(alive)).state is ACTIVE
    assert await installation.add_row(STARTING, room=row.room)

    crash_states.recording(installation, row)
    await installation.finish()
    after = await installation.row(row)
    assert (after.state, after.error, after.error_code) == (COMPLETE, None, None)


@asynccontextmanager
async def renewing(installation: OfflineInstallation, row: Recording):
    """Renew a recording's lease as long as the block lasts, as a worker of its own would."""
    assert row.lease is not None

    async def renew() -> None:
        for until_ms in itertools.count(1):
            await installation.store.write(
                lambda tx, ms=Millis(until_ms): tx.recordings.renew([row.lease], until_ms=ms)
            )
            await asyncio.sleep(0.05)

    task = asyncio.ensure_future(renew())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_old_start_is_not_begun(installation: OfflineInstallation) -> None:
    row = await installation.add_row(
        STARTING, lease_owner=None, lease_until_ms=Millis(0), created_at_ms=Millis(now_ms() - 60_000)
    )
    async with installation.working():
        after = await installation.row_when(row, lambda row: not row.is_running)
    assert (after.state, after.error_code) == (ABORTED, RecordingFault.NOT_STARTED)


async def test_one_worker_a_folder(installation: OfflineInstallation) -> None:
    """A second process on the same folder waits; when the first dies, it goes on under the same name."""
    lock = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print('ok', flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", lock, installation.root / ".worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    other.stdout.readline()
    row = await installation.add_row(ACTIVE)
    crash_states.recording(installation, row)
    with capture_logs() as logs:
        finishing_all = asyncio.ensure_future(installation.finish())
        await until_found("the worker waits", lambda: [each for each in logs if "waiting for it" in each["event"]])
    assert WorkerLock.acquire(installation.root) is None
    assert (await installation.row(row)).state is ACTIVE
    other.kill()
    other.communicate()
    await finishing_all
    assert (await installation.row(row)).state is COMPLETE


async def test_a_recorder_that_lives_is_watched_not_repaired(installation: OfflineInstallation) -> None:
    row = await installation.add_row(ACTIVE)
    crash_states.recording(installation, row)
    lock = os.open(installation.folder(row) / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    async with installation.working():
        await installation.row_when(row, lambda row: row.duration_s == 2.0)
        assert (await installation.row(row)).state is ACTIVE
        assert installation.file(row).with_name(f"{row.filename}.part").exists()
        os.close(lock)
        after = await installation.row_when(row, lambda row: not row.is_running)
    assert after.state is COMPLETE
