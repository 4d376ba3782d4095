"""The errors of the media server: one tree with stable codes. Each edge maps the codes in one table of its own."""

# ruff: noqa: N818 – they are named after what happened; the base class says that they are errors

from typing import ClassVar


class MediaError(Exception):
    """An error that a caller caused or can act on. Its text is a sentence for humans.

    `code` is one of Twirp's error codes (specification, version 7).
    """

    code: ClassVar[str] = "internal"


class InvalidToken(MediaError):
    """The access token is missing, malformed, expired, or not signed with a known key."""

    code = "unauthenticated"


class GrantMissing(MediaError):
    """The token is valid, but does not allow this."""

    code = "unauthenticated"


class InvalidRequest(MediaError):
    """The request is well-formed, but a value in it is missing, too long or out of range."""

    code = "invalid_argument"


class MalformedRequest(MediaError):
    """The bytes cannot be decoded as a request."""

    code = "malformed"


class EntityNotFound(MediaError):
    """The named room, participant or track does not exist."""

    code = "not_found"


class ServiceUnavailable(MediaError):
    """The room or participant that should act on the request is not on this server, or the server is stopping."""

    code = "unavailable"


class FailedPrecondition(MediaError):
    """The state of the room or participant does not allow the request."""

    code = "failed_precondition"


class DeadlineExceeded(MediaError):
    """No answer came in time."""

    code = "deadline_exceeded"


class Unimplemented(MediaError):
    """A method of LiveKit's API that this server does not have."""

    code = "unimplemented"


class RoomFull(MediaError):
    """The room already has `max_participants` participants."""

    code = "resource_exhausted"


class JoinRefused(MediaError):
    """The application's join policy refused the join; `status` is the HTTP status for the client."""

    code = "permission_denied"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
