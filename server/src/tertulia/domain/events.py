"""Events: what changed in this installation, for administrators who look at it live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tertulia.domain.ids import Identity, Millis, RecordingId, RoomName
from tertulia.domain.recordings.recording import Recording


class EventKind(StrEnum):
    """What happened, under the name that the API uses."""

    ROOM_CREATED = "roomCreated"
    ROOM_CHANGED = "roomChanged"
    ROOM_DELETED = "roomDeleted"
    MEETING_STARTED = "meetingStarted"
    MEETING_ENDED = "meetingEnded"
    PARTICIPANT_JOINED = "participantJoined"
    PARTICIPANT_LEFT = "participantLeft"
    PARTICIPANT_CHANGED = "participantChanged"
    RECORDING_CHANGED = "recordingChanged"
    RECORDING_DELETED = "recordingDeleted"
    SETTINGS_CHANGED = "settingsChanged"
    API_KEYS_CHANGED = "apiKeysChanged"


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `data` names what has changed and holds no secret."""

    kind: EventKind
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event in the history. Ids grow, but of two that were written at once the higher may be seen first."""

    id: int
    at_ms: Millis
    event: Event


def room_event(kind: EventKind, room: RoomName) -> Event:
    """Return an event about a room or its meeting."""
    return Event(kind, {"roomName": room})


def participant_event(kind: EventKind, room: RoomName, identity: Identity, **more: object) -> Event:
    """Return an event about a participant of a meeting."""
    known = {name: value for name, value in more.items() if value is not None}
    return Event(kind, {"roomName": room, "participantName": identity, **known})


def recording_event(recording: Recording) -> Event:
    """Return the event of a recording that is as it is now: new, further on, or over."""
    data = {
        "recordingId": recording.id,
        "roomName": recording.room,
        "status": recording.state.value,
        "startDate": recording.started_at_ms,
        "endDate": recording.ended_at_ms,
        "duration": recording.duration_s,
        "size": recording.size_bytes,
        "error": recording.error,
        "details": recording.details,
    }
    return Event(EventKind.RECORDING_CHANGED, {name: value for name, value in data.items() if value is not None})


def recording_deleted(recording_id: RecordingId) -> Event:
    """Return the event of a recording that was deleted."""
    return Event(EventKind.RECORDING_DELETED, {"recordingId": recording_id})
