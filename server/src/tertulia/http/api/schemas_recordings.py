"""What the two documents say about recordings: two thin representations of one thing."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.http.api.schemas import FieldsQuery, PageQuery
from tertulia.http.kit.validation import Body, NotNull, Query
from tertulia_recorder.job import RecordingPreset

PUBLIC_STATUS: Final = {
    RecordingState.STARTING: "STARTING",
    RecordingState.ACTIVE: "RECORDING",
    RecordingState.ENDING: "STOPPING",
    RecordingState.COMPLETE: "STOPPED",
    RecordingState.LIMITED_REACHED: "STOPPED",
    RecordingState.FAILED: "FAILED",
    RecordingState.ABORTED: "FAILED",
}


class _Start(Body):
    preset: Annotated[Literal["720p30", "1080p30", "audio"] | None, NotNull] = Field(
        default=None, description="Addition: what the file shall hold; without it the server's setting counts."
    )

    @property
    def wanted_preset(self) -> RecordingPreset | None:
        """The preset asked for, if one is."""
        return None if self.preset is None else RecordingPreset(self.preset)


class StartRecording(_Start):
    """Which room to record."""

    roomName: str = Field(description="The name of the room to record.")


class StartMeetRecording(_Start):
    """Which room to record, by either name of the field."""

    roomId: Annotated[str | None, NotNull] = Field(default=None, description="The room to record.")
    roomName: Annotated[str | None, NotNull] = Field(default=None, description="Another name of `roomId`.")

    @model_validator(mode="after")
    def _one_room(self) -> StartMeetRecording:
        if len(self.model_fields_set & {"roomId", "roomName"}) != 1:
            raise PydanticCustomError("one_room", "Send either roomId or roomName")
        return self

    @property
    def room(self) -> str:
        """The room, whichever way it was named."""
        return self.roomId or self.roomName or ""


class RecordingIds(Body):
    """Which recordings to delete."""

    recordingIds: list[str]


class RecordingIdsQuery(Query):
    """Which recordings to delete, in the query instead of the body."""

    recordingIds: str | None = Field(default=None, description="Comma-separated ids; instead of a body.")


class ListRecordingsQuery(FieldsQuery, PageQuery):
    """What of which recordings is wanted."""


class TicketQuery(Query):
    """A ticket in place of a credential."""

    ticket: str | None = Field(default=None, description="A stream ticket: opens this one recording.")


class StreamTicket(BaseModel):
    """A ticket for one recording's stream, good for ten minutes."""

    ticket: str | None = None


class OpenViduMeetRecording(BaseModel):
    """A recording, as the public API shows it."""

    id: str | None = None
    roomName: str | None = None
    outputMode: Literal["COMPOSED"] | None = None
    status: Literal["STARTING", "STARTED", "RECORDING", "STOPPING", "STOPPED", "FAILED"] | None = None
    filename: str | None = None
    startedAt: float | None = None
    endedAt: float | None = None
    duration: float | None = None
    size: float | None = None


class MeetRecording(BaseModel):
    """A recording, as the internal API shows it."""

    recordingId: str | None = None
    roomId: str | None = None
    status: RecordingState | None = None
    filename: str | None = None
    startDate: float | None = None
    endDate: float | None = None
    duration: float | None = None
    size: float | None = None
    errorCode: float | None = None
    error: str | None = None
    details: str | None = None


def public_recording(recording: Recording) -> dict[str, Any]:
    """Show a recording in the public API."""
    return _without_none({
        "id": recording.id,
        "roomName": recording.room,
        "outputMode": "COMPOSED",
        "status": PUBLIC_STATUS[recording.state],
        "filename": recording.filename,
        "startedAt": recording.started_at_ms,
        "endedAt": recording.ended_at_ms,
        "duration": recording.duration_s,
        "size": recording.size_bytes,
    })  # fmt: skip


def meet_recording(recording: Recording) -> dict[str, Any]:
    """Show a recording in the internal API."""
    return _without_none({
        "recordingId": recording.id,
        "roomId": recording.room,
        "status": recording.state,
        "filename": recording.filename,
        "startDate": recording.started_at_ms,
        "endDate": recording.ended_at_ms,
        "duration": recording.duration_s,
        "size": recording.size_bytes,
        "errorCode": recording.error_code,
        "error": recording.error,
        "details": recording.details,
    })  # fmt: skip


def _without_none(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if value is not None}
