"""The file at every instant: written, torn anywhere, repaired, measured."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tertulia.domain.ids import RecordingId, RoomName
from tertulia_recorder.drawing.layout import Rect, Size
from tertulia_recorder.drawing.planes import Canvas, yuv
from tertulia_recorder.folder import FolderBusyError, RecordingFolder
from tertulia_recorder.job import (
    JOB_FILE,
    EndReason,
    RecorderJob,
    RecorderMetrics,
    RecorderPhase,
    RecorderState,
    RecordingPreset,
)
from tertulia_recorder.pipeline.muxer import FORMATS, Format, Muxer
from tertulia_recorder.repair.mp4 import (
    GrowingFile,
    NothingRecordedError,
    cut_torn_tail,
    is_finalised,
    measure,
    repair,
)
from tertulia_recorder.repair.recovery import recover
from tertulia_recorder.units import AUDIO_BLOCK

FORMAT = Format(Size(160, 90), 30)
JOB = RecorderJob(
    recording_id=RecordingId("r"), room_name=RoomName("room"), media_url="ws://127.0.0.1:1", file_name="a.mp4"
)


def write(muxer: Muxer, seconds: float, *, video: bool = True) -> None:
    canvas = Canvas(Size(160, 90), yuv(0, 0, 0))
    noise = np.random.default_rng(1)
    sample = 0
    for tick in range(round(seconds * 30)):
        if video:
            canvas.fill(Rect(tick * 2 % 150, 10, 8, 8), yuv(255, 0, 0))
            muxer.write_video(av.VideoFrame.from_numpy_buffer(canvas.buffer, "yuv420p"), tick)
        while sample + AUDIO_BLOCK <= (tick + 1) * 1600:
            muxer.write_audio(noise.integers(-3000, 3000, (AUDIO_BLOCK, 2), np.int16), sample)
            sample += AUDIO_BLOCK


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a file of 5 s in the middle of being written."""
    path = tmp_path_factory.mktemp("running") / "x.part"
    muxer = Muxer(path, FORMAT)
    write(muxer, 5)
    data = path.read_bytes()
    muxer.close()
    return data


def decoded_seconds(path: Path) -> float:
    with av.open(str(path), mode="r") as container:
        return len(list(container.decode(video=0))) / 30


def test_a_finished_file_is_plain_and_whole(tmp_path: Path):
    path = tmp_path / "a.mp4"
    with Muxer(path, FORMAT) as muxer:
        write(muxer, 3)
    assert is_finalised(path)
    assert measure(path).duration_s == pytest.approx(3, abs=0.1)
    assert decoded_seconds(path) == pytest.approx(3)


@pytest.mark.parametrize("seconds", [1.0, 1.9, 2.1, 3.4, 5.0])
def test_what_was_written_is_in_the_file(tmp_path: Path, seconds: float):
    """All but the last second, at any instant: a kill loses this and what waits for its time (a quarter second)."""
    path = tmp_path / "a.part"
    muxer = Muxer(path, FORMAT)
    write(muxer, seconds)
    left = tmp_path / "left.mp4"
    left.write_bytes(path.read_bytes())
    muxer.close()
    said_s = GrowingFile(left).playable_s()
    assert repair(left, left).duration_s == pytest.approx(said_s, abs=0.05)
    assert decoded_seconds(left) > seconds - 1
    assert said_s > seconds - 1


@pytest.mark.parametrize("video", [True, False])
def test_how_much_could_be_played_is_known_while_it_grows(tmp_path: Path, running: bytes, video: bool):
    """File-first: what is said to be there can be played, whatever was written of the next piece."""
    whole = tmp_path / "whole.part"
    if not video:
        with Muxer(whole, FORMATS[RecordingPreset.AUDIO]) as muxer:
            write(muxer, 3, video=False)
            running = whole.read_bytes()
    growing, path = GrowingFile(tmp_path / "growing"), tmp_path / "growing"
    assert growing.playable_s() == 0
    said = [0.0]
    for length in range(0, len(running), 997):
        path.write_bytes(running[:length])
        said.append(growing.playable_s())
        assert said[-1] == GrowingFile(path).playable_s()
    assert said == sorted(said)
    assert len(set(said)) > 3
    assert repair(path, tmp_path / "a.mp4").duration_s == pytest.approx(said[-1], abs=0.05)


def test_sound_alone(tmp_path: Path):
    path = tmp_path / "a.mp4"
    with Muxer(path, FORMATS[RecordingPreset.AUDIO]) as muxer:
        write(muxer, 3, video=False)
    with av.open(str(path), mode="r") as container:
        assert not container.streams.video
        assert container.streams.audio[0].rate == 48_000
    assert measure(path).duration_s == pytest.approx(3, abs=0.1)


def test_frames_that_were_left_out_leave_the_rest_in_its_place(tmp_path: Path):
    path = tmp_path / "a.mp4"
    canvas = Canvas(Size(160, 90), yuv(0, 0, 0))
    with Muxer(path, FORMAT) as muxer:
        for tick in (0, 1, 2, 30, 60, 62):
            muxer.write_video(av.VideoFrame.from_numpy_buffer(canvas.buffer, "yuv420p"), tick)
    with av.open(str(path), mode="r") as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([n / 30 for n in (0, 1, 2, 30, 60, 62)], abs=0.002)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0, 1))
