"""Errors at the edge: which class becomes which status, and what the body looks like. One table, one shape."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

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
from tertulia.http.kit.asgi import Header
from tertulia.http.kit.replies import Reply, json_reply


class HttpError(TertuliaError):
    """What only HTTP can get wrong: a method, a content type, a range."""

    def __init__(self, status: HTTPStatus, code: str, message: str, *, headers: Sequence[Header] = ()) -> None:
        super().__init__(code, message)
        self.status = status
        self.headers = tuple(headers)


STATUS: Final[dict[type[TertuliaError], HTTPStatus]] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def unknown_path() -> HttpError:
    """Answer a path that no operation has."""
    return HttpError(HTTPStatus.NOT_FOUND, "path_not_found", "There is nothing at this path")


def method_not_allowed(*allowed: str) -> HttpError:
    """Answer a method that a path does not have; where GET may be used, so may HEAD."""
    methods = ", ".join((*allowed, "HEAD") if "GET" in allowed else allowed)
    return HttpError(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "method_not_allowed",
        f"This path allows {methods}",
        headers=[(b"allow", methods.encode())],
    )


def error_reply(error: TertuliaError, request_id: str) -> Reply:
    """Make the answer to a refused request."""
    body: dict[str, Any] = {"code": error.code, "message": error.message, "requestId": request_id}
    if error.name is not None:
        body["name"] = error.name
    if isinstance(error, InvalidInput):
        body["error"] = "Unprocessable Entity"
        body["details"] = [{"field": problem.field, "message": problem.message} for problem in error.problems]
    headers: list[Header] = []
    if isinstance(error, HttpError):
        headers.extend(error.headers)
        return json_reply(body, status=error.status, headers=headers)
    if isinstance(error, TooManyRequests | Unavailable):
        headers.append((b"retry-after", str(error.retry_after_s).encode()))
    status = STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
    if status is HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    return json_reply(body, status=status, headers=headers)


def internal_error() -> HttpError:
    """Answer a defect of ours, without telling its inside."""
    return HttpError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Internal server error")
