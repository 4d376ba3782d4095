"""States of recordings, and their ids."""

from __future__ import annotations

import pytest

from tertulia.domain.ids import Millis, RecordingId, RoomName
from tertulia.domain.recordings.recording import (
    OCCUPYING,
    PLAYABLE,
    RUNNING,
    Recording,
    RecordingState,
    could_be_recording_id,
    recording_names,
)


@pytest.mark.parametrize("state", RecordingState)
def test_a_recording_runs_or_is_over(state: RecordingState) -> None:
    recording = Recording(RecordingId("r"), RoomName("room"), "r.mp4", state, Millis(0))
    assert recording.is_running == (state in RUNNING)
    assert recording.is_playable == (state in PLAYABLE)
    assert not (recording.is_running and recording.is_playable)


def test_a_file_that_waits_for_its_store_does_not_occupy_its_room() -> None:
    assert {RecordingState.ENDING} == RUNNING - OCCUPYING


def test_an_id_is_possible_for_every_room() -> None:
    recording_id, filename = recording_names(RoomName("a-room_1"), "Aa1", "Bb2")
    assert (recording_id, filename) == ("a-room_1--EG_Aa1--Bb2", "a-room_1--Bb2.mp4")
    assert could_be_recording_id(recording_id)


@pytest.mark.parametrize("text", ["", "a/b", "..", "nul\0", "a b", "ü", "x" * 201, "x\n"])
def test_what_cannot_be_an_id(text: str) -> None:
    assert not could_be_recording_id(text)
