"""Recordings over HTTP, for both base paths; they differ in how a recording is shown."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, FailFast, Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.errors import FieldProblem, InvalidInput, NotFound
from tertulia.http.api.idempotency import HEADER, check_idempotency_key, idempotency_key
from tertulia.http.api.lists import FieldsQuery, ListQuery, list_response, parse_fields
from tertulia.http.kit.operations import (
    LARGE_BODY_BYTES,
    ROOM_IN_BODY,
    ROOM_OF_RECORDING,
    ROOM_OF_TOKEN,
    Handler,
    Operation,
    OperationRequest,
    ResponseSpec,
    errors,
    many,
    nothing,
    one,
)
from tertulia.http.kit.ranges import check_range, parse_range
from tertulia.http.kit.responses import NO_STORE, JsonResponse, StreamedResponse, no_content
from tertulia.http.kit.validation import Body, NotNull, Query
from tertulia.services.accounts import AccountService
from tertulia.services.ports import PageKey
from tertulia.services.recordings.service import RecordingService
from tertulia_recorder.job import RecordingPreset

_PUBLIC_STATUS: Final = {
    RecordingState.STARTING: "STARTING",
    RecordingState.ACTIVE: "RECORDING",
    RecordingState.ENDING: "STOPPING",
    RecordingState.COMPLETE: "STOPPED",
    RecordingState.LIMITED_REACHED: "STOPPED",
    RecordingState.FAILED: "FAILED",
    RecordingState.ABORTED: "FAILED",
}


class _Start(Body):
    preset: Annotated[Literal["720p30", "1080p30", "audio"] | None, NotNull] = Field(
        default=None, description="Addition: what the file shall hold; without it the server's setting counts."
    )

    @property
    def wanted_preset(self) -> RecordingPreset | None:
        """The preset asked for, if one is."""
        return None if self.preset is None else RecordingPreset(self.preset)


class StartRecording(_Start):
    """Which room to record."""

    roomName: str = Field(description="The name of the room to record.")


class StartMeetRecording(_Start):
    """Which room to record, by either name of the field."""

    roomId: Annotated[str | None, NotNull] = Field(default=None, description="The room to record.")
    roomName: Annotated[str | None, NotNull] = Field(default=None, description="Another name of `roomId`.")

    @model_validator(mode="after")
    def _one_room(self) -> StartMeetRecording:
        if len(self.model_fields_set & {"roomId", "roomName"}) != 1:
            raise PydanticCustomError("one_room", "Send either roomId or roomName")
        return self

    @property
    def room(self) -> str:
        """The room, by whichever name it came."""
        return self.roomId or self.roomName or ""


class RecordingIds(Body):
    """Which recordings to delete."""

    recordingIds: Annotated[list[str], FailFast()]


class RecordingIdsQuery(Query):
    """Which recordings to delete, in the query instead of the body."""

    recordingIds: str | None = Field(default=None, description="Comma-separated ids; instead of a body.")


class TicketQuery(Query):
    """A ticket in place of a credential."""

    ticket: str | None = Field(default=None, description="A stream ticket: opens this one recording.")


class StreamTicket(BaseModel):
    """A ticket for one recording's stream, good for ten minutes."""

    ticket: str | None = None


class OpenViduMeetRecording(BaseModel):
    """A recording, as the public API shows it."""

    id: str | None = None
    roomName: str | None = None
    outputMode: Literal["COMPOSED"] | None = None
    status: Literal["STARTING", "STARTED", "RECORDING", "STOPPING", "STOPPED", "FAILED"] | None = None
    filename: str | None = None
    startedAt: float | None = None
    endedAt: float | None = None
    duration: float | None = None
    size: float | None = None


class MeetRecording(BaseModel):
    """A recording, as the internal API shows it."""

    recordingId: str | None = None
    roomId: str | None = None
    status: RecordingState | None = None
    filename: str | None = None
    startDate: float | None = None
    endDate: float | None = None
    duration: float | None = None
    size: float | None = None
    errorCode: float | None = None
    error: str | None = None
    details: str | None = None


def public_recording(recording: Recording) -> dict[str, Any]:
    """Show a recording in the public API."""
    return _without_none({
        "id": recording.id,
        "roomName": recording.room,
        "outputMode": "COMPOSED",
        "status": _PUBLIC_STATUS[recording.state],
        "filename": recording.filename,
        "startedAt": recording.started_at_ms,
        "endedAt": recording.ended_at_ms,
        "duration": recording.duration_s,
        "size": recording.size_bytes,
    })  # fmt: skip


