"""Real recorder processes as the worker starts, observes and ends them, with no media server to join."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.offline_installation import MEDIA_URL
from support.recording_server import until_found
from tertulia.adapters.recorder.process import RecorderProcesses
from tertulia.domain.ids import RecordingId, RoomName
from tertulia.services.ports import RecorderStatus
from tertulia.services.recordings.changes import RecordingChanges
from tertulia_recorder.job import JOB_FILE, STATE_FILE, EndReason, RecorderJob, RecorderPhase, RecorderState

ID = RecordingId("r")
DEADLINE_S = 60.0


def job(*, start_timeout_s: float = 60.0) -> RecorderJob:
    return RecorderJob(
        recording_id=ID, room_name=RoomName("r"), media_url=MEDIA_URL, file_name="r.mp4",
        start_timeout_s=start_timeout_s,
    )  # fmt: skip


class Observed:
    """Recorder processes, and waiting for their changes by nothing but the wake-ups."""

    def __init__(self, root: Path) -> None:
        self.changes = RecordingChanges()
        self.recorders = RecorderProcesses(root, on_change=self.changes.notify)

    async def ended(self) -> RecorderStatus:
        return await self.when(lambda status: not status.is_alive)

    async def when(self, condition) -> RecorderStatus:
        with self.changes.watch(ID) as wakeup:
            async with asyncio.timeout(DEADLINE_S):
                while not condition(status := await self.recorders.status(ID)):
                    await wakeup.wait(2 * DEADLINE_S)
        return status


@pytest.fixture
async def observed(tmp_path: Path) -> AsyncIterator[Observed]:
    made = Observed(tmp_path)
    yield made
    await made.recorders.kill(ID)
    await until_found("the recorder has gone", lambda: not made.recorders._status(ID).is_alive)


async def test_the_lock_is_held_from_before_the_recorder_lives(observed: Observed, tmp_path: Path) -> None:
    """A server that looks at a folder whose recorder has only just been started must not take it for dead."""
    await observed.recorders.start(job(start_timeout_s=0.5), "no-token")
    successor = RecorderProcesses(tmp_path, on_change=lambda _: None)
    assert (await successor.status(ID)).is_alive
    await observed.ended()
    state = await observed.recorders.recover(ID)
    assert state is not None
    assert state.reason is EndReason.START_FAILED


async def test_each_state_wakes_the_worker(observed: Observed) -> None:
    await observed.recorders.start(job(), "no-token")
    joining = await observed.when(lambda status: status.state is not None)
    assert joining.state is not None
    assert (joining.is_alive, joining.state.phase) == (True, RecorderPhase.JOINING)
    await observed.recorders.request_stop(ID)
    ended = await observed.ended()
    assert ended.state is not None
    assert (ended.state.phase, ended.state.reason) == (RecorderPhase.DONE, EndReason.STOPPED)


@pytest.mark.parametrize("is_frozen", [False, True])
async def test_a_killed_recorder_wakes_the_worker(observed: Observed, is_frozen: bool) -> None:
    await observed.recorders.start(job(), "no-token")
    status = await observed.when(lambda status: status.state is not None)
    assert status.state is not None
    if is_frozen:
        os.kill(status.state.pid, signal.SIGSTOP)
    await observed.recorders.kill(ID)
    ended = await observed.ended()
    assert ended.state is not None
    assert ended.state.phase is RecorderPhase.JOINING


async def test_a_recorder_outlives_its_worker(observed: Observed, tmp_path: Path) -> None:
    """Another worker has no pipe to it: it sees the lock and the state, and its signals arrive."""
    await observed.recorders.start(job(), "no-token")
    await observed.when(lambda status: status.state is not None)
    child = observed.recorders._children.pop(ID)
    asyncio.get_running_loop().remove_reader(child.pipe_fd)
    os.close(child.pipe_fd)
    successor = RecorderProcesses(tmp_path, on_change=lambda _: None)
    assert (await successor.status(ID)).is_alive
    await successor.request_stop(ID)
    await asyncio.to_thread(child.process.wait, DEADLINE_S)
    status = await successor.status(ID)
    assert not status.is_alive
    assert status.state is not None
    assert status.state.reason is EndReason.STOPPED


async def test_a_recorder_gets_nothing_of_the_environment_but_what_it_needs(
    observed: Observed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It decodes what strangers send: nothing worth stealing is to be within its reach."""
    secrets = (
        "TERTULIA_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "AZURE_STORAGE_KEY",
        "PGPASSWORD",
        "HTTPS_PROXY",
        "ANYTHING",
    )
    for name in secrets:
        monkeypatch.setenv(name, "secret-value")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    await observed.recorders.start(job(), "the-token")
    (child,) = observed.recorders._children.values()
    # empty for the instant in which the system has not written it yet
    environment = await until_found(
        "the recorder's environment", lambda: Path(f"/proc/{child.process.pid}/environ").read_bytes()
    )
    assert b"secret-value" not in environment
    assert b"TZ=Asia/Tokyo" in environment.split(b"\0")
    assert b"the-token" in environment
    assert b"the-token" not in (tmp_path / ID / JOB_FILE).read_bytes()


async def test_a_recorder_is_confined_before_it_joins(observed: Observed) -> None:
    await observed.recorders.start(job(), "no-token")
    status = await observed.when(lambda status: status.state is not None)
    assert status.state is not None
    process = Path(f"/proc/{status.state.pid}")
    shown = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    assert (shown["NoNewPrivs"].strip(), shown["Seccomp"].strip()) == ("1", "2")
    limits = (process / "limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)
    assert re.search(r"Max open files +256 +256 ", limits)


async def test_the_job_is_on_the_disk_before_the_recorder_lives(
    observed: Observed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut, a film without its job could not be repaired."""
    synced: list[str] = []
    real_fsync, real_popen = os.fsync, subprocess.Popen

    def fsync(descriptor: int) -> None:
        real_fsync(descriptor)
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    def popen(*args, **more) -> subprocess.Popen[bytes]:
        synced.append("the recorder lives")
        return real_popen(*args, **more)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(subprocess, "Popen", popen)
    await observed.recorders.start(job(), "no-token")
    folder = tmp_path / ID
    assert synced == [str(folder / JOB_FILE), str(folder), str(tmp_path), "the recorder lives"]


async def test_a_folder_without_a_recorder(observed: Observed, tmp_path: Path) -> None:
    nothing = await observed.recorders.status(ID)
    assert (nothing.exists, nothing.is_alive, nothing.state) == (False, False, None)
    assert await observed.recorders.recover(ID) is None
    assert await observed.recorders.log_tail(ID) == ""
    await observed.recorders.request_stop(ID)
    (tmp_path / ID).mkdir()
    (tmp_path / ID / "log").write_text("x" * 5000 + "the end")
    state = RecorderState(phase=RecorderPhase.DONE, pid=0)
    (tmp_path / ID / STATE_FILE).write_text(state.to_json())
    assert await observed.recorders.recording_ids() == [ID]
    assert await observed.recorders.recover(ID) == state
    assert len(tail := await observed.recorders.log_tail(ID)) == 2000
    assert tail.endswith("the end")
    await observed.recorders.delete_folder(ID)
    assert await observed.recorders.recording_ids() == []
