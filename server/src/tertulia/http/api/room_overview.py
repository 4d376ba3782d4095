"""What an administrator sees of rooms, over HTTP, and does with several, or with all who are in one."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import FailFast, Field
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.http.api.lists import SearchQuery, search_response
from tertulia.http.api.rooms import OpenViduMeetRoom, RoomPresenter
from tertulia.http.kit.operations import LARGE_BODY_BYTES, ROOM_IN_PATH, Operation, OperationRequest, many, nothing
from tertulia.http.kit.responses import no_content
from tertulia.http.kit.validation import Body
from tertulia.services.ports import RoomOrder, RoomSearch, SortKey
from tertulia.services.room_overview import RoomInView, RoomOverview
from tertulia.services.rooms import RoomService

_TAG: Final = "Internal API - Console"


class RoomsQuery(SearchQuery):
    """Which rooms are wanted."""

    sort: Literal["created", "name", "expires"] = Field(default="created", description="What rooms are sorted by.")
    live: Literal["true", "false"] = Field(default="false", description="Whether only rooms with a meeting are wanted.")


class RoomWithMeeting(OpenViduMeetRoom):
    """A room, and what happens in it now."""

    participants: int | None = Field(
        default=None, description="How many are in it; absent while the media server cannot be asked."
    )
    recordingId: str | None = Field(default=None, description="The recording that is being made.")


class RoomNames(Body):
    """Which rooms to delete."""

    roomNames: Annotated[list[str], FailFast(), Field(max_length=1000)]


class Notice(Body):
    """What to show to all who are in a room."""

    message: str = Field(min_length=1, max_length=500, pattern=r"\S")


class RoomOverviewHandlers:
    """Translates between HTTP and the overview of rooms."""

    def __init__(self, *, overview: RoomOverview, rooms: RoomService, presenter: RoomPresenter) -> None:
        self._overview = overview
        self._rooms = rooms
        self._presenter = presenter

    async def search(self, request: OperationRequest) -> Response:
        """GET /console/rooms."""
        query = request.query_as(RoomsQuery)
        found = await self._overview.page(
            RoomSearch(
                text=query.search,
                order=RoomOrder(query.sort),
                descending=query.order == "desc",
                limit=query.maxItems + 1,
                after=query.after(query.sort),
            ),
            only_live=query.live == "true",
        )
        return search_response(request, found, sort=query.sort, show=self._show, key=lambda each: _key(each, query))

    def _show(self, found: RoomInView) -> dict[str, Any]:
        shown = self._presenter.with_links(found.room)
        if found.participants is not None:
            shown["participants"] = found.participants
        if found.recording is not None:
            shown["recordingId"] = found.recording
        return shown

    async def delete_many(self, request: OperationRequest) -> Response:
        """DELETE /console/rooms."""
        await self._rooms.delete_many(request.body_as(RoomNames).roomNames)
        return no_content()

    async def send_notice(self, request: OperationRequest) -> Response:
        """POST /rooms/{roomName}/notices."""
        await self._rooms.send_notice(request.path_params["roomName"], request.body_as(Notice).message)
        return no_content()


def _key(found: RoomInView, query: RoomsQuery) -> SortKey:
    room = found.room
    values: dict[str, int | str] = {"created": room.created_at_ms, "name": room.name, "expires": room.expires_at_ms}
    return SortKey(values[query.sort], room.name)


def room_overview_operations(rooms: RoomOverviewHandlers) -> list[Operation]:
    """List what administrators do with many rooms, or with all who are in one."""
    return [
        Operation(
            id="searchRooms", method="GET", path="/console/rooms", action=Action.SEARCH_ROOMS, handle=rooms.search,
            summary="Search and sort rooms that have not expired, with who is in them now", tag=_TAG, query=RoomsQuery,
            responses=many("A page of rooms", RoomWithMeeting, 401, 422, 503),
        ),
        Operation(
            id="deleteRooms", method="DELETE", path="/console/rooms", action=Action.DELETE_ROOMS,
            handle=rooms.delete_many, summary="Delete several rooms and end their meetings", tag=_TAG, body=RoomNames,
            max_body_bytes=LARGE_BODY_BYTES, responses=nothing("The rooms are gone", 401, 413, 415, 422),
        ),
        Operation(
            id="sendNotice", method="POST", path="/rooms/{roomName}/notices", action=Action.SEND_NOTICE,
            room=ROOM_IN_PATH, handle=rooms.send_notice, summary="Show a message to all who are in a room", tag=_TAG,
            body=Notice, responses=nothing("The message was sent", 401, 404, 409, 413, 415, 422, 503),
        ),
    ]  # fmt: skip
