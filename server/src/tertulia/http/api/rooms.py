"""Rooms over HTTP, the same on both base paths."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, FailFast, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.domain.ids import LATEST, Millis, RoomName
from tertulia.domain.rooms import (
    MAX_PARTICIPANTS,
    Codec,
    PreferencesChange,
    RoleSecrets,
    Room,
    RoomPreferences,
    codecs_text,
)
from tertulia.http.api.idempotency import HEADER, check_idempotency_key, idempotency_key
from tertulia.http.api.lists import FieldsQuery, ListQuery, list_response, parse_fields
from tertulia.http.kit.operations import (
    LARGE_BODY_BYTES,
    ROOM_IN_PATH,
    Operation,
    OperationRequest,
    many,
    nothing,
    one,
)
from tertulia.http.kit.responses import JsonResponse, no_content
from tertulia.http.kit.validation import Body, NotNull, WholeNumber
from tertulia.services.ports import PageKey
from tertulia.services.rooms import RoomOptions, RoomService


class ChatPreferences(Body):
    """Preferences for the chat in the room."""

    enabled: Annotated[bool, NotNull] = Field(default=True, description="If true, chat messages may be sent.")
    history: Annotated[bool | None, NotNull] = Field(
        default=None,
        description="An addition: if true, those who come later see the messages, until the meeting ends. "
        "On by default, shown where it is off.",
    )
    files: Annotated[bool | None, NotNull] = Field(
        default=None,
        description="An addition: if true, files may be sent in the chat. On by default, shown where it is off.",
    )

    def change(self) -> PreferencesChange:
        """Read what of the chat is to change."""
        said = self.model_fields_set
        return PreferencesChange(
            chat_enabled=self.enabled if "enabled" in said else None,
            chat_history_enabled=self.history if "history" in said else None,
            chat_files_enabled=self.files if "files" in said else None,
        )


class RecordingPreferences(Body):
    """Preferences for recording the room."""

    enabled: Annotated[bool, NotNull] = Field(default=True, description="If true, the meeting may be recorded.")


class VirtualBackgroundPreferences(Body):
    """Preferences for virtual backgrounds in the room."""

    enabled: Annotated[bool, NotNull] = Field(default=True, description="If true, virtual backgrounds may be used.")


class LobbyPreferences(Body):
    """Preferences for the lobby of the room: an addition."""

    enabled: Annotated[bool, NotNull] = Field(
        default=False, description="If true, publishers and viewers wait until a moderator lets them in."
    )


class MediaPreferences(Body):
    """Preferences for the media of the room: an addition."""

    codecs: Annotated[list[Codec], FailFast(), Field(max_length=len(get_args(Codec)))] = Field(
        default=[],
        description="The only codecs that may be used, from the next meeting on: audio/opus and some for video. "
        "Empty: all. Media servers other than the embedded one do not look at it.",
    )

    @field_validator("codecs")
    @classmethod
    def _suffice(cls, value: list[Codec]) -> list[Codec]:
        try:
            codecs_text(value)
        except ValueError as error:
            raise PydanticCustomError("codecs", "Input should {problem}", {"problem": str(error)}) from error
        return value

    def text(self) -> str | None:
        """Read which codecs are wanted; None leaves them as they are."""
        return codecs_text(self.codecs) if "codecs" in self.model_fields_set else None


_Part = RecordingPreferences | VirtualBackgroundPreferences | LobbyPreferences


class RoomPreferencesSchema(Body):
    """What a room allows."""

    model_config = ConfigDict(title="RoomPreferences")  # the component's name in the document

    chatPreferences: Annotated[ChatPreferences | None, NotNull] = None
    recordingPreferences: Annotated[RecordingPreferences | None, NotNull] = None
    virtualBackgroundPreferences: Annotated[VirtualBackgroundPreferences | None, NotNull] = None
    lobbyPreferences: Annotated[LobbyPreferences | None, NotNull] = None
    mediaPreferences: Annotated[MediaPreferences | None, NotNull] = None

    def change(self) -> PreferencesChange:
        """Read what is to change; `enabled` that is absent inside a part leaves it as it is."""

        def enabled(part: _Part | None) -> bool | None:
            return None if part is None or "enabled" not in part.model_fields_set else part.enabled

        chat = PreferencesChange() if self.chatPreferences is None else self.chatPreferences.change()
        return replace(
            chat,
            recording_enabled=enabled(self.recordingPreferences),
            virtual_background_enabled=enabled(self.virtualBackgroundPreferences),
            lobby_enabled=enabled(self.lobbyPreferences),
            codecs=None if self.mediaPreferences is None else self.mediaPreferences.text(),
        )


class OpenViduMeetRoomOptions(Body):
    """What a new room shall be."""

    expirationDate: WholeNumber = Field(
        description="When the room ends, in milliseconds since the Unix epoch; in the future.", le=LATEST, ge=-LATEST,
        json_schema_extra={"example": 1_900_000_000_000},
    )  # fmt: skip
    roomNamePrefix: Annotated[str | None, NotNull] = Field(
        default=None, description="The readable part of the room's name.", json_schema_extra={"example": "standup"}
    )
    maxParticipants: Annotated[WholeNumber | None, NotNull] = Field(
        default=None, ge=1, le=MAX_PARTICIPANTS, description="How many may be in at once.",
        json_schema_extra={"example": 10},
    )  # fmt: skip
    preferences: Annotated[RoomPreferencesSchema | None, NotNull] = None

    def options(self) -> RoomOptions:
        """Translate to the domain."""
        return RoomOptions(
            expires_at_ms=Millis(self.expirationDate),
            prefix=self.roomNamePrefix,
            max_participants=self.maxParticipants,
            preferences=self.preferences.change() if self.preferences is not None else PreferencesChange(),
        )


class RoomUpdate(RoomPreferencesSchema):
    """Preferences to change, bare or wrapped in `preferences`."""

    model_config = ConfigDict(title="RoomUpdate")

    preferences: Annotated[RoomPreferencesSchema | None, NotNull] = None

    @model_validator(mode="after")
    def _not_mixed(self) -> RoomUpdate:
        if "preferences" in self.model_fields_set and len(self.model_fields_set) > 1:
            raise PydanticCustomError("mixed", "Send preferences either bare or wrapped in 'preferences', not both")
        return self

    def wrapped_or_bare(self) -> PreferencesChange:
        """Read the change, whichever way it came."""
        return self.preferences.change() if self.preferences is not None else self.change()


class OpenViduMeetRoom(BaseModel):
    """A room."""

    roomName: str | None = None
    creationDate: float | None = None
    expirationDate: float | None = None
    roomNamePrefix: str | None = None
    preferences: RoomPreferencesSchema | None = None
    maxParticipants: int | None = None
    locked: Literal[True] | None = Field(default=None, description="An addition, only of a room that is locked.")
    moderatorURL: str | None = None
    publisherURL: str | None = None
    viewerURL: str | None = None


class RoomPresenter:
    """Shows rooms as the API does."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url.rstrip("/")

    def url(self, room: Room, secret: str) -> str:
        """Make a link that joins a room with the role of its secret (which needs no escaping)."""
        return f"{self._public_url}/meet/{room.name}/?secret={secret}"

    def with_links(self, room: Room) -> dict[str, Any]:
        """Show a room to the application and to administrators."""
        return self.without_links(room) | {
            "moderatorURL": self.url(room, room.secrets.moderator),
            "publisherURL": self.url(room, room.secrets.publisher),
            "viewerURL": self.url(room, room.secrets.viewer),
        }

    def preferences(self, preferences: RoomPreferences) -> dict[str, Any]:
        """Show what a room with these preferences allows."""
        secrets = RoleSecrets(moderator="", publisher="", viewer="")
        room = Room(RoomName(""), None, Millis(0), Millis(0), None, preferences, secrets)
        return {"lobbyPreferences": {"enabled": False}, **self.without_links(room)["preferences"]}

    def without_links(self, room: Room) -> dict[str, Any]:
        """Show a room to a participant."""
        shown: dict[str, Any] = {
            "roomName": room.name,
            "creationDate": room.created_at_ms,
            "expirationDate": room.expires_at_ms,
            "preferences": {
                "chatPreferences": _chat(room.preferences),
                "recordingPreferences": {"enabled": room.preferences.recording_enabled},
                "virtualBackgroundPreferences": {"enabled": room.preferences.virtual_background_enabled},
            },
        }
        if room.preferences.lobby_enabled:
            shown["preferences"]["lobbyPreferences"] = {"enabled": True}
        if room.preferences.codecs:
            shown["preferences"]["mediaPreferences"] = {"codecs": room.preferences.codecs.split(",")}
        if room.locked:
            shown["locked"] = True
        if room.prefix is not None:
            shown["roomNamePrefix"] = room.prefix
        if room.max_participants is not None:
            shown["maxParticipants"] = room.max_participants
        return shown


