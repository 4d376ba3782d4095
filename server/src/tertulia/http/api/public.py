"""The public API, `/meet/api/v1`: its operations as one table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.responses import Response

from tertulia.domain.access import PUBLIC
from tertulia.http.api.authentication import SECURITY_SCHEMES, Credentials, PublicAuthenticator
from tertulia.http.api.participants import (
    ParticipantHandlers,
    disconnect_operation,
    in_room_operations,
    token_operation,
)
from tertulia.http.api.recordings import (
    OpenViduMeetRecording,
    RecordingHandlers,
    StartRecording,
    delete_many_operation,
    recording_operations,
    stream_operation,
)
from tertulia.http.api.rooms import RoomHandlers, room_operations
from tertulia.http.kit.api import Api
from tertulia.http.kit.openapi import document
from tertulia.http.kit.operations import Operation

BASE_PATH: Final = "/meet/api/v1"
_ROOM: Final = "OpenVidu Meet - Room"
_RECORDINGS: Final = "OpenVidu Meet - Recordings"


def public_operations(
    *,
    rooms: RoomHandlers,
    participants: ParticipantHandlers,
    meeting: Sequence[Operation],
    recordings: RecordingHandlers,
) -> list[Operation]:
    """List the operations of the public API; `meeting` are those of a running one."""
    return [
        *room_operations(rooms, _ROOM),
        *in_room_operations(participants),
        *meeting,
        token_operation(participants.token),
        disconnect_operation(participants, "Disconnect a participant from a room", 401, 404, 422, 503),
        *recording_operations(
            recordings, _RECORDINGS, shown=OpenViduMeetRecording, start=recordings.start, start_body=StartRecording
        ),
        delete_many_operation(recordings, _RECORDINGS),
        stream_operation(recordings),
    ]


def public_api(
    operations: Sequence[Operation],
    *,
    credentials: Credentials,
    room_of_recording: Callable[[str], Awaitable[str | None]],
    public_url: str,
    docs_page: Response,
) -> Api:
    """Assemble the API of these operations."""
    described = document("Tertulia API", f"{public_url}{BASE_PATH}", operations, PUBLIC, SECURITY_SCHEMES)
    return Api(
        BASE_PATH,
        operations,
        document=described,
        docs_page=docs_page,
        permissions=PUBLIC,
        authenticator=PublicAuthenticator(credentials),
        room_of_recording=room_of_recording,
    )
