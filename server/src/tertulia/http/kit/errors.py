"""Errors over HTTP: which class becomes which status, and what the body looks like. One table, one shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar

import structlog
from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tertulia.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    TertuliaError,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from tertulia.http.kit.responses import JsonResponse, StreamedResponse

MAX_PROBLEMS: Final = 20
"""Of a request with more wrong fields, only so many are told."""
_MAX_FIELD: Final = 100
_MAX_MESSAGE: Final = 500
_log = structlog.get_logger(__name__)
RequestType = TypeVar("RequestType", bound=Request)


class HttpError(TertuliaError):
    """What only HTTP can get wrong: a method, a content type, a range."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code, message)
        self.status = status
        self.headers = headers or {}


STATUS: Final[Mapping[type[TertuliaError], HTTPStatus]] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


class ProblemDetail(BaseModel):
    """One wrong field."""

    field: str | None = None
    message: str | None = None


class Problem(BaseModel):
    """A refused request."""

    message: str
    code: str | None = None
    name: str | None = None
    error: str | None = None
    details: list[ProblemDetail] | None = None
    requestId: str | None = None


def unknown_path() -> HttpError:
    """Make the error for a path that nothing serves."""
    return HttpError(HTTPStatus.NOT_FOUND, "path_not_found", "There is nothing at this path")


def method_not_allowed(*allowed: str) -> HttpError:
    """Make the error for a method that a path does not have; where GET is allowed, so is HEAD."""
    methods = ", ".join((*allowed, "HEAD") if "GET" in allowed else allowed)
    return HttpError(
        HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", f"This path allows {methods}", headers={"allow": methods}
    )


def internal_error() -> HttpError:
    """Make the error for a defect of ours, which says nothing about it."""
    return HttpError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Internal server error")


def error_response(error: TertuliaError, request_id: str) -> JsonResponse:
    """Make the response to a refused request, which is short whatever the request repeated in it."""
    body: dict[str, Any] = {"code": error.code, "message": _cut(_told(error), _MAX_MESSAGE), "requestId": request_id}
    if error.name is not None:
        body["name"] = error.name
    if isinstance(error, InvalidInput):
        body["error"] = "Unprocessable Entity"
        body["details"] = [
            {"field": _cut(problem.field, _MAX_FIELD), "message": _cut(problem.message, _MAX_MESSAGE)}
            for problem in error.problems[:MAX_PROBLEMS]
        ]
    if isinstance(error, HttpError):
        return JsonResponse(body, error.status, error.headers)
    status = _status(error)
    headers = {"www-authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else {}
    if isinstance(error, TooManyRequests | Unavailable):
        headers["retry-after"] = str(error.retry_after_s)
    return JsonResponse(body, status, headers)


def _status(error: TertuliaError) -> int:
    return error.status if isinstance(error, HttpError) else STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)


def _told(error: TertuliaError) -> str:
    """Return what a client is told: never what a database, a library or the system said; the log has it."""
    return error.told if _status(error) != HTTPStatus.INTERNAL_SERVER_ERROR else "Internal server error"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


class Endpoint(Generic[RequestType]):
    """An ASGI application that answers a request by a function, with JSON also when that refuses or fails."""

    def __init__(self, request_class: type[RequestType], respond: Callable[[RequestType], Awaitable[Response]]) -> None:
        self._request_class = request_class
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id = scope["state"]["request_id"]
        try:
            response = await self._respond(self._request_class(scope, receive))
            if isinstance(response, StreamedResponse):
                await response.prepare(scope)
        except ClientDisconnect:
            return
        except TertuliaError as error:
            response = error_response(error, request_id)
            if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                _log.warning("request failed", request_id=request_id, code=error.code, reason=error.message)
        except Exception:  # noqa: BLE001 - a defect costs one response, and is logged
            _log.exception("request failed by a defect", request_id=request_id)
            response = error_response(internal_error(), request_id)
        await response(scope, receive, send)