def _chat(preferences: RoomPreferences) -> dict[str, bool]:
    """Show what of the chat is allowed; additions only where they are not as they were before there were any."""
    shown = {"enabled": preferences.chat_enabled}
    if not preferences.chat_history_enabled:
        shown["history"] = False
    if not preferences.chat_files_enabled:
        shown["files"] = False
    return shown


class RoomHandlers:
    """Translates between HTTP and the rooms' service."""

    def __init__(self, *, rooms: RoomService, presenter: RoomPresenter) -> None:
        self._rooms = rooms
        self._presenter = presenter

    async def create(self, request: OperationRequest) -> Response:
        """POST /rooms."""
        options = request.body_as(OpenViduMeetRoomOptions).options()
        room = await self._rooms.create(options, idempotency_key=await idempotency_key(request))
        return JsonResponse(self._presenter.with_links(room))

    async def get(self, request: OperationRequest) -> Response:
        """GET /rooms/{roomName}. A participant sees its own room, without links."""
        room = await self._rooms.get(request.path_params["roomName"])
        show = self._presenter.with_links if request.principal.room is None else self._presenter.without_links
        return JsonResponse(parse_fields(request.query_as(FieldsQuery).fields_)(show(room)))

    async def list_all(self, request: OperationRequest) -> Response:
        """GET /rooms: whole and streamed, or a page."""
        return await list_response(
            request,
            everything=self._rooms.all,
            page=lambda limit, after: self._rooms.page(limit=limit, after=after),
            show=self._presenter.with_links,
            key=lambda room: PageKey(room.created_at_ms, room.name),
        )

    async def update(self, request: OperationRequest) -> Response:
        """PUT /rooms/{roomName}."""
        change = request.body_as(RoomUpdate).wrapped_or_bare()
        return JsonResponse(
            self._presenter.with_links(await self._rooms.update(request.path_params["roomName"], change))
        )

    async def delete(self, request: OperationRequest) -> Response:
        """DELETE /rooms/{roomName}."""
        await self._rooms.delete(request.path_params["roomName"])
        return no_content()

    async def end(self, request: OperationRequest) -> Response:
        """POST /rooms/{roomName}/end."""
        await self._rooms.end_meeting(request.path_params["roomName"])
        return no_content()

    async def lock(self, request: OperationRequest) -> Response:
        """PUT /rooms/{roomName}/lock."""
        await self._rooms.set_locked(request.path_params["roomName"], locked=True)
        return no_content()

    async def unlock(self, request: OperationRequest) -> Response:
        """DELETE /rooms/{roomName}/lock."""
        await self._rooms.set_locked(request.path_params["roomName"], locked=False)
        return no_content()

    async def rotate_links(self, request: OperationRequest) -> Response:
        """POST /rooms/{roomName}/rotate-links."""
        room = await self._rooms.rotate_links(request.path_params["roomName"])
        return JsonResponse(self._presenter.with_links(room))


