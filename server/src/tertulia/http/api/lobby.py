"""The lobby over HTTP, the same on both base paths."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.domain.ids import Identity
from tertulia.domain.lobby import LobbyState
from tertulia.http.api.authentication import Credentials
from tertulia.http.api.participants import ParticipantName
from tertulia.http.kit.operations import ROOM_IN_PATH, Operation, OperationRequest, many, nothing, one
from tertulia.http.kit.responses import JsonResponse, no_content
from tertulia.http.kit.validation import Body
from tertulia.services.lobby import LobbyService
from tertulia.services.participants import LinkRequest, ParticipantService

_TAG: Final = "Lobby"
_PATH: Final = "/rooms/{roomName}/lobby"


class LobbyEntry(Body):
    """Who wants to be let in, with the secret of the link."""

    participantName: ParticipantName = Field(description="The name of the guest.")
    secret: str = Field(description="The secret from the room's link.")


class LobbyQuestion(Body):
    """Which guest asks what was decided."""

    participantName: ParticipantName = Field(description="The name of the guest.")
    lobbyTicket: str = Field(max_length=100, description="The ticket from when the guest entered the lobby.")


class LobbyTicket(BaseModel):
    """What proves that a guest is the one who was let in."""

    lobbyTicket: str


class LobbyDecision(BaseModel):
    """What was decided about a guest."""

    state: Literal["waiting", "admitted", "refused"]


class LobbyGuest(BaseModel):
    """A guest who waits."""

    participantName: str
    waitingSince: float


class LobbyHandlers:
    """Translates between HTTP and the lobby's service."""

    def __init__(self, *, lobby: LobbyService, participants: ParticipantService, credentials: Credentials) -> None:
        self._lobby = lobby
        self._participants = participants
        self._credentials = credentials

    async def enter(self, request: OperationRequest) -> Response:
        """POST /rooms/{roomName}/lobby."""
        room, entry = request.path_params["roomName"], request.body_as(LobbyEntry)
        has_login = await self._credentials.logged_in(request)
        link = LinkRequest(room=room, secret=entry.secret, logged_in=has_login, address=request.client_address)
        await self._participants.role_of_link(link)
        guest = await self._lobby.enter(room, Identity(entry.participantName))
        return JsonResponse({"lobbyTicket": guest.ticket})

    async def state(self, request: OperationRequest) -> Response:
        """POST /rooms/{roomName}/lobby/state: not a GET, since a ticket in a URL would be logged."""
        question = request.body_as(LobbyQuestion)
        name = Identity(question.participantName)
        state = await self._lobby.state(request.path_params["roomName"], name, question.lobbyTicket)
        return JsonResponse({"state": state})

    async def list_waiting(self, request: OperationRequest) -> Response:
        """GET /rooms/{roomName}/lobby."""
        guests = await self._lobby.waiting(request.path_params["roomName"])
        return JsonResponse(
            [{"participantName": guest.identity, "waitingSince": guest.entered_at_ms} for guest in guests]
        )

    async def admit(self, request: OperationRequest) -> Response:
        """PUT /rooms/{roomName}/lobby/{participantName}."""
        return await self._decide(request, LobbyState.ADMITTED)

    async def refuse(self, request: OperationRequest) -> Response:
        """DELETE /rooms/{roomName}/lobby/{participantName}."""
        return await self._decide(request, LobbyState.REFUSED)

    async def _decide(self, request: OperationRequest, state: LobbyState) -> Response:
        room, name = request.path_params["roomName"], request.path_params["participantName"]
        await self._lobby.decide(room, state, Identity(name))
        return no_content()

    async def admit_all(self, request: OperationRequest) -> Response:
        """POST /rooms/{roomName}/lobby/admit-all."""
        await self._lobby.decide(request.path_params["roomName"], LobbyState.ADMITTED)
        return no_content()


def lobby_operations(lobby: LobbyHandlers) -> list[Operation]:
    """List what guests and moderators do with the lobby."""
    usual: dict[str, Any] = {"room": ROOM_IN_PATH, "tag": _TAG, "is_addition": True}
    return [
        Operation(
            id="enterLobby", method="POST", path=_PATH, action=Action.ENTER_LOBBY, handle=lobby.enter,
            body=LobbyEntry, summary="Wait to be let in to a room with a lobby",
            responses=one("The guest's ticket", LobbyTicket, 401, 403, 404, 409, 413, 415, 422, 429, 503), **usual,
        ),
        Operation(
            id="getLobbyState", method="POST", path=f"{_PATH}/state", action=Action.ASK_LOBBY, handle=lobby.state,
            body=LobbyQuestion, summary="Ask what was decided; a guest who stops asking has gone",
            responses=one("What was decided", LobbyDecision, 404, 413, 415, 422), **usual,
        ),
        Operation(
            id="getLobby", method="GET", path=_PATH, action=Action.LIST_LOBBY, handle=lobby.list_waiting,
            summary="List the guests who wait", responses=many("Who waits", LobbyGuest, 401, 403, 404), **usual,
        ),
        Operation(
            id="admitGuest", method="PUT", path=f"{_PATH}/{{participantName}}", action=Action.ADMIT_GUEST,
            handle=lobby.admit, summary="Let a guest in",
            responses=nothing("The guest may take a token", 401, 403, 404), **usual,
        ),
        Operation(
            id="refuseGuest", method="DELETE", path=f"{_PATH}/{{participantName}}", action=Action.REFUSE_GUEST,
            handle=lobby.refuse, summary="Refuse a guest",
            responses=nothing("The guest is told", 401, 403, 404), **usual,
        ),
        Operation(
            id="admitAllGuests", method="POST", path=f"{_PATH}/admit-all", action=Action.ADMIT_ALL_GUESTS,
            handle=lobby.admit_all, summary="Let everyone in who waits",
            responses=nothing("All may take a token", 401, 403, 404), **usual,
        ),
    ]  # fmt: skip
