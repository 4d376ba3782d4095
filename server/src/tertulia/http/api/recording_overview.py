"""What an administrator sees of recordings, over HTTP: searched and sorted; the lost ones; and their repair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.http.api.lists import SearchQuery, search_response
from tertulia.http.api.recordings import MeetRecording, meet_recording
from tertulia.http.kit.operations import Operation, OperationRequest, many, nothing, one
from tertulia.http.kit.responses import JsonResponse, no_content
from tertulia.services.ports import RecordingOrder, RecordingSearch, SortKey
from tertulia.services.recordings.lost import LostRecording, LostRecordings
from tertulia.services.recordings.service import RecordingService

_TAG: Final = "Internal API - Console"


def _states(value: str) -> str:
    if not {*value.split(",")} <= {*RecordingState}:
        raise PydanticCustomError("states", "Expected states, separated by commas")
    return value


class RecordingsQuery(SearchQuery):
    """Which recordings are wanted."""

    sort: Literal["created", "duration", "size"] = Field(
        default="created", description="What recordings are sorted by."
    )
    status: Annotated[str, AfterValidator(_states)] = Field(
        default=",".join(RecordingState), description="Comma-separated states that are wanted."
    )


class RecordingInView(MeetRecording):
    """A recording, as an administrator sees it."""

    createdDate: float | None = Field(default=None, description="When it was asked for.")
    preset: str | None = Field(default=None, description="What was asked for; absent for the setting.")


class LostRecordingShown(BaseModel):
    """Media on this machine that no recording accounts for."""

    recordingId: str
    roomId: str
    filename: str
    status: RecordingState | None = Field(default=None, description="What its row says; absent without a row.")
    startDate: float | None = None
    duration: float | None = None
    size: float | None = None


class RecordingOverviewHandlers:
    """Translates between HTTP and the recordings' services. `lost` makes the service of the lost ones when asked."""

    def __init__(self, *, recordings: RecordingService, lost: Callable[[], LostRecordings]) -> None:
        self._recordings = recordings
        self._lost = lost

    async def search(self, request: OperationRequest) -> Response:
        """GET /console/recordings."""
        query = request.query_as(RecordingsQuery)
        found = await self._recordings.search(
            RecordingSearch(
                text=query.search,
                states=frozenset(RecordingState(state) for state in query.status.split(",")),
                order=RecordingOrder(query.sort),
                descending=query.order == "desc",
                limit=query.maxItems + 1,
                after=query.after(query.sort),
            )
        )
        return search_response(request, found, sort=query.sort, show=_shown, key=lambda each: _key(each, query))

    async def repair(self, _request: OperationRequest) -> Response:
        """POST /console/recordings/repair."""
        self._recordings.repair()
        return no_content()

    async def list_lost(self, _request: OperationRequest) -> Response:
        """GET /console/lost-recordings."""
        return JsonResponse([_lost_shown(each) for each in await self._lost().find()])

    async def adopt(self, request: OperationRequest) -> Response:
        """POST /console/lost-recordings/{recordingId}/adopt."""
        return JsonResponse(_shown(await self._lost().adopt(request.path_params["recordingId"])))


def _shown(recording: Recording) -> dict[str, Any]:
    more = {"createdDate": recording.created_at_ms, "preset": recording.preset}
    return meet_recording(recording) | {name: value for name, value in more.items() if value is not None}


def _lost_shown(lost: LostRecording) -> dict[str, Any]:
    state = lost.state
    shown = {
        "recordingId": lost.id,
        "roomId": lost.room,
        "filename": lost.filename,
        "status": lost.row_state,
        "startDate": None if state is None else state.started_at_ms,
        "duration": None if state is None else state.duration_s,
        "size": None if state is None else state.bytes,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _key(recording: Recording, query: RecordingsQuery) -> SortKey:
    values: dict[str, int | float] = {
        "created": recording.created_at_ms,
        "duration": recording.duration_s or 0.0,
        "size": recording.size_bytes or 0,
    }
    return SortKey(values[query.sort], recording.id)


def recording_overview_operations(recordings: RecordingOverviewHandlers) -> list[Operation]:
    """List what administrators do with recordings beside what moderators do."""
    return [
        Operation(
            id="searchRecordings", method="GET", path="/console/recordings", action=Action.SEARCH_RECORDINGS,
            handle=recordings.search, summary="Search and sort recordings", tag=_TAG, query=RecordingsQuery,
            responses=many("A page of recordings", RecordingInView, 401, 422),
        ),
        Operation(
            id="repairRecordings", method="POST", path="/console/recordings/repair", action=Action.REPAIR_RECORDINGS,
            handle=recordings.repair, summary="Finish now what crashes left on this machine", tag=_TAG,
            responses=nothing("The worker of this machine looks for them", 401),
        ),
        Operation(
            id="getLostRecordings", method="GET", path="/console/lost-recordings", action=Action.LIST_LOST_RECORDINGS,
            handle=recordings.list_lost, summary="List media on this machine that no recording accounts for", tag=_TAG,
            responses=many("The lost recordings, by id", LostRecordingShown, 401, 503),
        ),
        Operation(
            id="adoptRecording", method="POST", path="/console/lost-recordings/{recordingId}/adopt",
            action=Action.ADOPT_RECORDING, handle=recordings.adopt, summary="Take a lost recording back", tag=_TAG,
            responses=one("The recording, which is finished now", RecordingInView, 401, 404, 409, 503),
        ),
    ]  # fmt: skip
