from pathlib import Path

import pytest

from support.recorded_file import SMALL, unfinished_file, write
from tertulia_recorder.folder import FolderBusyError, RecordingFolder
from tertulia_recorder.ids import RecordingId, RoomName
from tertulia_recorder.job import JOB_FILE, EndReason, RecorderJob, RecorderPhase, RecorderState
from tertulia_recorder.pipeline.muxer import Muxer
from tertulia_recorder.repair.mp4 import is_finalised
from tertulia_recorder.repair.recovery import close_file, recover

JOB = RecorderJob(
    recording_id=RecordingId("r"), room_name=RoomName("room"), media_url="ws://127.0.0.1:1", file_name="a.mp4"
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a file of 5 s that is still being written."""
    return unfinished_file(tmp_path_factory.mktemp("running") / "x.part", 5)


def folder_of(path: Path) -> RecordingFolder:
    (path / JOB_FILE).write_text(JOB.to_json())
    return RecordingFolder.open(path)


def test_a_folder_that_a_recorder_has_is_left_alone(tmp_path: Path):
    folder = folder_of(tmp_path)
    with pytest.raises(FolderBusyError):
        recover(tmp_path)
    folder.close()
    recover(tmp_path)


def test_a_finished_file_is_published(tmp_path: Path):
    folder = folder_of(tmp_path)
    with Muxer(folder.part, SMALL) as muxer:
        write(muxer, 2)
    state = close_file(folder, RecorderState(phase=RecorderPhase.FINISHING, pid=1))
    assert (state.file_name, state.needs_remux) == ("a.mp4", False)
    assert state.duration_s == pytest.approx(2, abs=0.1)
    folder.close()


def test_what_cannot_be_finalised_is_published_in_fragments_and_remuxed_later(tmp_path: Path, running: bytes):
    folder = folder_of(tmp_path)
    folder.part.write_bytes(running)
    state = close_file(folder, RecorderState(phase=RecorderPhase.DONE, pid=1, reason=EndReason.LIMIT_DISK))
    assert (state.file_name, state.needs_remux) == ("a.mp4", True)
    folder.write_state(state)
    folder.close()
    recovered = recover(tmp_path)
    assert not recovered.needs_remux
    assert recovered.reason is EndReason.LIMIT_DISK
    assert recovered.duration_s == pytest.approx(state.duration_s, abs=0.05)
    assert is_finalised(tmp_path / "a.mp4")


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
    with Muxer(folder.part, SMALL) as muxer:
        write(muxer, 2)
    folder.write_state(RecorderState(phase=RecorderPhase.FINISHING, pid=1, reason=EndReason.STOPPED))
    folder.publish()
    folder.close()
    state = recover(tmp_path)
    assert state.file_name == "a.mp4"
    assert state.duration_s == pytest.approx(2, abs=0.1)
