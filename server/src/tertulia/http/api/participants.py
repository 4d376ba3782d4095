"""Participants over HTTP, for both base paths."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from tertulia.domain.access import Action, Role
from tertulia.domain.ids import Identity
from tertulia.domain.participants import LiveParticipant, LivePublication, name_problem
from tertulia.http.api.authentication import PARTICIPANT_COOKIE, Credentials, set_cookie
from tertulia.http.kit.operations import (
    ROOM_IN_PATH,
    ROOM_IN_QUERY,
    ROOM_OF_TOKEN,
    Handler,
    Operation,
    OperationRequest,
    many,
    nothing,
    one,
)
from tertulia.http.kit.responses import JsonResponse, no_content
from tertulia.http.kit.validation import Body, NotNull, Query
from tertulia.services.participants import LinkRequest, ParticipantService, TokenRequest

_TAG: Final = "Internal API - Participant"
_COOKIE_MAX_AGE_S: Final = 6 * 3600


def _participant_name(value: str) -> str:
    problem = name_problem(value)
    if problem is not None:
        raise PydanticCustomError("participant_name", "{problem}", {"problem": problem})
    return value


ParticipantName = Annotated[str, AfterValidator(_participant_name)]


class MeetingLink(Body):
    """What a link to a meeting says."""

    roomName: str = Field(description="The name of the room.")
    secret: str = Field(description="The secret from the room's link.")


class LinkRole(BaseModel):
    """The role of a participant who joins with that link."""

    role: Role


class TokenOptions(Body):
    """Who wants to join which room, with the secret of the link."""

    roomName: str = Field(description="The name of the room to join.")
    participantName: ParticipantName = Field(description="The name of the participant.")
    secret: str = Field(description="The secret from the room's link.")
    lobbyTicket: Annotated[str | None, NotNull] = Field(
        default=None, max_length=100, description="An addition: the ticket of a guest who was let in from the lobby."
    )

    def identity(self) -> Identity:
        """Translate the name to the domain."""
        return Identity(self.participantName)


class Token(BaseModel):
    """A participant's token: a LiveKit access token."""

    token: str | None = None


def _role(value: object) -> object:
    return Role(value) if isinstance(value, str) and value in set(Role) else value


class RoleChange(Body):
    """What a participant is to be."""

    role: Annotated[Role, BeforeValidator(_role)]


def _one_name(value: str) -> str:
    if not value or "," in value:  # no room's name has a comma: the parameter came twice
        raise PydanticCustomError("one_name", "Expected one name")
    return value


class InRoom(Query):
    """Which room a participant is in."""

    roomName: Annotated[str, AfterValidator(_one_name)] = Field(description="The name of the room.")


class PublishedTrack(BaseModel):
    """A track that a participant publishes."""

    sid: str | None = None
    source: str | None = None
    muted: bool | None = None
    width: int | None = Field(default=None, description="An addition: of a picture, in pixels, if it is known.")
    height: int | None = None
    mimeType: str | None = Field(default=None, description="An addition: the codec, as in `video/VP8`.")


class MeetParticipant(BaseModel):
    """A participant who is in the room."""

    model_config = ConfigDict(use_enum_values=True)

    participantName: str | None = None
    role: Literal["moderator", "publisher", "viewer"] | None = None
    joinedAt: float | None = None
    handRaisedAt: float | None = None
    tracks: list[PublishedTrack] | None = None


def shown_participant(participant: LiveParticipant) -> dict[str, Any]:
    """Show a participant as the API does."""
    shown: dict[str, Any] = {
        "participantName": participant.identity,
        "joinedAt": participant.joined_at_ms,
        "tracks": [_shown_track(track) for track in participant.publications],
    }
    if participant.hand_raised_at_ms is not None:
        shown["handRaisedAt"] = participant.hand_raised_at_ms
    if participant.role is not None:
        shown["role"] = participant.role
    return shown


def _shown_track(track: LivePublication) -> dict[str, Any]:
    known = {"width": track.width, "height": track.height, "mimeType": track.mime_type}
    shown = {"sid": track.sid, "source": track.source, "muted": track.muted}
    return shown | {name: value for name, value in known.items() if value}


