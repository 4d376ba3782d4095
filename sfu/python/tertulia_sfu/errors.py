"""What can go wrong: one small tree with stable codes. Each edge maps the codes in one table of its own."""

# ruff: noqa: N818 – they are named after what happened; the base class says that they are errors

from typing import ClassVar


class MediaError(Exception):
    """Base of all errors that a caller caused or can act on. The text is a sentence for people."""

    code: ClassVar[str] = "internal"


class InvalidToken(MediaError):
    """The access token is missing, malformed, expired, or not signed with a known key."""

    code = "unauthenticated"


class GrantMissing(MediaError):
    """The token is good, but does not allow this."""

    code = "unauthenticated"


class InvalidRequest(MediaError):
    """The request itself cannot be meant: malformed, too long, or empty where something is needed."""

    code = "invalid_argument"


class Malformed(MediaError):
    """The bytes are no request at all."""

    code = "malformed"


class NotFound(MediaError):
    """There is no such room, participant or track."""

    code = "not_found"


class Unreachable(MediaError):
    """The room or participant that should act on the request is not here."""

    code = "unavailable"


class NotNow(MediaError):
    """The state of the room or participant does not allow it."""

    code = "failed_precondition"


class TooLate(MediaError):
    """Nobody answered in time."""

    code = "deadline_exceeded"


class NotImplementedHere(MediaError):
    """A method of LiveKit's API that this server does not have."""

    code = "unimplemented"


class RoomFull(MediaError):
    """The room already holds as many participants as it may."""

    code = "resource_exhausted"


class Refused(MediaError):
    """The application behind the server refuses the join; `status` is the HTTP status for the client."""

    code = "permission_denied"

    def __init__(self, sentence: str, *, status: int, reason: int) -> None:
        super().__init__(sentence)
        self.status = status
        self.reason = reason
