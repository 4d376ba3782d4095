"""The internal API, `/meet/internal-api/v1`: what the page and the console use, as a table."""

from __future__ import annotations

from typing import Final

from tertulia.domain.access import Action
from tertulia.http.answers import nothing, one
from tertulia.http.operations import Operation
from tertulia.http.participants import ParticipantHandlers
from tertulia.http.public import in_room_operations, room_operations
from tertulia.http.rooms import RoomHandlers
from tertulia.http.schemas import InRoom, LinkRole, MeetingLink, Token, TokenOptions

BASE_PATH: Final = "/meet/internal-api/v1"
_ROOM: Final = "Internal API - Room"
_PARTICIPANT: Final = "Internal API - Participant"


def internal_operations(*, rooms: RoomHandlers, participants: ParticipantHandlers) -> list[Operation]:
    """List the operations of the internal API."""
    cookie = ("Set-Cookie",)
    return [
        *room_operations(rooms, _ROOM),
        *in_room_operations(participants, _PARTICIPANT),
        Operation(
            "getRoleOfLink", "POST", "/participants/role", Action.LOOK_AT_LINK, participants.role,
            "Tell what somebody who joins with a link will be", _PARTICIPANT,
            one("The role", LinkRole, 401, 403, 404, 413, 415, 422, 429), body=MeetingLink,
        ),
        Operation(
            "generateParticipantToken", "POST", "/participants/token", Action.TAKE_TOKEN, participants.token_if_free,
            "Generate a token for a participant", _PARTICIPANT,
            one("The token, and its cookie", Token, 401, 403, 404, 409, 413, 415, 422, 429, 503, headers=cookie),
            body=TokenOptions,
        ),
        Operation(
            "refreshParticipantToken", "POST", "/participants/token/refresh", Action.REFRESH_TOKEN,
            participants.refresh, "Refresh the token of a participant whose own has run out", _PARTICIPANT,
            one("The token, and its cookie", Token, 401, 403, 404, 409, 413, 415, 422, 429, 503, headers=cookie),
            body=TokenOptions,
        ),
        Operation(
            "disconnectParticipant", "DELETE", "/participants/{participantName}", Action.DISCONNECT_PARTICIPANT,
            participants.disconnect_as_moderator, "Disconnect a participant from your own room", _PARTICIPANT,
            nothing("The participant is disconnected", 401, 403, 404, 422, 503), query=InRoom,
        ),
    ]  # fmt: skip
