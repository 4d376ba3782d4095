"""A server may die between any two steps. Each state that it can leave is made here, and a worker started on it."""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from support.crafted_worker import Crafted, crafted, ids, media, now_ms
from tertulia.adapters.recorder.process import RecorderProcesses
from tertulia.domain.ids import Millis, RecordingId, RoomName
from tertulia.domain.recordings.outcomes import RecordingFault
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.services.recordings.worker import RecordingWorker
from tertulia_recorder.job import LOCK_FILE, EndReason, RecorderJob, RecorderPhase

STARTING, ACTIVE, ENDING = RecordingState.STARTING, RecordingState.ACTIVE, RecordingState.ENDING
COMPLETE, ABORTED, FAILED = RecordingState.COMPLETE, RecordingState.ABORTED, RecordingState.FAILED


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres").new_database())
    return f"sqlite:///{tmp_path / 'x.db'}"


@pytest.fixture
async def here(database_url: str, tmp_path: Path) -> AsyncIterator[Crafted]:
    async with crafted(tmp_path, database_url) as made:
        yield made


def claimed(_here: Crafted, _row: Recording) -> None:
    """Died after the claim."""


def folder_made(here: Crafted, row: Recording) -> None:
    here.folder(row, job=False)


def job_written(here: Crafted, row: Recording) -> None:
    here.folder(row)


def joining(here: Crafted, row: Recording) -> None:
    here.folder(row)
    here.says(row, RecorderPhase.JOINING, started_at_ms=None)


def header_written(here: Crafted, row: Recording) -> None:
    joining(here, row)
    here.part(row, media()[0][:1000])


def media_before_state(here: Crafted, row: Recording) -> None:
    joining(here, row)
    here.part(row, media()[0])


def recording(here: Crafted, row: Recording) -> None:
    here.folder(row)
    here.part(row, media()[0][:-100])
    here.says(row, RecorderPhase.RECORDING, duration_s=2.0, bytes=1000)


def finishing(here: Crafted, row: Recording) -> None:
    here.folder(row)
    here.part(row, media()[1])
    here.says(row, RecorderPhase.FINISHING, reason=EndReason.STOPPED, duration_s=4.0)


def renamed(here: Crafted, row: Recording) -> None:
    here.folder(row)
    here.finished(row)
    here.says(row, RecorderPhase.FINISHING, reason=EndReason.STOPPED, duration_s=4.0)


def done(here: Crafted, row: Recording) -> None:
    here.folder(row)
    here.finished(row)
    here.says(
        row,
        RecorderPhase.DONE,
        reason=EndReason.EMPTY,
        duration_s=here.duration_s(row),
        bytes=len(media()[1]),
        file_name=row.filename,
        started_at_ms=row.started_at_ms or now_ms(),
    )


def media_gone(here: Crafted, row: Recording) -> None:
    done(here, row)
    (here.root / row.id / row.filename).unlink()


def overwritten(here: Crafted, row: Recording) -> None:
    here.folder(row)
    here.part(row, b"this is no media" * 1000)
    here.says(row, RecorderPhase.RECORDING, duration_s=2.0, bytes=1000)


CASES: list[tuple[RecordingState, Callable[[Crafted, Recording], None], RecordingState]] = [
    (STARTING, claimed, ABORTED),
    (STARTING, folder_made, ABORTED),
    (STARTING, job_written, ABORTED),
    (STARTING, joining, ABORTED),
    (STARTING, header_written, ABORTED),
    (STARTING, media_before_state, COMPLETE),
    (STARTING, recording, COMPLETE),
    (ACTIVE, recording, COMPLETE),
    (ENDING, recording, COMPLETE),
    (ENDING, finishing, COMPLETE),
    (ENDING, renamed, COMPLETE),
    (ENDING, done, COMPLETE),
    (ACTIVE, done, COMPLETE),
    (ENDING, media_gone, FAILED),
    (ACTIVE, overwritten, FAILED),
]


