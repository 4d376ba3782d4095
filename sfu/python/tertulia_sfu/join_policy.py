"""Who may join: what an application can decide beyond a valid token, at every join and resume."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from livekit.protocol.models import DisconnectReason

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
    """Not let in: an HTTP status and a sentence for the client, and LiveKit's reason.

    401, 403 and 404 are final for LiveKit's clients; a 5xx makes them try again.
    """

    status: int
    sentence: str
    reason: "DisconnectReason" = DisconnectReason.JOIN_FAILURE


@dataclass(frozen=True)
class Admission:
    """Let in, or refused. What is None stays as the token says.

    `token_not_after` (Unix seconds): refreshed tokens of this participant never live longer.
    """

    refusal: Refusal | None = None
    grant: VideoGrant | None = None
    metadata: str | None = None
    name: str | None = None
    attributes: Mapping[str, str] | None = None
    token_not_after: float | None = None


class JoinPolicy(Protocol):
    """The application's last word on who comes in."""

    async def admit(self, join: JoinAttempt) -> Admission:
        """Asked for each join and each resume, after the token was verified."""


class AllowAllJoins:
    """Everyone with a valid token comes in."""

    async def admit(self, join: JoinAttempt) -> Admission:
        """Admit."""
        return Admission()