def room_operations(rooms: RoomHandlers, tag: str) -> list[Operation]:
    """List what can be done with rooms; the same on both base paths."""
    path = "/rooms/{roomName}"
    return [
        Operation(
            id="createRoom", method="POST", path="/rooms", action=Action.CREATE_ROOM, handle=rooms.create,
            summary="Create a room", tag=tag, body=OpenViduMeetRoomOptions, max_body_bytes=LARGE_BODY_BYTES,
            header_names=(HEADER,), check_headers=check_idempotency_key,
            responses=one("The room, with a link for each role", OpenViduMeetRoom, 401, 409, 413, 415, 422),
        ),
        Operation(
            id="getRooms", method="GET", path="/rooms", action=Action.LIST_ROOMS, handle=rooms.list_all,
            summary="List rooms that have not expired", tag=tag, query=ListQuery,
            responses=many("The rooms, newest first", OpenViduMeetRoom, 401, 422),
        ),
        Operation(
            id="getRoom", method="GET", path=path, action=Action.GET_ROOM, room=ROOM_IN_PATH, handle=rooms.get,
            summary="Get a room", tag=tag, query=FieldsQuery,
            responses=one("The room", OpenViduMeetRoom, 401, 403, 404),
        ),
        Operation(
            id="updateRoom", method="PUT", path=path, action=Action.UPDATE_ROOM, room=ROOM_IN_PATH,
            handle=rooms.update, summary="Change what a room allows, also during a meeting", tag=tag, body=RoomUpdate,
            responses=one("The room as it is now", OpenViduMeetRoom, 401, 404, 413, 415, 422),
        ),
        Operation(
            id="deleteRoom", method="DELETE", path=path, action=Action.DELETE_ROOM, room=ROOM_IN_PATH,
            handle=rooms.delete, summary="Delete a room and end its meeting", tag=tag,
            responses=nothing("The room is gone", 401, 404),
        ),
        Operation(
            id="rotateRoomLinks", method="POST", path=f"{path}/rotate-links", action=Action.ROTATE_LINKS,
            room=ROOM_IN_PATH, handle=rooms.rotate_links, is_addition=True,
            summary="Give a room new links; the old ones stop working", tag=tag,
            responses=one("The room with its new links", OpenViduMeetRoom, 401, 404),
        ),
        Operation(
            id="endMeeting", method="POST", path=f"{path}/end", action=Action.END_MEETING, room=ROOM_IN_PATH,
            handle=rooms.end, is_addition=True, summary="End the meeting, keep the room", tag=tag,
            responses=nothing("The meeting is over", 401, 403, 404, 503),
        ),
        *_lock_operations(rooms, tag),
    ]  # fmt: skip


def _lock_operations(rooms: RoomHandlers, tag: str) -> list[Operation]:
    path = "/rooms/{roomName}/lock"
    return [
        Operation(
            id="lockRoom", method="PUT", path=path, action=Action.LOCK_ROOM, room=ROOM_IN_PATH,
            handle=rooms.lock, is_addition=True, tag=tag,
            summary="Lock a room: only moderators, and participants who have been in it, get in",
            responses=nothing("The room is locked", 401, 403, 404, 503),
        ),
        Operation(
            id="unlockRoom", method="DELETE", path=path, action=Action.UNLOCK_ROOM, room=ROOM_IN_PATH,
            handle=rooms.unlock, is_addition=True, summary="Open a locked room", tag=tag,
            responses=nothing("The room is open", 401, 403, 404, 503),
        ),
    ]  # fmt: skip
