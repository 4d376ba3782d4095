"""The errors of the product, as one small tree with stable codes.

    TertuliaError
    ├── InvalidInput        a part of the request is not valid; carries the fields
    ├── Unauthenticated     no credential, or one that is not valid
    ├── Forbidden           a credential that may not do this
    ├── NotFound            what the request names does not exist (any more)
    ├── Conflict            it exists, but is in a state that forbids this
    ├── TooManyRequests     too many failures; carries when to try again
    ├── Unavailable         the request is valid: this server cannot do it now
    └── ConfigurationError  this installation cannot start or run a command as it is set up

`http/kit/errors.py` maps a class to an HTTP status in one table; no other layer knows about HTTP.
A `code` is part of the API: it never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class TertuliaError(Exception):
    """Root of the tree: a stable `code` for programs, a `message` for users, a `name` for what it is about.

    Clients are told `told`: the message, where that does not repeat what a part of the installation said.
    """

    def __init__(self, code: str, message: str, *, name: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.told = message
        self.name = name


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong field: its dotted path and what was expected."""

    field: str
    message: str


class InvalidInput(TertuliaError):
    """A part of the request (`place`: body, query, path, headers) is not valid."""

    def __init__(self, place: str, problems: Sequence[FieldProblem]) -> None:
        super().__init__(f"invalid_{place}", f"Invalid request {place}")
        self.place = place
        self.problems = tuple(problems)


class Unauthenticated(TertuliaError):
    """The client is not known."""


class Forbidden(TertuliaError):
    """The client is known, and may not do this."""


class NotFound(TertuliaError):
    """What the request names does not exist."""


class Conflict(TertuliaError):
    """The state of what the request names forbids it."""


class TooManyRequests(TertuliaError):
    """Too many failures from one address or for one account."""

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__("too_many_requests", message)
        self.retry_after_s = retry_after_s


class Unavailable(TertuliaError):
    """A part of this installation cannot do its work right now; `told` leaves out what it said itself."""

    def __init__(self, code: str, message: str, *, told: str | None = None, retry_after_s: int = 5) -> None:
        super().__init__(code, message)
        self.told = message if told is None else told
        self.retry_after_s = retry_after_s


class ConfigurationError(TertuliaError):
    """The installation cannot run as it is set up; the message says what to change."""

    def __init__(self, message: str) -> None:
        super().__init__("configuration", message)


def unauthenticated() -> Unauthenticated:
    """Return the one refusal for every missing or wrong credential, so that nothing is learned from it."""
    return Unauthenticated("unauthenticated", "Unauthorized: a valid credential of the right kind is needed")


def forbidden() -> Forbidden:
    """Return the refusal of a client that is known."""
    return Forbidden("forbidden", "Insufficient permissions to access this resource")


def room_not_found(name: str) -> NotFound:
    """Return the error for a room that is unknown, deleted or expired: the same for a client."""
    return NotFound("room_not_found", f"The room '{name}' does not exist", name="Room Error")


def name_taken(name: str) -> Conflict:
    """Return the error for a name that another participant of the room has."""
    return Conflict("participant_exists", f"Participant '{name}' already exists in the room", name="Participant Error")


def participant_not_found(name: str) -> NotFound:
    """Return the error for a participant that is not in the room."""
    return NotFound("participant_not_found", f"Participant '{name}' is not in the room", name="Participant Error")


def recordings_unavailable(reason: str) -> Unavailable:
    """Return the error of a store of files that cannot be used."""
    told = "The recordings cannot be reached right now"
    return Unavailable("recordings_unavailable", f"{told}: {reason}", told=told)


def recording_not_found(recording_id: str) -> NotFound:
    """Return the error for an unknown recording."""
    return NotFound("recording_not_found", f"Recording '{recording_id}' does not exist", name="Recording Error")
