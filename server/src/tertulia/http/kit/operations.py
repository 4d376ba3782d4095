"""Operations: what one method on one path reads, who may call it, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from pydantic import BaseModel

from tertulia.domain.access import Action, Principal
from tertulia.errors import forbidden
from tertulia.http.kit.asgi import Scope
from tertulia.http.kit.replies import Reply

Model = TypeVar("Model", bound=BaseModel)


@dataclass(slots=True)
class Call:
    """One request to an operation, authenticated, permitted and validated."""

    scope: Scope
    path: Mapping[str, str]
    principal: Principal
    address: str
    request_id: str
    query: BaseModel | None = None
    body: BaseModel | None = None
    raw_body: bytes = b""

    def body_as(self, kind: type[Model]) -> Model:
        """Return the body, which the operation declares to be of that kind."""
        assert isinstance(self.body, kind)  # noqa: S101 - the operation's own declaration
        return self.body

    def query_as(self, kind: type[Model]) -> Model:
        """Return the query, which the operation declares to be of that kind."""
        assert isinstance(self.query, kind)  # noqa: S101 - the operation's own declaration
        return self.query

    def only_in(self, room: str) -> None:
        """Refuse a participant of another room."""
        if self.principal.room is not None and self.principal.room != room:
            raise forbidden()


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Answer:
    """One documented answer: what it means, the model of its body, and its headers."""

    description: str
    model: type[BaseModel] | None = None
    is_list: bool = False
    media_type: str = "application/json"
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path of a base path.

    `header_names` are request headers it reads; `check_headers` raises when one of them is malformed. Without
    `body_required` an empty body is as good as none. `is_addition`: the given document does not have it.
    """

    id: str
    method: str
    path: str
    action: Action
    handle: Handler
    summary: str
    tag: str
    answers: Mapping[int, Answer]
    body: type[BaseModel] | None = None
    body_required: bool = True
    query: type[BaseModel] | None = None
    header_names: tuple[str, ...] = ()
    check_headers: Callable[[Scope], None] | None = None
    is_addition: bool = False


ERROR_TEXT: Mapping[int, str] = {
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
