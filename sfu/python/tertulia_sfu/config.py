"""What the media server is told by whoever starts it, and the door that an application may put in front of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from livekit.protocol.models import DisconnectReason

from .ids import Identity, ParticipantSid, RoomName
from .tokens import Claims, VideoGrant

MAX_METADATA_BYTES = 512 * 1024
MAX_ATTRIBUTES_BYTES = 64 * 1024


@dataclass(frozen=True)
class IceServer:
    """A STUN or TURN server for clients (RFC 8489, RFC 8656)."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""


def no_ice_servers(_participant: ParticipantSid) -> list[IceServer]:
    """None: clients reach the media port directly."""
    return []


@dataclass(frozen=True)
class MediaConfig:
    """Settings of a media server.

    `keys`: API key → secret. `udp_port` 0: any free one. `addresses`: IP addresses offered to clients; empty: those of
    this machine. `bind`: where the UDP port listens; empty: everywhere, or on loopback if all `addresses` are there.
    `workers` 0: one for each core.
    """

    keys: Mapping[str, str]
    udp_port: int = 7882
    tcp_port: int = 7881
    bind: str = ""
    addresses: tuple[str, ...] = ()
    workers: int = 0
    webhook_urls: tuple[str, ...] = ()
    webhook_key: str = ""
    ice_servers: Callable[[ParticipantSid], list[IceServer]] = no_ice_servers
    empty_timeout_s: int = 300
    departure_timeout_s: int = 20
    join_timeout_s: float = 60.0
    token_refresh_s: float = 300.0
    auto_create: bool = True
    remote_unmute: bool = False


@dataclass(frozen=True)
class JoinAttempt:
    """Somebody with a valid token at the door. `reconnect`: resumes the session it already has."""

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


class Door(Protocol):
    """The application's last word on who comes in."""

    async def admit(self, join: JoinAttempt) -> Admission:
        """Asked for each join and each resume, after the token was verified."""


class OpenDoor:
    """Everyone with a valid token comes in."""

    async def admit(self, join: JoinAttempt) -> Admission:
        """Admit."""
        return Admission()