def test_a_file_torn_anywhere_is_repaired_to_all_but_its_last_piece(tmp_path: Path, running: bytes, part: float):
    source, target = tmp_path / "x.part", tmp_path / "x.mp4"
    target.unlink(missing_ok=True)
    kept = int(len(running) * part)
    source.write_bytes(running[:kept])
    try:
        summary = repair(source, target)
    except NothingRecordedError:
        assert part < 0.25
        assert not target.exists()
        return
    assert is_finalised(target)
    assert not source.exists()
    assert summary.bytes == target.stat().st_size
    assert summary.duration_s >= 5 * part - 1.2
    assert decoded_seconds(target) == pytest.approx(summary.duration_s, abs=0.2)


def test_a_file_killed_after_its_last_byte_is_only_renamed(tmp_path: Path):
    source, target = tmp_path / "a.part", tmp_path / "a.mp4"
    with Muxer(source, FORMAT) as muxer:
        write(muxer, 2)
    inode = source.stat().st_ino
    repair(source, target)
    assert target.stat().st_ino == inode
    assert repair(source, target) == measure(target), "again is harmless"


@pytest.mark.parametrize("content", [b"", b"\0", b"garbage" * 1000, b"\0\0\0\x08free"])
def test_what_was_never_a_recording_is_told(tmp_path: Path, content: bytes):
    path = tmp_path / "x.part"
    path.write_bytes(content)
    with pytest.raises(NothingRecordedError):
        repair(path, tmp_path / "x.mp4")
    with pytest.raises(NothingRecordedError):
        cut_torn_tail(tmp_path / "missing")


def test_a_disk_that_is_full_leaves_a_file_that_plays(tmp_path: Path):
    """In a process of its own, which may write 60 kB a file."""
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
import resource
from test_mp4 import *
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
muxer = Muxer(Path({str(tmp_path / "x.part")!r}), FORMAT)
try:
    write(muxer, 20)
except OSError as error:
    print(error.errno)
    os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) == errno.EFBIG, done.stderr
    assert repair(tmp_path / "x.part", tmp_path / "x.mp4").duration_s > 1


def test_job_and_state_survive_json_and_newer_fields():
    assert RecorderJob.from_json(JOB.to_json()) == JOB
    state = RecorderState(
        phase=RecorderPhase.RECORDING,
        pid=3,
        reason=EndReason.LIMIT_DISK,
        details=("a", "b"),
        metrics=RecorderMetrics(cpu_s=1.5),
    )
    assert RecorderState.from_json(state.to_json()) == state
    assert RecorderState.from_json(state.to_json()[:-1] + ', "new": 1}') == state


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"phase": "nonsense", "pid": 1}', '{"recording_id": "x"}'])
def test_unreadable_json_is_a_value_error(text: str):
    for kind in (RecorderJob, RecorderState):
        with pytest.raises(ValueError):  # noqa: PT011 - any sentence will do
            kind.from_json(text)


@pytest.mark.parametrize("name", ["", "../x.mp4", "a/b.mp4", ".hidden"])
def test_a_file_name_cannot_leave_the_folder(name: str):
    with pytest.raises(ValueError, match="file_name"):
        RecorderJob(recording_id=JOB.recording_id, room_name=JOB.room_name, media_url="", file_name=name)


def folder_of(path: Path) -> RecordingFolder:
    (path / JOB_FILE).write_text(JOB.to_json())
    return RecordingFolder.open(path)


def test_a_folder_has_one_recorder(tmp_path: Path):
    folder = folder_of(tmp_path)
    with pytest.raises(FolderBusyError):
        RecordingFolder.open(tmp_path)
    with pytest.raises(FolderBusyError):
        recover(tmp_path)
    folder.close()
    RecordingFolder.open(tmp_path).close()


def test_a_killed_recorders_folder_is_recovered_and_again_harmlessly(tmp_path: Path, running: bytes):
    folder = folder_of(tmp_path)
    folder.write_state(RecorderState(phase=RecorderPhase.RECORDING, pid=1, started_at_ms=1000, duration_s=4.5))  # type: ignore[arg-type]
    folder.part.write_bytes(running[: len(running) * 9 // 10])
    folder.close()
    state = recover(tmp_path)
    assert state.phase is RecorderPhase.DONE
    assert state.reason is EndReason.CRASHED
    assert state.file_name == "a.mp4"
    assert state.duration_s > 3
    assert state.ended_at_ms == 1000 + round(state.duration_s * 1000)
    assert recover(tmp_path) == state


def test_a_recorder_killed_before_anything_was_written_leaves_no_file(tmp_path: Path):
    folder_of(tmp_path).close()
    state = recover(tmp_path)
    assert state.phase is RecorderPhase.DONE
    assert state.file_name is None
    assert state.bytes == 0


def test_a_recorder_killed_between_rename_and_report_loses_nothing(tmp_path: Path):
    folder = folder_of(tmp_path)
    with Muxer(folder.part, FORMAT) as muxer:
        write(muxer, 2)
    folder.write_state(RecorderState(phase=RecorderPhase.FINISHING, pid=1, reason=EndReason.STOPPED))
    folder.publish()
    folder.close()
    state = recover(tmp_path)
    assert state.file_name == "a.mp4"
    assert state.duration_s == pytest.approx(2, abs=0.1)


def test_the_last_state_is_written_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = folder_of(tmp_path)
    folder.load_ballast()
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        if (tmp_path / "ballast").exists():
            raise OSError(errno.ENOSPC, "no space")
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    folder.write_state(RecorderState(phase=RecorderPhase.DONE, pid=1))
    assert folder.read_state() == RecorderState(phase=RecorderPhase.DONE, pid=1)
