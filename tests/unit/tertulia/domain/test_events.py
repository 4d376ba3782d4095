"""Events say what changed, and hold no secret."""

from __future__ import annotations

from tertulia.domain.access import Role
from tertulia.domain.events import EventKind, participant_event, recording_event
from tertulia.domain.ids import Identity, Millis, RecordingId, RoomName
from tertulia.domain.recordings.recording import Recording, RecordingState


def test_what_is_not_known_is_left_out():
    room, name = RoomName("room"), Identity("Alice")
    event = participant_event(EventKind.PARTICIPANT_JOINED, room, name, role=None)
    assert event.data == {"roomName": "room", "participantName": "Alice"}
    assert participant_event(EventKind.PARTICIPANT_JOINED, room, name, role=Role.VIEWER).data["role"] == "viewer"


def test_a_recording_says_how_far_it_is_and_not_who_makes_it():
    recording = Recording(
        RecordingId("r"), RoomName("room"), "r.mp4", RecordingState.ACTIVE, Millis(1), duration_s=2.0, lease_owner="me"
    )
    assert recording_event(recording).data == {
        "recordingId": "r", "roomName": "room", "status": "ACTIVE", "duration": 2.0,
    }  # fmt: skip
