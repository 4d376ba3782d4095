"""Recordings over HTTP, for both base paths; they differ in how a recording is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any

from tertulia.domain.recordings.recording import Recording
from tertulia.errors import FieldProblem, InvalidInput, forbidden
from tertulia.http.api.schemas import FieldsQuery
from tertulia.http.api.schemas_recordings import (
    ListRecordingsQuery,
    RecordingIds,
    RecordingIdsQuery,
    StartMeetRecording,
    StartRecording,
)
from tertulia.http.kit.asgi import Header, header
from tertulia.http.kit.fields import Pick, parse_fields
from tertulia.http.kit.idempotency import once_of
from tertulia.http.kit.operations import Call
from tertulia.http.kit.paging import listed, parse_page_token
from tertulia.http.kit.ranges import parse_range
from tertulia.http.kit.replies import JSON, NO_STORE, Reply, json_array, json_reply, no_content
from tertulia.services.accounts import AccountService
from tertulia.services.ports import PageKey
from tertulia.services.recordings.service import RecordingService
from tertulia_recorder.job import RecordingPreset


class RecordingHandlers:
    """Translates between HTTP and the recordings' service. `show` is how this base path shows a recording."""

    def __init__(
        self,
        *,
        recordings: RecordingService,
        accounts: AccountService,
        show: Callable[[Recording], dict[str, Any]],
    ) -> None:
        self._recordings = recordings
        self._accounts = accounts
        self._show = show

    async def start(self, call: Call) -> Reply:
        """POST /recordings on the public path."""
        body = call.body_as(StartRecording)
        return await self._start(call, body.roomName, body.wanted_preset)

    async def start_by_either_name(self, call: Call) -> Reply:
        """POST /recordings on the internal path."""
        body = call.body_as(StartMeetRecording)
        return await self._start(call, body.room, body.wanted_preset)

    async def _start(self, call: Call, room: str, preset: RecordingPreset | None) -> Reply:
        call.only_in(room)
        return json_reply(self._show(await self._recordings.start(room, preset=preset, idempotency_key=once_of(call))))

    async def stop(self, call: Call) -> Reply:
        """PUT /recordings/{recordingId}."""
        await self._recordings.stop((await self._own(call)).id)
        return no_content()

    async def get(self, call: Call) -> Reply:
        """GET /recordings/{recordingId}."""
        pick = parse_fields(call.query_as(FieldsQuery).fields_)
        return json_reply(pick(self._show(await self._own(call))))

    async def list_all(self, call: Call) -> Reply:
        """GET /recordings: whole and streamed, or a page. A moderator sees those of its own room."""
        query = call.query_as(ListRecordingsQuery)
        pick = parse_fields(query.fields_)
        after = parse_page_token(query.nextPageToken)
        if query.maxItems is None and after is None:
            return Reply(200, json_array(self._all(call, pick)), [JSON, NO_STORE])
        limit = query.maxItems or 100
        found = await self._recordings.page(room=call.principal.room, limit=limit + 1, after=after)
        key = PageKey(found[limit - 1].created_at_ms, found[limit - 1].id) if len(found) > limit else None
        return listed(call.scope, [pick(self._show(one)) for one in found[:limit]], key, limit, query.fields_)

    async def _all(self, call: Call, pick: Pick) -> AsyncIterator[list[dict[str, Any]]]:
        async for piece in self._recordings.all(room=call.principal.room):
            yield [pick(self._show(recording)) for recording in piece]

    async def delete(self, call: Call) -> Reply:
        """DELETE /recordings/{recordingId}."""
        await self._recordings.delete((await self._own(call)).id)
        return no_content()

    async def delete_many(self, call: Call) -> Reply:
        """DELETE /recordings: ids in the body or in the query."""
        in_query = call.query_as(RecordingIdsQuery).recordingIds
        if (in_query is None) == (call.body is None):
            where = "in the body or in the query, not in both" if call.body is not None else "in the body"
            raise InvalidInput("body", [FieldProblem("recordingIds", f"Send the ids {where}")])
        ids = call.body_as(RecordingIds).recordingIds if in_query is None else in_query.split(",")
        await self._recordings.delete_many([one.strip() for one in ids])
        return no_content()

    async def ticket(self, call: Call) -> Reply:
        """POST /recordings/{recordingId}/stream-ticket."""
        return json_reply({"ticket": self._accounts.ticket((await self._own(call)).id)})

    async def stream(self, call: Call) -> Reply:
        """GET /recordings/{recordingId}/stream: the file, or one range of it."""
        wanted = parse_range(header(call.scope, b"range")) if call.scope["method"] == "GET" else None
        opened = await self._recordings.open((await self._own(call)).id)
        file = opened.file
        if file.link is not None:
            return Reply(HTTPStatus.FOUND, b"", [(b"location", file.link.encode()), NO_STORE])
        if_range = header(call.scope, b"if-range")
        if if_range is not None and if_range != file.etag:
            wanted = None
        start, end = (0, file.size_bytes) if wanted is None else wanted.within(file.size_bytes)
        headers: list[Header] = [
            (b"content-type", b"video/mp4"),
            (b"accept-ranges", b"bytes"),
            (b"etag", file.etag.encode()),
            (b"cache-control", b"private, no-cache"),
            (b"content-disposition", f'inline; filename="{opened.recording.filename}"'.encode()),
            (b"content-length", str(end - start).encode()),
        ]
        if wanted is not None:
            headers.append((b"content-range", f"bytes {start}-{end - 1}/{file.size_bytes}".encode()))
        return Reply(200 if wanted is None else 206, file.read(start, end), headers)

    async def _own(self, call: Call) -> Recording:
        """Find the recording of the path; a participant's must be of its own room, a ticket's the one it is for."""
        wanted = call.path["recordingId"]
        if call.principal.recording is not None and call.principal.recording != wanted:
            raise forbidden()
        recording = await self._recordings.get(wanted)
        call.only_in(recording.room)
        return recording
