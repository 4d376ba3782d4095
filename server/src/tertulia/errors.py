"""Everything that can be refused, as one small tree with stable codes.

    TertuliaError
    ├── InvalidInput        the request says something impossible; carries the fields
    ├── Unauthenticated     no credential, or one that proves nothing
    ├── Forbidden           a credential that may not do this
    ├── NotFound            what was named does not exist (any more)
    ├── Conflict            it exists, but is in a state that forbids this
    ├── TooManyRequests     slow down; carries when to come back
    ├── Unavailable         nothing wrong with the request: this server cannot do it now
    └── ConfigurationError  this installation cannot start or run a command as it is set up

The edge maps a class to an HTTP status in one table (`http/errors.py`); nobody below the edge knows about HTTP.
A `code` is part of the API: it never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class TertuliaError(Exception):
    """Root of the tree: a stable `code` for programs, a `message` for people, a `name` for what it is about."""

    def __init__(self, code: str, message: str, *, name: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.name = name


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong field: its dotted path and what was expected."""

    field: str
    message: str


class InvalidInput(TertuliaError):
    """The `place` (body, query, path, headers) holds something impossible."""

    def __init__(self, place: str, problems: Sequence[FieldProblem]) -> None:
        super().__init__(f"invalid_{place}", f"Invalid request {place}")
        self.place = place
        self.problems = tuple(problems)


class Unauthenticated(TertuliaError):
    """Who asks is not known."""


class Forbidden(TertuliaError):
    """Who asks is known, and may not."""


class NotFound(TertuliaError):
    """What was named is not there."""


class Conflict(TertuliaError):
    """The state of what was named forbids it."""


class TooManyRequests(TertuliaError):
    """Too many failures from one place or for one account."""

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__("too_many_requests", message)
        self.retry_after_s = retry_after_s


class Unavailable(TertuliaError):
    """A part of this installation cannot do its work right now."""

    def __init__(self, code: str, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s


class ConfigurationError(TertuliaError):
    """The installation cannot run as it is set up; the message says what to change."""

    def __init__(self, message: str) -> None:
        super().__init__("configuration", message)


def unauthenticated() -> Unauthenticated:
    """Say the same to everybody without a valid credential, so that nothing is learned from it."""
    return Unauthenticated("unauthenticated", "Unauthorized: a valid credential of the right kind is needed")


def forbidden() -> Forbidden:
    """Refuse somebody who is known."""
    return Forbidden("forbidden", "Insufficient permissions to access this resource")


def room_not_found(name: str) -> NotFound:
    """Say that a room is unknown, deleted or over: the three are the same to the outside."""
    return NotFound("room_not_found", f"The room '{name}' does not exist", name="Room Error")


def participant_not_found(name: str) -> NotFound:
    """Say that nobody of that name is in the room."""
    return NotFound("participant_not_found", f"Participant '{name}' is not in the room", name="Participant Error")


def recording_not_found(recording_id: str) -> NotFound:
    """Say that a recording is unknown."""
    return NotFound("recording_not_found", f"Recording '{recording_id}' does not exist", name="Recording Error")
