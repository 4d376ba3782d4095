"""The internal API, `/meet/internal-api/v1`: what the page and the console use, as one table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from starlette.responses import Response

from tertulia.domain.access import INTERNAL
from tertulia.http.api.authentication import SECURITY_SCHEMES, Credentials, InternalAuthenticator
from tertulia.http.api.participants import (
    ParticipantHandlers,
    disconnect_operation,
    in_room_operations,
    link_operation,
    refresh_operation,
    token_operation,
)
from tertulia.http.api.recordings import (
    MeetRecording,
    RecordingHandlers,
    StartMeetRecording,
    TicketQuery,
    delete_many_operation,
    recording_operations,
    stream_operation,
    ticket_operation,
)
from tertulia.http.api.rooms import RoomHandlers, room_operations
from tertulia.http.api.sessions import SessionHandlers, session_operations
from tertulia.http.kit.api import Api
from tertulia.http.kit.openapi import document
from tertulia.http.kit.operations import Operation

BASE_PATH: Final = "/meet/internal-api/v1"
_ROOM: Final = "Internal API - Room"
_RECORDINGS: Final = "Internal API - Recordings"


def internal_operations(
    *,
    rooms: RoomHandlers,
    participants: ParticipantHandlers,
    meeting: Sequence[Operation],
    recordings: RecordingHandlers,
    sessions: SessionHandlers,
    console: Sequence[Operation],
) -> list[Operation]:
    """List the operations of the internal API: first those of the given document, then the additions to it.

    `meeting` are those of a running meeting, `console` what only administrators need.
    """
    additions = [
        *room_operations(rooms, _ROOM),
        *in_room_operations(participants),
        *meeting,
        link_operation(participants),
        *recording_operations(
            recordings,
            _RECORDINGS,
            shown=MeetRecording,
            start=recordings.start_by_either_name,
            start_body=StartMeetRecording,
        ),
        delete_many_operation(recordings, _RECORDINGS),
        ticket_operation(recordings, _RECORDINGS),
        *session_operations(sessions),
        *console,
    ]
    return [
        token_operation(participants.token_if_free, 409, 503),
        refresh_operation(participants),
        disconnect_operation(participants, "Disconnect a participant from your own room", 401, 403, 404, 422, 503),
        stream_operation(recordings, query=TicketQuery),
        *(replace(operation, is_addition=True) for operation in additions),
    ]


def internal_api(
    operations: Sequence[Operation],
    *,
    credentials: Credentials,
    room_of_recording: Callable[[str], Awaitable[str | None]],
    public_url: str,
    docs_page: Response,
) -> Api:
    """Assemble the API of these operations."""
    described = document("Tertulia internal API", f"{public_url}{BASE_PATH}", operations, INTERNAL, SECURITY_SCHEMES)
    return Api(
        BASE_PATH,
        operations,
        document=described,
        docs_page=docs_page,
        permissions=INTERNAL,
        authenticator=InternalAuthenticator(credentials),
        room_of_recording=room_of_recording,
    )
