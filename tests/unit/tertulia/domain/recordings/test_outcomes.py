"""What a recorder's last state means, for every reason there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tertulia.domain.ids import Millis, RecordingId, RoomName
from tertulia.domain.recordings.outcomes import (
    DETAILS,
    RecordingFault,
    ending,
    lost_with_machine,
    outcome,
    with_progress,
)
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia_recorder.job import EndReason, RecorderPhase, RecorderState

NOW = Millis(1_000_000)
ROW = Recording(RecordingId("r"), RoomName("room"), "r.mp4", RecordingState.ACTIVE, Millis(900_000))
FILE = RecorderState(
    phase=RecorderPhase.DONE, pid=1, started_at_ms=Millis(901_000), ended_at_ms=Millis(950_000),
    duration_s=49.0, bytes=5_000, file_name="r.mp4",
)  # fmt: skip
NOTHING = RecorderState(phase=RecorderPhase.DONE, pid=1)


@pytest.mark.parametrize("reason", EndReason)
def test_with_a_file(reason: EndReason) -> None:
    final = outcome(ROW, replace(FILE, reason=reason), now_ms=NOW)
    limited = reason in {EndReason.LIMIT_DURATION, EndReason.LIMIT_SIZE, EndReason.LIMIT_DISK}
    assert final.state is (RecordingState.LIMITED_REACHED if limited else RecordingState.COMPLETE)
    assert (final.details, final.error, final.error_code) == (DETAILS[reason], None, None)
    assert (final.started_at_ms, final.ended_at_ms) == (901_000, 950_000)
    assert (final.duration_s, final.size_bytes) == (49.0, 5_000)


@pytest.mark.parametrize("reason", [*EndReason, None])
def test_without_a_file(reason: EndReason | None) -> None:
    never_began = outcome(replace(ROW, state=RecordingState.STARTING), replace(NOTHING, reason=reason), now_ms=NOW)
    assert never_began.state is RecordingState.ABORTED
    assert never_began.error
    assert (never_began.ended_at_ms, never_began.size_bytes, never_began.details) == (NOW, None, None)
    had_begun = replace(NOTHING, reason=reason, started_at_ms=Millis(901_000))
    assert outcome(ROW, had_begun, now_ms=NOW).error_code == RecordingFault.MEDIA_LOST


def test_the_requested_reason_comes_first_and_degradations_last() -> None:
    asked = replace(ROW, stop_requested_at_ms=NOW, ended_at_ms=NOW, details="room deleted")
    assert outcome(asked, replace(FILE, reason=EndReason.ROOM_CLOSED), now_ms=NOW).details == "room deleted"
    slow = replace(FILE, reason=EndReason.CRASHED, details=("15 frames a second instead of 30.",))
    assert outcome(asked, slow, now_ms=NOW).details == (
        f"room deleted. {DETAILS[EndReason.CRASHED]}. 15 frames a second instead of 30"
    )


def test_a_recording_is_active_only_with_media() -> None:
    row = replace(ROW, state=RecordingState.STARTING)
    assert with_progress(row, replace(NOTHING, phase=RecorderPhase.JOINING)) == row
    assert with_progress(row, FILE).state is RecordingState.ACTIVE
    stopped = replace(row, stop_requested_at_ms=NOW)
    assert with_progress(stopped, FILE).state is RecordingState.STARTING
    assert ending(row, FILE).state is RecordingState.ENDING


def test_a_lost_machine_that_comes_back() -> None:
    lost = lost_with_machine(ROW, NOW)
    assert (lost.state, lost.error_code) == (RecordingState.FAILED, RecordingFault.MACHINE_LOST)
    back = outcome(lost, replace(FILE, reason=EndReason.EMPTY), now_ms=NOW)
    assert (back.state, back.error, back.ended_at_ms) == (RecordingState.COMPLETE, None, 950_000)