class ParticipantHandlers:
    """Translates between HTTP and the participants' service."""

    def __init__(self, *, participants: ParticipantService, credentials: Credentials, secure_cookies: bool) -> None:
        self._participants = participants
        self._credentials = credentials
        self._secure_cookies = secure_cookies

    async def token(self, request: OperationRequest) -> Response:
        """POST /participants/token on the public path: a taken name is no error."""
        return await self._token_response(request, self._participants.token)

    async def token_if_free(self, request: OperationRequest) -> Response:
        """POST /participants/token on the internal path: 409 when another participant has the name."""
        return await self._token_response(request, self._participants.token_if_free)

    async def role(self, request: OperationRequest) -> Response:
        """POST /participants/role: what a link is good for, before the user is asked for a name or a camera."""
        link = request.body_as(MeetingLink)
        role = await self._participants.role_of_link(
            LinkRequest(
                room=link.roomName,
                secret=link.secret,
                logged_in=await self._is_logged_in(request),
                address=request.client_address,
            )
        )
        return JsonResponse({"role": role})

    async def refresh(self, request: OperationRequest) -> Response:
        """POST /participants/token/refresh."""
        return await self._token_response(request, self._participants.refreshed_token)

    async def _token_response(
        self, request: OperationRequest, issue: Callable[[TokenRequest], Awaitable[str]]
    ) -> Response:
        options = request.body_as(TokenOptions)
        token = await issue(
            TokenRequest(
                room=options.roomName,
                identity=options.identity(),
                secret=options.secret,
                lobby_ticket=options.lobbyTicket,
                presented_token=self._credentials.participant_token(request),
                logged_in=await self._is_logged_in(request),
                address=request.client_address,
            )
        )
        response = JsonResponse({"token": token})
        secure = self._secure_cookies
        set_cookie(response, PARTICIPANT_COOKIE, token, path="/", max_age_s=_COOKIE_MAX_AGE_S, secure=secure)
        return response

    async def _is_logged_in(self, request: OperationRequest) -> bool:
        has_credentials = request.headers.get("authorization") or request.headers.get("cookie")
        return bool(has_credentials) and await self._credentials.logged_in(request)

    async def disconnect(self, request: OperationRequest) -> Response:
        """DELETE /participants/{participantName}."""
        room, name = request.query_as(InRoom).roomName, request.path_params["participantName"]
        await self._participants.disconnect(room, Identity(name))
        return no_content()

    async def list_all(self, request: OperationRequest) -> Response:
        """GET /rooms/{roomName}/participants."""
        participants = await self._participants.in_room(request.path_params["roomName"])
        return JsonResponse([shown_participant(participant) for participant in participants])

    async def mute(self, request: OperationRequest) -> Response:
        """POST /rooms/{roomName}/participants/{participantName}/mute."""
        room, name = request.path_params["roomName"], request.path_params["participantName"]
        await self._participants.mute(room, Identity(name))
        return no_content()

    async def change_role(self, request: OperationRequest) -> Response:
        """PUT /rooms/{roomName}/participants/{participantName}."""
        room, name = request.path_params["roomName"], request.path_params["participantName"]
        changed = await self._participants.change_role(room, Identity(name), request.body_as(RoleChange).role)
        return JsonResponse(shown_participant(changed))


def in_room_operations(participants: ParticipantHandlers) -> list[Operation]:
    """List what can be done with the participants in a room; the same on both base paths."""
    path = "/rooms/{roomName}/participants"
    return [
        Operation(
            id="getParticipants", method="GET", path=path, action=Action.LIST_PARTICIPANTS, room=ROOM_IN_PATH,
            handle=participants.list_all, summary="List who is in a room", tag=_TAG, is_addition=True,
            responses=many("Who is in", MeetParticipant, 401, 403, 404, 503),
        ),
        Operation(
            id="changeParticipantRole", method="PUT", path=f"{path}/{{participantName}}", action=Action.CHANGE_ROLE,
            room=ROOM_IN_PATH, handle=participants.change_role, body=RoleChange, is_addition=True,
            summary="Change a participant's role, at once and for when it comes back", tag=_TAG,
            responses=one("The participant as it is now", MeetParticipant, 401, 403, 404, 413, 415, 422, 503),
        ),
        Operation(
            id="muteParticipant", method="POST", path=f"{path}/{{participantName}}/mute",
            action=Action.MUTE_PARTICIPANT, room=ROOM_IN_PATH, handle=participants.mute, is_addition=True,
            summary="Mute a participant's microphone; only the participant can unmute it", tag=_TAG,
            responses=nothing("The microphone is off", 401, 403, 404, 503),
        ),
    ]  # fmt: skip


def link_operation(participants: ParticipantHandlers) -> Operation:
    """Describe how the page asks what a link is good for."""
    return Operation(
        id="getRoleOfLink", method="POST", path="/participants/role", action=Action.LOOK_AT_LINK,
        handle=participants.role, body=MeetingLink, summary="Tell the role of a participant who joins with a link",
        tag=_TAG, responses=one("The role", LinkRole, 401, 403, 404, 413, 415, 422, 429),
    )  # fmt: skip


def token_operation(handle: Handler, *refusals: int) -> Operation:
    """Describe how a participant gets a token; `refusals` are what this base path adds."""
    statuses = sorted({401, 403, 404, 413, 415, 422, 429, *refusals})
    return Operation(
        id="generateParticipantToken", method="POST", path="/participants/token", action=Action.TAKE_TOKEN,
        handle=handle, summary="Generate a token for a participant", tag=_TAG, body=TokenOptions,
        responses=one("The token, and its cookie", Token, *statuses, headers=("Set-Cookie",)),
    )  # fmt: skip


def refresh_operation(participants: ParticipantHandlers) -> Operation:
    """Describe how a participant gets a new token for one that has run out: the service compares it with the body."""
    statuses = (401, 403, 404, 409, 413, 415, 422, 429, 503)
    return Operation(
        id="refreshParticipantToken", method="POST", path="/participants/token/refresh", action=Action.REFRESH_TOKEN,
        room=ROOM_OF_TOKEN, handle=participants.refresh, body=TokenOptions, tag=_TAG,
        summary="Refresh the token of a participant whose own has run out",
        responses=one("The token, and its cookie", Token, *statuses, headers=("Set-Cookie",)),
    )  # fmt: skip


def disconnect_operation(participants: ParticipantHandlers, summary: str, *refusals: int) -> Operation:
    """Describe how a participant is disconnected; who may do that differs between the base paths."""
    return Operation(
        id="disconnectParticipant", method="DELETE", path="/participants/{participantName}",
        action=Action.DISCONNECT_PARTICIPANT, room=ROOM_IN_QUERY, handle=participants.disconnect, query=InRoom,
        summary=summary, tag=_TAG,
        responses=nothing("The participant is disconnected", *refusals),
    )  # fmt: skip
