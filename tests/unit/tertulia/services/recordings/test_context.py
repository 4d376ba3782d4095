"""What a recorder is told by the rules of its installation."""

from __future__ import annotations

from dataclasses import replace

from tertulia.domain.ids import Millis, RecordingId, RoomName
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.services.recordings.context import RecordingRules
from tertulia_recorder.job import RecorderJob, RecordingPreset

ROW = Recording(RecordingId("r"), RoomName("room"), "r.mp4", RecordingState.STARTING, Millis(0))
RULES = RecordingRules(
    media_url="ws://media",
    preset=RecordingPreset.AUDIO,
    max_duration_s=60,
    max_bytes=1000,
    min_free_bytes=10,
    empty_timeout_s=5,
)


def test_a_job_has_all_rules() -> None:
    assert RULES.job(ROW) == RecorderJob(
        recording_id=RecordingId("r"), room_name=RoomName("room"), media_url="ws://media", file_name="r.mp4",
        preset=RecordingPreset.AUDIO, max_duration_s=60, max_bytes=1000, min_free_bytes=10, empty_timeout_s=5,
    )  # fmt: skip


def test_a_preset_of_its_own_wins() -> None:
    own = replace(ROW, preset=RecordingPreset.FULL_HD_1080P30)
    assert RULES.job(own).preset is RecordingPreset.FULL_HD_1080P30


def test_no_empty_timeout_at_all_is_a_very_short_one() -> None:
    """0 is an allowed setting; a recorder that joins needs an instant to see who is there."""
    assert replace(RULES, empty_timeout_s=0).job(ROW).empty_timeout_s == 0.1
