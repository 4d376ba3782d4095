import errno
import os
import select
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.recorded_file import SMALL
from tertulia_recorder.folder import RecordingFolder
from tertulia_recorder.ids import Millis, RecordingId, RoomName
from tertulia_recorder.job import (
    JOB_FILE,
    NOTIFY_VARIABLE,
    STOP_FILE,
    EndReason,
    RecorderJob,
    RecorderPhase,
    RecorderState,
)
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.pipeline.formats import Format
from tertulia_recorder.pipeline.muxer import Muxer
from tertulia_recorder.pipeline.pipeline import Pipeline
from tertulia_recorder.pipeline.timeline import Timeline
from tertulia_recorder.state_writer import StateWriter

JOB = RecorderJob(
    recording_id=RecordingId("r"),
    room_name=RoomName("room"),
    media_url="ws://127.0.0.1:1",
    file_name="a.mp4",
    min_free_bytes=1,
)
STARTED_AT_MS = Millis(1_700_000_000_000)
SECOND = 1_000_000


class Recording:
    """A state writer on a real folder, and a pipeline in simulated time."""

    def __init__(self, path: Path, notify_fd: int) -> None:
        self.path = path
        self.notify_fd = notify_fd
        self.reasons: list[EndReason] = []
        self.ended_read, self.ended_write = os.pipe()
        self.writer: StateWriter
        self.pipeline: Pipeline

    def start(self, **job: object) -> None:
        (self.path / JOB_FILE).write_text(replace(JOB, **job).to_json())  # type: ignore[arg-type]
        self.folder = RecordingFolder.open(self.path)
        self.writer = StateWriter(self.folder, self._on_end, lambda _age_s: self._on_end(EndReason.STOPPED))
        self.writer.start()

    def record(self, until_us: int, form: Format = SMALL) -> None:
        """Write silence in front of nothing: the muxer's own rhythm of fragments counts."""
        self.pipeline = Pipeline(
            timeline=Timeline(0, form.fps),
            muxer=Muxer(self.folder.part, Format(None, form.fps)),
            media_buffer=MediaBuffer(),
            compositor=None,
            on_layout=lambda *_: None,
        )
        self.writer.follow(self.pipeline, STARTED_AT_MS)
        while self.pipeline.advance(until_us):
            pass
        self.writer.on_frame()

    def next_state(self) -> RecorderState:
        """Wait until the writer notifies, and read what it has written."""
        assert select.select([self.notify_fd], [], [], 30)[0], "no state was written"
        os.read(self.notify_fd, 1)
        state = self.folder.read_state()
        assert state is not None
        return state

    def next_reason(self) -> EndReason:
        assert select.select([self.ended_read], [], [], 30)[0], "nothing ended the recording"
        os.read(self.ended_read, 1)
        return self.reasons[-1]

    def close(self) -> None:
        self.writer.close(lambda state: state)
        self.folder.close()

    def _on_end(self, reason: EndReason) -> None:
        self.reasons.append(reason)
        os.write(self.ended_write, b".")


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recording]:
    read_fd, write_fd = os.pipe()
    monkeypatch.setenv(NOTIFY_VARIABLE, str(write_fd))
    made = Recording(tmp_path, read_fd)
    yield made
    for descriptor in (read_fd, made.ended_read, made.ended_write):
        os.close(descriptor)


def test_it_joins_records_finishes_and_is_done(recording: Recording):
    recording.start()
    assert recording.next_state() == RecorderState(phase=RecorderPhase.JOINING, pid=os.getpid())
    recording.record(5 * SECOND)
    state = recording.next_state()
    assert (state.phase, state.started_at_ms) == (RecorderPhase.RECORDING, STARTED_AT_MS)
    while state.bytes < recording.folder.part.stat().st_size:  # the writer may have looked in between
        state = recording.next_state()
    assert state.duration_s > 1
    assert state.metrics.max_memory_bytes > 1_000_000
    recording.writer.write_finishing(EndReason.STOPPED)
    state = recording.next_state()
    assert (state.phase, state.reason) == (RecorderPhase.FINISHING, EndReason.STOPPED)
    recording.close()
    assert recording.next_state().phase is RecorderPhase.DONE


def test_it_is_not_recording_before_there_is_playable_media(recording: Recording):
    """File-first: a file that has been created is not yet a recording."""
    recording.start()
    recording.next_state()
    recording.record(SECOND // 4)
    assert recording.folder.part.exists()
    assert not select.select([recording.notify_fd], [], [], 0.5)[0]
    recording.close()
    assert recording.next_state().phase is RecorderPhase.DONE


def test_finishing_is_not_taken_back_by_the_next_update(recording: Recording):
    recording.start()
    recording.record(5 * SECOND)
    while recording.next_state().phase is not RecorderPhase.RECORDING:
        pass
    recording.writer.write_finishing(EndReason.EMPTY)
    states = [recording.next_state() for _ in range(3)]
    assert {(state.phase, state.reason) for state in states} == {(RecorderPhase.FINISHING, EndReason.EMPTY)}
    recording.close()


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        ({"max_duration_s": 2.0}, EndReason.LIMIT_DURATION),
        ({"max_bytes": 6_000}, EndReason.LIMIT_SIZE),
        ({"min_free_bytes": 10**18}, EndReason.LIMIT_DISK),
    ],
)
def test_each_limit_ends_the_recording_with_its_reason(recording: Recording, job: dict[str, object], reason: EndReason):
    recording.start(**job)
    recording.record(5 * SECOND)
    assert recording.next_reason() is reason
    recording.close()


def test_within_its_limits_a_recording_goes_on(recording: Recording):
    recording.start(max_duration_s=5.0, max_bytes=50_000)
    recording.next_state()
    recording.record(5 * SECOND)
    for _ in range(2):
        recording.next_state()
    assert recording.reasons == []
    recording.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ArithmeticError("a defect"), EndReason.FAILED),
        (OSError(errno.EIO, "the disk is broken"), EndReason.FAILED),
        (OSError(errno.ENOSPC, "the disk is full"), EndReason.LIMIT_DISK),
    ],
)
def test_a_state_that_cannot_be_written_ends_the_recording_within_3_s(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: EndReason
):
    def fail() -> int:
        raise error

    recording.start()
    monkeypatch.setattr(recording.folder, "sync_media", fail)
    began_at_s = time.monotonic()
    recording.record(5 * SECOND)
    assert recording.next_reason() is reason
    assert time.monotonic() - began_at_s < 3
    recording.close()


def test_a_state_that_cannot_be_written_for_an_instant_does_not_matter(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
):
    fails = iter([True])

    def fail_once() -> int:
        if next(fails, False):
            raise OSError(errno.EIO, "it was only once")
        return sync()

    recording.start()
    sync = recording.folder.sync_media
    monkeypatch.setattr(recording.folder, "sync_media", fail_once)
    recording.next_state()
    recording.record(5 * SECOND)
    assert recording.next_state().phase is RecorderPhase.RECORDING
    assert recording.reasons == []
    recording.close()


def test_a_stop_file_ends_it_while_joining(recording: Recording):
    recording.start()
    (recording.path / STOP_FILE).touch()
    assert recording.next_reason() is EndReason.STOPPED
    recording.close()
