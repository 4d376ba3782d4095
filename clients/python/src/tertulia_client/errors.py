"""Everything that the clients raise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final


class TertuliaError(Exception):
    """Base of all errors of this library."""


class ConnectionFailed(TertuliaError):
    """No answer came, also not after all retries; `__cause__` says why."""


class TimedOut(ConnectionFailed):
    """The server did not answer in time."""


class UnexpectedAnswer(TertuliaError):
    """An answer that is none of this API's: is the address that of a Tertulia server?"""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of a request."""

    field: str
    message: str


class ApiError(TertuliaError):
    """A refused request.

    `code` is for programs and stable (`room_not_found`), `request_id` is what the server's log has as well.
    """

    def __init__(self, status: int, body: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        self.status = status
        self.code = str(body.get("code") or f"http_{status}")
        self.message = str(body.get("message") or "The request was refused")
        self.request_id: str | None = body.get("requestId")
        self.retry_after_s = retry_after_s
        self.details: Sequence[FieldProblem] = [
            FieldProblem(str(each.get("field", "")), str(each.get("message", ""))) for each in body.get("details") or ()
        ]
        fields = "".join(f"; {each.field}: {each.message}" for each in self.details)
        super().__init__(f"{self.message} ({self.code}){fields}")


class InvalidRequest(ApiError):
    """A request that the server cannot read, or a field that is wrong: see `details`."""


class Unauthenticated(ApiError):
    """The API key is missing or wrong."""


class Forbidden(ApiError):
    """The credential may not do this."""


class NotFound(ApiError):
    """There is no such room, participant or recording, or not any more."""


class Conflict(ApiError):
    """The state does not allow it: already recording, nobody in the room."""


class TooManyRequests(ApiError):
    """Too many requests: `retry_after_s` says when again."""


class Unavailable(ApiError):
    """A part of the installation cannot do it right now: `retry_after_s` says when again."""


class ServerError(ApiError):
    """A defect of the server; its log has the reason under `request_id`."""


BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
    429: TooManyRequests,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def api_error(status: int, body: object, retry_after_s: float | None) -> ApiError:
    """Make the error of an answer; `body` is its JSON, or what else there was."""
    kind = BY_STATUS.get(status, ServerError if status >= 500 else ApiError)  # noqa: PLR2004 - RFC 9110, section 15.6
    return kind(status, body if isinstance(body, Mapping) else {}, retry_after_s)
