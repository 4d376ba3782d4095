"""The public API, `/meet/api/v1`: its operations as a table."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel

from tertulia.domain.access import Action
from tertulia.http.api.participants import ParticipantHandlers
from tertulia.http.api.recordings import RecordingHandlers
from tertulia.http.api.rooms import RoomHandlers
from tertulia.http.api.schemas import (
    FieldsQuery,
    InRoom,
    ListRoomsQuery,
    MeetParticipant,
    OpenViduMeetRoom,
    OpenViduMeetRoomOptions,
    RoleChange,
    RoomUpdate,
    Token,
    TokenOptions,
)
from tertulia.http.api.schemas_recordings import (
    ListRecordingsQuery,
    OpenViduMeetRecording,
    RecordingIds,
    RecordingIdsQuery,
    StartRecording,
)
from tertulia.http.kit.answers import errors, many, nothing, one
from tertulia.http.kit.idempotency import HEADER, check_idempotency_key
from tertulia.http.kit.operations import Answer, Handler, Operation
from tertulia.http.kit.ranges import check_range

BASE_PATH: Final = "/meet/api/v1"
_ROOM: Final = "OpenVidu Meet - Room"
_RECORDINGS: Final = "OpenVidu Meet - Recordings"
_PARTICIPANT: Final = "Internal API - Participant"


def room_operations(rooms: RoomHandlers, tag: str) -> list[Operation]:
    """List what can be done with rooms; the same on both base paths."""
    return [
        Operation(
            "createRoom", "POST", "/rooms", Action.CREATE_ROOM, rooms.create, "Create a room", tag,
            one("The room, with a link for each role", OpenViduMeetRoom, 401, 409, 413, 415, 422),
            body=OpenViduMeetRoomOptions, header_names=(HEADER,), check_headers=check_idempotency_key,
        ),
        Operation(
            "getRooms", "GET", "/rooms", Action.LIST_ROOMS, rooms.list_all, "List rooms that have not expired", tag,
            many("The rooms, newest first", OpenViduMeetRoom, 401, 422), query=ListRoomsQuery,
        ),
        Operation(
            "getRoom", "GET", "/rooms/{roomName}", Action.GET_ROOM, rooms.get, "Get a room", tag,
            one("The room", OpenViduMeetRoom, 401, 403, 404), query=FieldsQuery,
        ),
        Operation(
            "updateRoom", "PUT", "/rooms/{roomName}", Action.UPDATE_ROOM, rooms.update,
            "Change what a room allows, also during a meeting", tag,
            one("The room as it is now", OpenViduMeetRoom, 401, 404, 413, 415, 422), body=RoomUpdate,
        ),
        Operation(
            "deleteRoom", "DELETE", "/rooms/{roomName}", Action.DELETE_ROOM, rooms.delete,
            "Delete a room and end its meeting", tag, nothing("The room is gone", 401, 404),
        ),
        Operation(
            "rotateRoomLinks", "POST", "/rooms/{roomName}/rotate-links", Action.ROTATE_LINKS, rooms.rotate_links,
            "Give a room new links; the old ones stop working", tag,
            one("The room with its new links", OpenViduMeetRoom, 401, 404), is_addition=True,
        ),
        Operation(
            "endMeeting", "POST", "/rooms/{roomName}/end", Action.END_MEETING, rooms.end,
            "End the meeting, keep the room", tag, nothing("The meeting is over", 401, 403, 404, 503),
            is_addition=True,
        ),
    ]  # fmt: skip


def in_room_operations(participants: ParticipantHandlers, tag: str) -> list[Operation]:
    """List what can be done with the people in a room; the same on both base paths."""
    return [
        Operation(
            "getParticipants", "GET", "/rooms/{roomName}/participants", Action.LIST_PARTICIPANTS, participants.list_all,
            "List who is in a room", tag, many("Who is in", MeetParticipant, 401, 403, 404, 503), is_addition=True,
        ),
        Operation(
            "changeParticipantRole", "PUT", "/rooms/{roomName}/participants/{participantName}", Action.CHANGE_ROLE,
            participants.change_role, "Change somebody's role, at once and for when they come back", tag,
            one("The participant as it is now", MeetParticipant, 401, 403, 404, 413, 415, 422, 503), body=RoleChange,
            is_addition=True,
        ),
        Operation(
            "muteParticipant", "POST", "/rooms/{roomName}/participants/{participantName}/mute",
            Action.MUTE_PARTICIPANT, participants.mute,
            "Switch off somebody's microphone; only they can switch it on again", tag,
            nothing("The microphone is off", 401, 403, 404, 503), is_addition=True,
        ),
    ]  # fmt: skip


def recording_operations(
    recordings: RecordingHandlers, tag: str, model: type[BaseModel], start: tuple[Handler, type[BaseModel]]
) -> list[Operation]:
    """List what can be done with recordings, shown by `model`; `start` is how this base path asks for one."""
    path = "/recordings/{recordingId}"
    handle_start, start_body = start
    return [
        Operation(
            "createRecording", "POST", "/recordings", Action.START_RECORDING, handle_start,
            "Record a room; answers when the first media is written", tag,
            one("The recording", model, 401, 403, 404, 409, 413, 415, 422, 503), body=start_body,
            header_names=(HEADER,), check_headers=check_idempotency_key,
        ),
        Operation(
            "getRecordings", "GET", "/recordings", Action.LIST_RECORDINGS, recordings.list_all, "List recordings", tag,
            many("The recordings, newest first", model, 401, 403, 422), query=ListRecordingsQuery,
        ),
        Operation(
            "stopRecording", "PUT", path, Action.STOP_RECORDING, recordings.stop, "Stop a recording", tag,
            nothing("The recording ends; its file follows", 401, 403, 404, 409),
        ),
        Operation(
            "getRecording", "GET", path, Action.GET_RECORDING, recordings.get, "Get a recording", tag,
            one("The recording", model, 401, 403, 404), query=FieldsQuery,
        ),
        Operation(
            "deleteRecording", "DELETE", path, Action.DELETE_RECORDING, recordings.delete,
            "Delete a recording and its file", tag, nothing("The recording is gone", 401, 403, 404, 409, 503),
        ),
    ]  # fmt: skip


def stream_operation(recordings: RecordingHandlers) -> Operation:
    """Describe how a recording is streamed; the same on both base paths."""
    whole = ("Accept-Ranges", "Content-Length", "ETag")
    return Operation(
        "getRecordingStream", "GET", "/recordings/{recordingId}/stream", Action.STREAM_RECORDING, recordings.stream,
        "Stream a recording, whole or one range of bytes", "Internal API - Recordings",
        {
            200: Answer("The whole file", media_type="video/mp4", headers=whole),
            206: Answer("One range of the file", media_type="video/mp4", headers=(*whole, "Content-Range")),
            **errors(400, 401, 403, 404, 409, 416, 503),
        },
        header_names=("Range", "If-Range"), check_headers=check_range,
    )  # fmt: skip


def public_operations(
    *, rooms: RoomHandlers, participants: ParticipantHandlers, recordings: RecordingHandlers
) -> list[Operation]:
    """List the operations of the public API."""
    return [
        *room_operations(rooms, _ROOM),
        *in_room_operations(participants, _PARTICIPANT),
        Operation(
            "generateParticipantToken", "POST", "/participants/token", Action.TAKE_TOKEN, participants.token,
            "Generate a token for a participant", _PARTICIPANT,
            one("The token, and its cookie", Token, 401, 403, 404, 413, 415, 422, 429, headers=("Set-Cookie",)),
            body=TokenOptions,
        ),
        Operation(
            "disconnectParticipant", "DELETE", "/participants/{participantName}", Action.DISCONNECT_PARTICIPANT,
            participants.disconnect, "Disconnect a participant from a room", _PARTICIPANT,
            nothing("The participant is disconnected", 401, 404, 422, 503), query=InRoom,
        ),
        *recording_operations(recordings, _RECORDINGS, OpenViduMeetRecording, (recordings.start, StartRecording)),
        Operation(
            "deleteMultipleRecordings", "DELETE", "/recordings", Action.DELETE_RECORDINGS, recordings.delete_many,
            "Delete several recordings, all or none", _RECORDINGS,
            nothing("The recordings are gone", 401, 409, 413, 415, 422, 503),
            body=RecordingIds, body_required=False, query=RecordingIdsQuery,
        ),
        stream_operation(recordings),
    ]  # fmt: skip