def meet_recording(recording: Recording) -> dict[str, Any]:
    """Show a recording in the internal API."""
    return _without_none({
        "recordingId": recording.id,
        "roomId": recording.room,
        "status": recording.state,
        "filename": recording.filename,
        "startDate": recording.started_at_ms,
        "endDate": recording.ended_at_ms,
        "duration": recording.duration_s,
        "size": recording.size_bytes,
        "errorCode": recording.error_code,
        "error": recording.error,
        "details": recording.details,
    })  # fmt: skip


def _without_none(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if value is not None}


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

    async def room_of(self, recording_id: str) -> str | None:
        """Find the room of a recording; None when there is no such recording."""
        try:
            return (await self._recordings.get(recording_id)).room
        except NotFound:
            return None

    async def start(self, request: OperationRequest) -> Response:
        """POST /recordings on the public path."""
        body = request.body_as(StartRecording)
        return await self._start(request, body.roomName, body.wanted_preset)

    async def start_by_either_name(self, request: OperationRequest) -> Response:
        """POST /recordings on the internal path."""
        body = request.body_as(StartMeetRecording)
        return await self._start(request, body.room, body.wanted_preset)

    async def _start(self, request: OperationRequest, room: str, preset: RecordingPreset | None) -> Response:
        started = await self._recordings.start(room, preset=preset, idempotency_key=await idempotency_key(request))
        return JsonResponse(self._show(started))

    async def stop(self, request: OperationRequest) -> Response:
        """PUT /recordings/{recordingId}."""
        await self._recordings.stop(request.path_params["recordingId"])
        return no_content()

    async def get(self, request: OperationRequest) -> Response:
        """GET /recordings/{recordingId}."""
        pick = parse_fields(request.query_as(FieldsQuery).fields_)
        return JsonResponse(pick(self._show(await self._recordings.get(request.path_params["recordingId"]))))

    async def list_all(self, request: OperationRequest) -> Response:
        """GET /recordings: whole and streamed, or a page. A moderator sees those of its own room."""
        room = request.principal.room
        return await list_response(
            request,
            everything=lambda: self._recordings.all(room=room),
            page=lambda limit, after: self._recordings.page(room=room, limit=limit, after=after),
            show=self._show,
            key=lambda recording: PageKey(recording.created_at_ms, recording.id),
        )

    async def delete(self, request: OperationRequest) -> Response:
        """DELETE /recordings/{recordingId}."""
        await self._recordings.delete(request.path_params["recordingId"])
        return no_content()

    async def delete_many(self, request: OperationRequest) -> Response:
        """DELETE /recordings: ids in the body or in the query."""
        in_query = request.query_as(RecordingIdsQuery).recordingIds
        if (in_query is None) == (request.content is None):
            where = "in the body or in the query, not in both" if request.content is not None else "in the body"
            raise InvalidInput("body", [FieldProblem("recordingIds", f"Send the ids {where}")])
        ids = request.body_as(RecordingIds).recordingIds if in_query is None else in_query.split(",")
        await self._recordings.delete_many([one.strip() for one in ids])
        return no_content()

    async def ticket(self, request: OperationRequest) -> Response:
        """POST /recordings/{recordingId}/stream-ticket."""
        recording = await self._recordings.get(request.path_params["recordingId"])
        return JsonResponse({"ticket": self._accounts.ticket(recording.id, request.principal)})

    async def stream(self, request: OperationRequest) -> Response:
        """GET /recordings/{recordingId}/stream: the file, or one range of it.

        HEAD is never redirected: links are signed for GET alone.
        """
        wanted = parse_range(request.headers.get("range")) if request.method == "GET" else None
        opened = await self._recordings.open(request.path_params["recordingId"])
        file = opened.file
        if file.link is not None and request.method == "GET":
            return Response(status_code=HTTPStatus.FOUND, headers={"location": file.link, **NO_STORE})
        if request.headers.get("if-range", file.etag) != file.etag:
            wanted = None
        start, end = (0, file.size_bytes) if wanted is None else wanted.within(file.size_bytes)
        headers = {
            "content-type": "video/mp4",
            "accept-ranges": "bytes",
            "etag": file.etag,
            "cache-control": "private, no-cache",
            "content-disposition": f'inline; filename="{opened.recording.filename}"',
            "content-length": str(end - start),
        }
        if wanted is not None:
            headers["content-range"] = f"bytes {start}-{end - 1}/{file.size_bytes}"
        status = HTTPStatus.OK if wanted is None else HTTPStatus.PARTIAL_CONTENT
        return StreamedResponse(file.read(start, end), status, headers)