async def test_every_state_that_a_crash_can_leave(here: Crafted) -> None:
    """After any crash: COMPLETE with the reason in `details` where there is a playable file, ABORTED where nothing was
    recorded, FAILED where media is lost."""
    rows = []
    for state, leave, _expected in CASES:
        row = await here.row(state)
        leave(here, row)
        rows.append(row)
    began_at = time.monotonic()
    await here.finish()
    print(f"{len(CASES)} orphans finished in {time.monotonic() - began_at:.1f} s")
    for row, (state, leave, expected) in zip(rows, CASES, strict=True):
        found = await here.found(row)
        what = f"{state} {leave.__name__}: {found}"
        assert found.state is expected, what
        assert found.ended_at_ms is not None, what
        if expected is COMPLETE:
            assert found.details, what
            assert found.started_at_ms is not None, what
            assert found.duration_s == pytest.approx(here.duration_s(row), abs=0.01), what  # file-first
            assert found.size_bytes == (here.root / row.id / row.filename).stat().st_size, what
        else:
            assert found.error, what
            assert found.error_code is not None, what
        # one-active-recording: the room can record again
        assert await here.row(STARTING, room=row.room)


async def test_finishing_twice_changes_nothing(here: Crafted) -> None:
    row = await here.row(ACTIVE)
    recording(here, row)
    await here.finish()
    first = await here.found(row)
    await here.finish()
    assert await here.found(row) == first


async def test_who_asked_for_the_end_is_named(here: Crafted) -> None:
    row = await here.row(ENDING, stop_requested_at_ms=now_ms(), ended_at_ms=now_ms(), details="Stopped using API")
    done(here, row)
    await here.finish()
    found = await here.found(row)
    assert (found.state, found.details, found.ended_at_ms) == (COMPLETE, "Stopped using API", row.ended_at_ms)


async def test_given_up_or_deleted_recordings_leave_nothing(here: Crafted) -> None:
    given_up = await here.row(ABORTED)
    recording(here, given_up)
    await here.finish()
    assert not (here.root / given_up.id).exists()
    assert (await here.found(given_up)).state is ABORTED


async def test_a_folder_without_a_row_is_left_alone(here: Crafted) -> None:
    row = await here.row(COMPLETE)
    done(here, row)
    await here.store.write(lambda tx: tx.recordings.delete([row.id]))
    await here.finish()
    assert (here.root / row.id / row.filename).exists()


