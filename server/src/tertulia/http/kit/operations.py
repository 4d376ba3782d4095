"""Operations: what one method on one path reads, who may call it, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal, TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from tertulia.domain.access import Action, Actor, Principal
from tertulia.http.kit.errors import HttpError, Problem

SMALL_BODY_BYTES: Final = 16 * 1024
"""Enough for what most operations take, a login with the longest password included."""
LARGE_BODY_BYTES: Final = 1024 * 1024
"""For what only applications and the media server send: readable parts of names, lists of ids, reports."""
Model = TypeVar("Model", bound=BaseModel)


class BoundedRequest(Request):
    """A request whose body is at most `max_body_bytes` long."""

    max_body_bytes = LARGE_BODY_BYTES
    _raw_body: bytes | None = None

    async def body(self) -> bytes:
        """Read the body, once. Raises HttpError (413) when it is too large, before it is read where it says so."""
        if self._raw_body is None:
            declared = self.headers.get("content-length", "")
            if declared.isdecimal() and int(declared) > self.max_body_bytes:
                raise self._too_large()
            raw = bytearray()
            async for chunk in self.stream():
                raw += chunk
                if len(raw) > self.max_body_bytes:
                    raise self._too_large()
            self._raw_body = bytes(raw)
        return self._raw_body

    def _too_large(self) -> HttpError:
        return HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "body_too_large",
            f"The body is larger than {self.max_body_bytes} bytes",
        )


class OperationRequest(BoundedRequest):
    """A request to an operation; a handler gets it authenticated, permitted and validated."""

    principal = Principal(Actor.ANYONE)
    client_address = "unknown"
    query: BaseModel | None = None
    content: BaseModel | None = None
    """The body, parsed; None when the operation takes none, or none came."""

    @property
    def has_body(self) -> bool:
        """Whether a body comes along, by the headers."""
        return (self.headers.get("content-length") or "0") != "0" or "transfer-encoding" in self.headers

    def body_as(self, kind: type[Model]) -> Model:
        """Return the body, which the operation declares to be of that kind."""
        assert isinstance(self.content, kind)  # noqa: S101 - the operation's own declaration
        return self.content

    def query_as(self, kind: type[Model]) -> Model:
        """Return the query, which the operation declares to be of that kind."""
        assert isinstance(self.query, kind)  # noqa: S101 - the operation's own declaration
        return self.query


Handler = Callable[[OperationRequest], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class RoomSource:
    """Where a request says which room it is about, so that permission is decided before its content is judged.

    `path`, `query`, `body`: by a parameter or field with one of `names`. `recording`: it is the room of the recording
    whose id is the path's parameter; a ticket opens this one recording. `token`: no room can be chosen, the credential
    decides.
    """

    place: Literal["path", "query", "body", "recording", "token"]
    names: tuple[str, ...] = ()


ROOM_IN_PATH: Final = RoomSource("path", ("roomName",))
ROOM_IN_QUERY: Final = RoomSource("query", ("roomName",))
ROOM_IN_BODY: Final = RoomSource("body", ("roomName", "roomId"))
ROOM_OF_RECORDING: Final = RoomSource("recording", ("recordingId",))
ROOM_OF_TOKEN: Final = RoomSource("token")


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """One documented response: what it means, the model of its body, and its headers."""

    description: str
    model: type[BaseModel] | None = None
    is_list: bool = False
    media_type: str = "application/json"
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path of a base path.

    `room` must be given when the action is allowed to an actor who is bound to a room. `header_names` are request
    headers it reads; `check_headers` raises when one of them is malformed. Without `body_required` an empty body is as
    good as none; one that is longer than `max_body_bytes` is refused. `is_addition`: the given document does not have
    it.
    """

    id: str
    method: str
    path: str
    action: Action
    handle: Handler
    summary: str
    tag: str
    responses: Mapping[int, ResponseSpec]
    room: RoomSource | None = None
    body: type[BaseModel] | None = None
    body_required: bool = True
    max_body_bytes: int = SMALL_BODY_BYTES
    query: type[BaseModel] | None = None
    header_names: tuple[str, ...] = ()
    check_headers: Callable[[Request], None] | None = None
    is_addition: bool = False


_ERROR_TEXT: Final[Mapping[int, str]] = {
    HTTPStatus.BAD_REQUEST: "Bad Request: the Range header is malformed",
    HTTPStatus.UNAUTHORIZED: "Unauthorized: no valid credential",
    HTTPStatus.FORBIDDEN: "Forbidden: the credential may not do this",
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.CONFLICT: "Conflict: the state does not allow it",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Unsupported Media Type",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "Requested range not satisfiable",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Unprocessable Entity: a field is wrong",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many failed attempts: wait",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Internal server error",
    HTTPStatus.SERVICE_UNAVAILABLE: "A part of the installation cannot do it right now",
}


def errors(*statuses: int) -> dict[int, ResponseSpec]:
    """Document refusals; every operation may also fail inside."""
    return {status: ResponseSpec(_ERROR_TEXT[status], Problem) for status in (*statuses, 500)}


def one(
    description: str, model: type[BaseModel], *statuses: int, headers: tuple[str, ...] = ()
) -> Mapping[int, ResponseSpec]:
    """Document an operation that answers one thing, or refuses with one of `statuses`."""
    return {200: ResponseSpec(description, model, headers=headers), **errors(*statuses)}


def many(description: str, model: type[BaseModel], *statuses: int) -> Mapping[int, ResponseSpec]:
    """Document an operation that answers a bare array."""
    headers = ("X-Next-Page-Token", "Link")
    return {200: ResponseSpec(description, model, is_list=True, headers=headers), **errors(*statuses)}


def nothing(description: str, *statuses: int) -> Mapping[int, ResponseSpec]:
    """Document an operation that answers 204."""
    return {204: ResponseSpec(description), **errors(*statuses)}