def recording_operations(
    recordings: RecordingHandlers,
    tag: str,
    *,
    shown: type[BaseModel],
    start: Handler,
    start_body: type[BaseModel],
) -> list[Operation]:
    """List what can be done with recordings, which this base path shows as `shown` and starts by `start`."""
    path = "/recordings/{recordingId}"
    return [
        Operation(
            id="createRecording", method="POST", path="/recordings", action=Action.START_RECORDING, room=ROOM_IN_BODY,
            handle=start, body=start_body, header_names=(HEADER,), check_headers=check_idempotency_key,
            summary="Record a room; answers when the first media is written", tag=tag,
            responses=one("The recording", shown, 401, 403, 404, 409, 413, 415, 422, 503),
        ),
        Operation(
            id="getRecordings", method="GET", path="/recordings", action=Action.LIST_RECORDINGS, room=ROOM_OF_TOKEN,
            handle=recordings.list_all, query=ListQuery, summary="List recordings", tag=tag,
            responses=many("The recordings, newest first", shown, 401, 403, 422),
        ),
        Operation(
            id="stopRecording", method="PUT", path=path, action=Action.STOP_RECORDING, room=ROOM_OF_RECORDING,
            handle=recordings.stop, summary="Stop a recording", tag=tag,
            responses=nothing("The recording ends; its file follows", 401, 403, 404, 409),
        ),
        Operation(
            id="getRecording", method="GET", path=path, action=Action.GET_RECORDING, room=ROOM_OF_RECORDING,
            handle=recordings.get, query=FieldsQuery, summary="Get a recording", tag=tag,
            responses=one("The recording", shown, 401, 403, 404),
        ),
        Operation(
            id="deleteRecording", method="DELETE", path=path, action=Action.DELETE_RECORDING, room=ROOM_OF_RECORDING,
            handle=recordings.delete, summary="Delete a recording and its file", tag=tag,
            responses=nothing("The recording is gone", 401, 403, 404, 409, 503),
        ),
    ]  # fmt: skip


def delete_many_operation(recordings: RecordingHandlers, tag: str) -> Operation:
    """Describe how several recordings are deleted, on the public base path."""
    return Operation(
        id="deleteMultipleRecordings", method="DELETE", path="/recordings", action=Action.DELETE_RECORDINGS,
        handle=recordings.delete_many, body=RecordingIds, body_required=False, query=RecordingIdsQuery,
        max_body_bytes=LARGE_BODY_BYTES, summary="Delete several recordings, all or none", tag=tag,
        responses=nothing("The recordings are gone", 401, 409, 413, 415, 422, 503),
    )  # fmt: skip


def ticket_operation(recordings: RecordingHandlers, tag: str) -> Operation:
    """Describe how the page gets a ticket for a player, which cannot send a header."""
    return Operation(
        id="createStreamTicket", method="POST", path="/recordings/{recordingId}/stream-ticket", action=Action.TICKET,
        room=ROOM_OF_RECORDING, handle=recordings.ticket, tag=tag,
        summary="Get a ticket that opens this one recording's stream for ten minutes",
        responses=one("The ticket", StreamTicket, 401, 403, 404),
    )  # fmt: skip


def stream_operation(recordings: RecordingHandlers, *, query: type[BaseModel] | None = None) -> Operation:
    """Describe how a recording is streamed; only the internal base path takes a ticket in the query."""
    whole = ("Accept-Ranges", "Content-Length", "ETag")
    return Operation(
        id="getRecordingStream", method="GET", path="/recordings/{recordingId}/stream",
        action=Action.STREAM_RECORDING, room=ROOM_OF_RECORDING, handle=recordings.stream, query=query,
        header_names=("Range", "If-Range"), check_headers=check_range,
        summary="Stream a recording, whole or one range of bytes", tag="Internal API - Recordings",
        responses={
            200: ResponseSpec("The whole file", media_type="video/mp4", headers=whole),
            206: ResponseSpec("One range of the file", media_type="video/mp4", headers=(*whole, "Content-Range")),
            **errors(400, 401, 403, 404, 409, 416, 503),
        },
    )  # fmt: skip
