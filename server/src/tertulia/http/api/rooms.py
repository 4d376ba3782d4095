"""Rooms over HTTP, for both base paths."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from tertulia.http.api.schemas import FieldsQuery, ListRoomsQuery, OpenViduMeetRoomOptions, RoomPresenter, RoomUpdate
from tertulia.http.kit.fields import Pick, parse_fields
from tertulia.http.kit.idempotency import once_of
from tertulia.http.kit.operations import Call
from tertulia.http.kit.paging import listed, parse_page_token
from tertulia.http.kit.replies import JSON, NO_STORE, Reply, json_array, json_reply, no_content
from tertulia.services.ports import PageKey
from tertulia.services.rooms import RoomService


class RoomHandlers:
    """Translates between HTTP and the rooms' service."""

    def __init__(self, *, rooms: RoomService, presenter: RoomPresenter) -> None:
        self._rooms = rooms
        self._presenter = presenter

    async def create(self, call: Call) -> Reply:
        """POST /rooms."""
        options = call.body_as(OpenViduMeetRoomOptions).options()
        return json_reply(self._presenter.with_links(await self._rooms.create(options, once=once_of(call))))

    async def get(self, call: Call) -> Reply:
        """GET /rooms/{roomName}. A participant sees its own room, without links."""
        call.only_in(call.path["roomName"])
        room = await self._rooms.get(call.path["roomName"])
        show = self._presenter.with_links if call.principal.room is None else self._presenter.without_links
        return json_reply(parse_fields(call.query_as(FieldsQuery).fields_)(show(room)))

    async def list_all(self, call: Call) -> Reply:
        """GET /rooms: whole and streamed, or a page."""
        query = call.query_as(ListRoomsQuery)
        pick = parse_fields(query.fields_)
        after = parse_page_token(query.nextPageToken)
        if query.maxItems is None and after is None:
            return Reply(200, json_array(self._all(pick)), [JSON, NO_STORE])
        limit = query.maxItems or 100
        rooms = await self._rooms.page(limit=limit + 1, after=after)
        key = PageKey(rooms[limit - 1].created_at_ms, rooms[limit - 1].name) if len(rooms) > limit else None
        shown = [pick(self._presenter.with_links(room)) for room in rooms[:limit]]
        return listed(call.scope, shown, key, limit, query.fields_)

    async def _all(self, pick: Pick) -> AsyncIterator[list[dict[str, Any]]]:
        async for piece in self._rooms.all():
            yield [pick(self._presenter.with_links(room)) for room in piece]

    async def update(self, call: Call) -> Reply:
        """PUT /rooms/{roomName}."""
        room = await self._rooms.update(call.path["roomName"], call.body_as(RoomUpdate).wanted())
        return json_reply(self._presenter.with_links(room))

    async def delete(self, call: Call) -> Reply:
        """DELETE /rooms/{roomName}."""
        await self._rooms.delete(call.path["roomName"])
        return no_content()

    async def end(self, call: Call) -> Reply:
        """POST /rooms/{roomName}/end."""
        call.only_in(call.path["roomName"])
        await self._rooms.end_meeting(call.path["roomName"])
        return no_content()

    async def rotate_links(self, call: Call) -> Reply:
        """POST /rooms/{roomName}/rotate-links."""
        return json_reply(self._presenter.with_links(await self._rooms.rotate_links(call.path["roomName"])))
