import errno
import threading
from pathlib import Path

import pytest

from tertulia_recorder.composing import Composing, ComposingCallbacks
from tertulia_recorder.folder import RecordingFolder
from tertulia_recorder.ids import RecordingId, RoomName
from tertulia_recorder.job import JOB_FILE, RecorderJob, RecorderPhase, RecorderState, RecordingPreset
from tertulia_recorder.media_buffer import MediaBuffer

JOB = RecorderJob(
    recording_id=RecordingId("r"), room_name=RoomName("room"), media_url="ws://127.0.0.1:1", file_name="a.mp4"
)
FINISHING = RecorderState(phase=RecorderPhase.FINISHING, pid=1)


class Callbacks:
    def __init__(self) -> None:
        self.frames, self.failed = threading.Semaphore(0), threading.Event()

    def all(self) -> ComposingCallbacks:
        return ComposingCallbacks(on_layout=lambda *_: None, on_frame=self.frames.release, on_failure=self.failed.set)


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    (tmp_path / JOB_FILE).write_text(JOB.to_json())
    return RecordingFolder.open(tmp_path)


def test_an_empty_meeting_is_recorded_in_real_time(folder: RecordingFolder):
    callbacks = Callbacks()
    composing = Composing(folder, MediaBuffer(), callbacks.all())
    pipeline = composing.start()
    for _ in range(10):
        assert callbacks.frames.acquire(timeout=30)
    composing.finish()
    assert composing.failure is None
    state = composing.publish_file(FINISHING)
    assert state.file_name == "a.mp4"
    assert state.duration_s == pytest.approx(pipeline.position_s, abs=0.1)
    folder.close()


def test_a_disk_that_refuses_is_reported_at_once(folder: RecordingFolder):
    folder.part.symlink_to("/dev/full")
    callbacks = Callbacks()
    composing = Composing(folder, MediaBuffer(), callbacks.all())
    composing.start()
    assert callbacks.failed.wait(30)
    composing.finish()
    assert composing.failure is not None
    assert composing.failure.errno == errno.ENOSPC
    folder.close()


def test_a_defect_is_reported_at_once_and_what_was_recorded_is_kept(
    folder: RecordingFolder, monkeypatch: pytest.MonkeyPatch
):
    callbacks = Callbacks()
    composing = Composing(folder, MediaBuffer(), callbacks.all())
    pipeline = composing.start()
    for _ in range(10):
        assert callbacks.frames.acquire(timeout=30)

    def fail(_now_us: int) -> bool:
        raise ArithmeticError("a defect")

    monkeypatch.setattr(pipeline, "advance", fail)
    assert callbacks.failed.wait(30)
    composing.finish()
    assert isinstance(composing.failure, ArithmeticError)
    assert composing.publish_file(FINISHING).duration_s > 0
    folder.close()


def test_what_never_started_has_no_file(folder: RecordingFolder):
    composing = Composing(folder, MediaBuffer(), Callbacks().all())
    composing.finish()
    assert composing.publish_file(FINISHING) == FINISHING
    assert RecordingPreset.HD_720P30 is folder.job.preset
    folder.close()