async def test_a_machine_that_comes_back_brings_its_recording(here: Crafted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker gave the recording up, so that the room could record again; nothing is lost by that."""
    monkeypatch.setattr("tertulia.services.recordings.worker._STEADY_S", 0.0)
    monkeypatch.setattr("tertulia.services.recordings.worker._RENEW_EVERY_S", 0.1)
    monkeypatch.setattr("tertulia.services.recordings.worker._ABANDONED_AFTER_S", 1.0)
    tomorrow = Millis(now_ms() + 86_400_000)  # clocks may be wrong: only what stands still counts
    row = await here.row(ACTIVE, lease_owner="another", lease_until_ms=tomorrow)
    alive = await here.row(ACTIVE, lease_owner="a-third", lease_until_ms=Millis(0))
    leases = itertools.count(1)
    async with here_working(here):

        async def is_lost() -> bool:
            until_ms = Millis(next(leases))
            await here.store.write(lambda tx: tx.recordings.renew(owner="a-third", until_ms=until_ms))
            return await lost(here, row)

        await until(is_lost)
    assert (await here.found(alive)).state is ACTIVE
    assert await here.row(STARTING, room=row.room)

    recording(here, row)
    await here.finish()
    found = await here.found(row)
    assert (found.state, found.error, found.error_code) == (COMPLETE, None, None)


async def lost(here: Crafted, row: Recording) -> bool:
    found = await here.found(row)
    return found.state is FAILED and found.error_code == RecordingFault.MACHINE_LOST


async def test_nobody_waits_for_an_old_start(here: Crafted) -> None:
    row = await here.row(STARTING, lease_owner=None, lease_until_ms=Millis(0), created_at_ms=Millis(now_ms() - 60_000))
    async with here_working(here):
        await until(lambda: is_over(here, row))
    found = await here.found(row)
    assert (found.state, found.error_code) == (ABORTED, RecordingFault.NOT_STARTED)


async def is_over(here: Crafted, row: Recording) -> bool:
    return not (await here.found(row)).is_running


# ── claims ──


async def test_each_recording_is_claimed_once(here: Crafted) -> None:
    rows = [await here.row(STARTING, lease_owner=None, lease_until_ms=Millis(0)) for _ in range(20)]

    async def claim_all(owner: str) -> list[Recording]:
        got: list[Recording] = []
        misses = 0
        while misses < 5:
            claimed = await here.store.write(lambda tx: tx.recordings.claim(owner=owner, until_ms=now_ms()))
            misses = 0 if claimed is not None else misses + 1
            got += [claimed] if claimed is not None else []
        return got

    claims = await asyncio.gather(*(claim_all(f"worker-{n}") for n in range(4)))
    assert sorted(claim.id for each in claims for claim in each) == sorted(row.id for row in rows)
    for number, mine in enumerate(claims):
        held = await here.store.read(lambda tx, owner=f"worker-{number}": tx.recordings.held(owner))
        assert ids(held) == ids(mine)


async def test_taking_back_and_claiming_exclude_each_other(here: Crafted) -> None:
    for _ in range(10):
        row = await here.row(STARTING, lease_owner=None, lease_until_ms=Millis(0))
        dropped, got = await asyncio.gather(
            here.store.write(lambda tx, row=row: tx.recordings.drop_unclaimed(row.id)),
            here.store.write(lambda tx: tx.recordings.claim(owner="w", until_ms=now_ms())),
        )
        assert dropped == (got is None)


# ── the folder's lock ──


def test_the_lock_is_held_from_before_the_recorder_lives(tmp_path: Path) -> None:
    """A server that looks at a folder whose recorder has only just been started must not take it for dead."""
    launcher = RecorderProcesses(tmp_path)
    job = RecorderJob(
        recording_id=RecordingId("r"), room_name=RoomName("r"), media_url="ws://127.0.0.1:9", file_name="r.mp4",
        start_timeout_s=0.5,
    )  # fmt: skip

    async def run() -> None:
        await launcher.start(job, "no-token")
        assert (await RecorderProcesses(tmp_path).look(job.recording_id)).is_alive
        await until(lambda: has_gone(launcher, job.recording_id))
        state = await launcher.recover(job.recording_id)
        assert state is not None
        assert state.reason is EndReason.START_FAILED

    asyncio.run(run())


async def has_gone(launcher: RecorderProcesses, recording_id: RecordingId) -> bool:
    return not (await launcher.look(recording_id)).is_alive


def test_a_recorder_gets_none_of_our_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_API_KEY", "secret-key")
    launcher = RecorderProcesses(tmp_path)
    job = RecorderJob(
        recording_id=RecordingId("r"), room_name=RoomName("r"), media_url="ws://127.0.0.1:9", file_name="r.mp4"
    )

    async def run() -> bytes:
        await launcher.start(job, "the-token")
        (child,) = launcher._children.values()
        # empty for the instant in which the system has not written it yet
        while not (environment := Path(f"/proc/{child.pid}/environ").read_bytes()):
            await asyncio.sleep(0.01)
        await launcher.kill(job.recording_id)
        await until(lambda: has_gone(launcher, job.recording_id))
        return environment

    environment = asyncio.run(run())
    assert b"secret-key" not in environment
    assert b"the-token" in environment
    assert b"the-token" not in Path(tmp_path, "r", "job.json").read_bytes()


async def test_one_worker_a_folder(here: Crafted) -> None:
    """A second process on the same folder waits; when the first dies, it goes on under the same name."""
    lock = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print('ok', flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", lock, here.root / ".worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    other.stdout.readline()
    row = await here.row(ACTIVE)
    recording(here, row)
    finishing_all = asyncio.ensure_future(here.finish())
    await asyncio.sleep(0.3)
    assert (await here.found(row)).state is ACTIVE
    other.kill()
    other.communicate()
    await finishing_all
    assert (await here.found(row)).state is COMPLETE


async def test_a_recorder_that_lives_is_watched_not_repaired(here: Crafted) -> None:
    row = await here.row(ACTIVE)
    recording(here, row)
    lock = os.open(here.root / row.id / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    async with here_working(here):
        await until(lambda: is_noted(here, row))
        assert (await here.found(row)).state is ACTIVE
        assert (here.root / row.id / f"{row.filename}.part").exists()
        os.close(lock)
        await until(lambda: is_over(here, row))
    assert (await here.found(row)).state is COMPLETE


async def is_noted(here: Crafted, row: Recording) -> bool:
    return (await here.found(row)).duration_s == 2.0


# ── helpers ──


class here_working:  # noqa: N801 - reads as a statement
    """A worker that works as long as the block lasts."""

    def __init__(self, here: Crafted) -> None:
        self._here = here
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.ensure_future(self._work())

    async def _work(self) -> None:
        from tertulia.app.worker import at_work  # noqa: PLC0415 - only here

        async with at_work(self._here.root) as place:
            worker: RecordingWorker = self._here.parts().worker(place)
            await worker.run()

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def until(condition: Callable[[], object], *, within_s: float = 40) -> None:
    deadline = time.monotonic() + within_s
    while not await condition():  # type: ignore[misc]
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
