import errno
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from support.recorded_file import decoded_seconds
from tertulia_recorder.clock import monotonic_us
from tertulia_recorder.composing import Composing, ComposingCallbacks
from tertulia_recorder.folder import RecordingFolder
from tertulia_recorder.ids import Millis, RecordingId, RoomName
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
    composing.finish(monotonic_us())
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
    composing.finish(monotonic_us())
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
    composing.finish(monotonic_us())
    assert isinstance(composing.failure, ArithmeticError)
    assert composing.publish_file(FINISHING).duration_s > 0
    folder.close()


def test_what_never_started_has_no_file(folder: RecordingFolder):
    composing = Composing(folder, MediaBuffer(), Callbacks().all())
    composing.finish(monotonic_us())
    assert composing.publish_file(FINISHING) == FINISHING
    assert RecordingPreset.HD_720P30 is folder.job.preset
    folder.close()


@pytest.mark.measures_time
@pytest.mark.parametrize("before_start", [False, True])
def test_what_is_after_the_end_is_not_in_the_file(folder: RecordingFolder, before_start: bool):
    """A stop may be told when the file is further: half a second ago, or before it began."""
    callbacks = Callbacks()
    composing = Composing(folder, MediaBuffer(), callbacks.all())
    started_at_us = composing.start()._timeline.start_us
    for _ in range(40):
        assert callbacks.frames.acquire(timeout=30)
    composing.finish(started_at_us - 1 if before_start else started_at_us + 500_000)
    state = composing.publish_file(replace(FINISHING, started_at_ms=Millis(1)))
    if before_start:
        assert (state.file_name, state.bytes, state.started_at_ms) == (None, 0, None)
        assert not folder.part.exists()
    else:
        assert state.duration_s == pytest.approx(0.5, abs=0.06)
        assert decoded_seconds(folder.final) == pytest.approx(0.5, abs=0.06)
        assert not state.needs_remux
    folder.close()
