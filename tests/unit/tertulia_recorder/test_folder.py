import errno
import fcntl
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.disk import fill, may_mount, small_disk
from tertulia_recorder.folder import FolderBusyError, RecordingFolder
from tertulia_recorder.ids import RecordingId, RoomName
from tertulia_recorder.job import (
    JOB_FILE,
    LOCK_FILE,
    LOCK_VARIABLE,
    NOTIFY_VARIABLE,
    STOP_FILE,
    RecorderJob,
    RecorderPhase,
    RecorderState,
)

JOB = RecorderJob(
    recording_id=RecordingId("r"), room_name=RoomName("room"), media_url="ws://localhost", file_name="meeting.mp4"
)
STATE = RecorderState(phase=RecorderPhase.JOINING, pid=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / JOB_FILE).write_text(JOB.to_json())
    return tmp_path


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    """Read end and write end; `RecordingFolder` inherits the write end and closes it."""
    read_fd, write_fd = os.pipe()
    monkeypatch.setenv(NOTIFY_VARIABLE, str(write_fd))
    os.set_blocking(read_fd, False)
    yield read_fd, write_fd
    os.close(read_fd)


def test_one_process_at_a_time_owns_a_folder(path: Path):
    folder = RecordingFolder.open(path)
    with pytest.raises(FolderBusyError):
        RecordingFolder.open(path)
    folder.close()
    RecordingFolder.open(path).close()


def test_an_inherited_lock_is_taken_over(path: Path, monkeypatch: pytest.MonkeyPatch):
    lock_fd = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    monkeypatch.setenv(LOCK_VARIABLE, str(lock_fd))
    folder = RecordingFolder.open(path)
    assert LOCK_VARIABLE not in os.environ
    assert not os.get_inheritable(lock_fd)
    folder.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(lock_fd)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"recording_id": "r"}'])
def test_a_folder_without_a_job_is_refused_and_released(path: Path, text: str):
    (path / JOB_FILE).write_text(text)
    with pytest.raises(ValueError, match=r"expect|Expect|not a recorder's job"):
        RecordingFolder.open(path)
    (path / JOB_FILE).write_text(JOB.to_json())
    RecordingFolder.open(path).close()


def test_a_state_is_read_as_it_was_written(path: Path):
    folder = RecordingFolder.open(path)
    assert folder.read_state() is None
    folder.write_state(STATE)
    assert folder.read_state() == STATE
    folder.close()


@pytest.mark.parametrize(("text", "age_s"), [("", 0), ("2.5", 2.5), ("-1", 0), ("nan", 0), ("inf", 0), ("x" * 99, 0)])
def test_a_stop_file_says_how_long_ago(path: Path, text: str, age_s: float):
    folder = RecordingFolder.open(path)
    assert folder.stop_age_s() is None
    (path / STOP_FILE).write_text(text)
    assert folder.stop_age_s() == age_s
    folder.close()


def test_each_new_state_is_notified_with_one_byte_when_it_is_there(path: Path, pipe: tuple[int, int]):
    folder = RecordingFolder.open(path)
    for count in range(3):
        state = RecorderState(phase=RecorderPhase.RECORDING, pid=1, bytes=count)
        folder.write_state(state)
        assert len(os.read(pipe[0], 100)) == 1
        assert folder.read_state() == state
    folder.close()
    assert os.read(pipe[0], 100) == b"", "the pipe ends with the folder's owner"


def test_a_pipe_that_is_not_read_or_closed_does_not_matter(path: Path, pipe: tuple[int, int]):
    folder = RecordingFolder.open(path)
    capacity = fcntl.fcntl(pipe[1], fcntl.F_GETPIPE_SZ)
    assert os.write(pipe[1], bytes(capacity)) == capacity
    with pytest.raises(BlockingIOError):
        os.write(pipe[1], b".")
    folder.write_state(STATE)
    assert folder.read_state() == STATE
    folder.close()


def test_a_worker_that_has_gone_does_not_matter(path: Path, monkeypatch: pytest.MonkeyPatch):
    read_fd, write_fd = os.pipe()
    monkeypatch.setenv(NOTIFY_VARIABLE, str(write_fd))
    folder = RecordingFolder.open(path)
    os.close(read_fd)
    folder.write_state(STATE)
    assert folder.read_state() == STATE
    folder.close()


def test_the_size_of_the_media_is_given_once_it_is_synced(path: Path):
    folder = RecordingFolder.open(path)
    assert folder.sync_media() == 0
    folder.part.write_bytes(bytes(1000))
    assert folder.sync_media() == 1000
    folder.publish()
    assert folder.final.stat().st_size == 1000
    assert not folder.part.exists()
    folder.close()


def test_names_are_synced_with_what_is_new_behind_them(path: Path, monkeypatch: pytest.MonkeyPatch):
    """A power cut must leave neither media without its name nor the state of an earlier phase."""
    synced: list[str] = []
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        real_fsync(descriptor)
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    folder = RecordingFolder.open(path)
    folder.part.write_bytes(bytes(1000))
    monkeypatch.setattr(os, "fsync", fsync)
    folder.sync_media()
    assert synced == [str(folder.part), str(path)]
    synced.clear()
    folder.sync_media()
    assert synced == [str(folder.part)], "the name is there already"
    for phase in (RecorderPhase.RECORDING, RecorderPhase.DONE):
        synced.clear()
        folder.write_state(RecorderState(phase=phase, pid=1))
        assert synced == [str(path / "state.json.new"), str(path)]
        synced.clear()
        folder.write_state(RecorderState(phase=phase, pid=1, duration_s=1))
        assert synced == [str(path / "state.json.new")]
    folder.close()


@pytest.mark.skipif(not may_mount(), reason="small disks cannot be mounted here: root may, in most places")
def test_the_last_state_is_written_on_a_full_disk_and_no_other(tmp_path: Path):
    with small_disk(tmp_path, 1_000_000):
        (tmp_path / JOB_FILE).write_text(JOB.to_json())
        folder = RecordingFolder.open(tmp_path)
        folder.reserve_space()
        recording = RecorderState(phase=RecorderPhase.RECORDING, pid=1)
        folder.write_state(recording)
        fill(tmp_path)
        with pytest.raises(OSError, match="No space left"):
            folder.write_state(replace(recording, duration_s=1))
        fill(tmp_path)  # as the media would, with what a state had left
        done = replace(recording, phase=RecorderPhase.DONE, duration_s=2, details=("The disk was full.",) * 20)
        folder.write_state(done)
        assert folder.read_state() == done
        folder.close()


def test_a_full_disk_without_ballast_is_told(path: Path, monkeypatch: pytest.MonkeyPatch):
    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    folder = RecordingFolder.open(path)
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="no space"):
        folder.write_state(RecorderState(phase=RecorderPhase.DONE, pid=1))
