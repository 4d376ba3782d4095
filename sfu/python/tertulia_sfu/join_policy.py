"""What an application decides beyond a valid token, at every join and resume."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tertulia_sfu.ids import Identity, RoomName
from tertulia_sfu.tokens import Claims, VideoGrant


@dataclass(frozen=True)
class JoinAttempt:
    """A client with a valid token. `reconnect`: it resumes the session that it already has."""

    room: RoomName
    identity: Identity
    claims: Claims
    reconnect: bool


@dataclass(frozen=True)
class Refusal:
    """An HTTP status and a sentence for a client that may not join.

    401, 403 and 404 are final for LiveKit's clients; a 5xx makes them try again.
    """

    status: int
    message: str


@dataclass(frozen=True)
class Admission:
    """The decision about one join attempt. A field that is None leaves what the token says.

    `token_not_after` (Unix seconds): refreshed tokens of this participant never expire later.
    """

    refusal: Refusal | None = None
    grant: VideoGrant | None = None
    metadata: str | None = None
    name: str | None = None
    attributes: Mapping[str, str] | None = None
    token_not_after: float | None = None


class JoinPolicy(Protocol):
    """The application's decision about who may join."""

    async def admit(self, join: JoinAttempt) -> Admission:
        """Decide about one join or resume, after the token was verified."""


class AllowAllJoins:
    """A join policy for which a valid token suffices."""

    async def admit(self, join: JoinAttempt) -> Admission:
        """Admit every client as its token says."""
        return Admission()
