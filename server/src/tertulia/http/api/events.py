"""Live events over HTTP, for administrators: server-sent events."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Final

import orjson
from pydantic import BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.domain.events import StoredEvent
from tertulia.domain.ids import SessionId
from tertulia.errors import FieldProblem, InvalidInput, unauthenticated
from tertulia.http.api.lists import digits
from tertulia.http.kit.operations import Operation, OperationRequest, ResponseSpec, errors
from tertulia.http.kit.responses import EventStreamResponse
from tertulia.http.kit.validation import Query
from tertulia.services.events import EventFeed, FeedEnd, FeedItem, FeedStart

_HEADER: Final = "Last-Event-ID"
_MAX_ID: Final = 2**63 - 1
_RETRY: Final = b"retry: 1000\n"
_KEEP_ALIVE: Final = b": nothing new\n\n"


class EventsQuery(Query):
    """Where to go on."""

    lastEventId: Annotated[int, BeforeValidator(digits), Field(ge=0, le=_MAX_ID)] | None = Field(
        default=None, description="The id of the last event that the client has; the header beats it."
    )


def _check_last_event_id(request: Request) -> None:
    text = request.headers.get(_HEADER)
    if text and not (text.isascii() and text.isdigit() and int(text) <= _MAX_ID):
        raise InvalidInput("headers", [FieldProblem(_HEADER, "is not the id of an event")])


class EventHandlers:
    """Translates between HTTP and the feed of events."""

    def __init__(self, feed: EventFeed) -> None:
        self._feed = feed

    async def follow(self, request: OperationRequest) -> Response:
        """GET /console/events."""
        session = request.principal.session
        if session is None:
            raise unauthenticated()
        header = request.headers.get(_HEADER)
        after = int(header) if header else request.query_as(EventsQuery).lastEventId
        return EventStreamResponse(self._pieces(session, after))

    async def _pieces(self, session: SessionId, after: int | None) -> AsyncGenerator[bytes]:
        async for item in self._feed.follow(session, after):
            yield _written(item)


def _written(item: FeedItem) -> bytes:
    match item:
        case None:
            return _KEEP_ALIVE
        case FeedStart(last_id, resumed):
            return _RETRY + _event("ready", {"resumed": resumed}, last_id)
        case FeedEnd():
            return _event("sessionEnded", {})
        case StoredEvent(event_id, at_ms, event):
            return _event(event.kind.value, {**event.data, "at": at_ms}, event_id)


def _event(kind: str, data: dict[str, object], event_id: int | None = None) -> bytes:
    written_id = b"" if event_id is None else b"id: %d\n" % event_id
    return b"%sevent: %s\ndata: %s\n\n" % (written_id, kind.encode(), orjson.dumps(data))


def event_operation(events: EventHandlers) -> Operation:
    """Describe the live events of the console."""
    return Operation(
        id="followEvents", method="GET", path="/console/events", action=Action.FOLLOW_EVENTS, handle=events.follow,
        summary="Follow what changes, as server-sent events", tag="Internal API - Console", query=EventsQuery,
        header_names=(_HEADER,), check_headers=_check_last_event_id,
        responses={
            200: ResponseSpec(
                "Events until the session ends: `ready` first, then `roomCreated`, `roomChanged`, `roomDeleted`, "
                "`meetingStarted`, `meetingEnded`, `participantJoined`, `participantLeft`, `participantChanged`, "
                "`recordingChanged`, `recordingDeleted`, `settingsChanged`, `apiKeysChanged`. After a break, "
                "`resumed` of `ready` says whether all that was missed follows.",
                media_type="text/event-stream",
            ),
            **errors(401, 422, 503),
        },
    )  # fmt: skip
