"""The internal API, `/meet/internal-api/v1`: what the page and the console use, as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tertulia.domain.access import Action
from tertulia.http.api.participants import ParticipantHandlers
from tertulia.http.api.public import in_room_operations, recording_operations, room_operations, stream_operation
from tertulia.http.api.recordings import RecordingHandlers
from tertulia.http.api.rooms import RoomHandlers
from tertulia.http.api.schemas import InRoom, LinkRole, MeetingLink, Token, TokenOptions
from tertulia.http.api.schemas_recordings import MeetRecording, StartMeetRecording, StreamTicket, TicketQuery
from tertulia.http.api.sessions import LoggedIn, Login, Profile, SessionHandlers
from tertulia.http.kit.answers import nothing, one
from tertulia.http.kit.operations import Operation

BASE_PATH: Final = "/meet/internal-api/v1"
_ROOM: Final = "Internal API - Room"
_RECORDINGS: Final = "Internal API - Recordings"
_SESSION: Final = "Internal API - Session"
_PARTICIPANT: Final = "Internal API - Participant"


def internal_operations(
    *,
    rooms: RoomHandlers,
    participants: ParticipantHandlers,
    recordings: RecordingHandlers,
    sessions: SessionHandlers,
) -> list[Operation]:
    """List the operations of the internal API."""
    added = [
        *room_operations(rooms, _ROOM),
        *in_room_operations(participants, _PARTICIPANT),
        Operation(
            "getRoleOfLink", "POST", "/participants/role", Action.LOOK_AT_LINK, participants.role,
            "Tell what somebody who joins with a link will be", _PARTICIPANT,
            one("The role", LinkRole, 401, 403, 404, 413, 415, 422, 429), body=MeetingLink,
        ),
        *recording_operations(
            recordings, _RECORDINGS, MeetRecording, (recordings.start_by_either_name, StartMeetRecording)
        ),
        Operation(
            "createStreamTicket", "POST", "/recordings/{recordingId}/stream-ticket", Action.TICKET, recordings.ticket,
            "Get a ticket that opens this one recording's stream for ten minutes", _RECORDINGS,
            one("The ticket", StreamTicket, 401, 403, 404),
        ),
        *_session_operations(sessions),
    ]  # fmt: skip
    return [
        *_given_operations(participants, recordings),
        *(replace(operation, is_addition=True) for operation in added),
    ]


def _given_operations(participants: ParticipantHandlers, recordings: RecordingHandlers) -> list[Operation]:
    cookie = ("Set-Cookie",)
    return [
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
        replace(stream_operation(recordings), query=TicketQuery),
    ]  # fmt: skip


def _session_operations(sessions: SessionHandlers) -> list[Operation]:
    cookie = ("Set-Cookie",)
    return [
        Operation(
            "logIn", "POST", "/auth/login", Action.LOG_IN, sessions.log_in, "Log in to the console", _SESSION,
            one("The session's tokens, and its cookies", LoggedIn, 401, 413, 415, 422, 429, headers=cookie),
            body=Login,
        ),
        Operation(
            "refreshSession", "POST", "/auth/refresh", Action.REFRESH_SESSION, sessions.refresh,
            "Get new tokens for the session; the old refresh token dies", _SESSION,
            one("The session's new tokens, and its cookies", LoggedIn, 401, headers=cookie),
        ),
        Operation(
            "logOut", "POST", "/auth/logout", Action.LOG_OUT, sessions.log_out,
            "Revoke the session and clear its cookies", _SESSION, nothing("No session any more"),
        ),
        Operation(
            "getProfile", "GET", "/auth/profile", Action.PROFILE, sessions.profile, "See who is logged in", _SESSION,
            one("Who is logged in", Profile, 401),
        ),
    ]  # fmt: skip
