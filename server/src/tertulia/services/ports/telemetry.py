"""What an embedded media server tells about itself, beyond LiveKit's API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tertulia.domain.ids import Identity, Millis, RoomName


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes of all packets since the media server was started."""

    received_bytes: int
    sent_bytes: int


@dataclass(frozen=True, slots=True)
class VideoReceived:
    """A video that a participant wants: the layer that it is sent (None: nothing now), and the best there is."""

    track: str
    layer: str | None
    best: str | None


@dataclass(frozen=True, slots=True)
class VideoPublished:
    """A video that a participant publishes, and the layers of it that arrive."""

    track: str
    layers: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantQuality:
    """How good a participant's connection is, or was; None where it is not known.

    `up` is from the participant to the server; losses are shares from 0 to 1. `address` is shortened.
    """

    identity: Identity
    joined_at_ms: Millis
    is_connected: bool
    join_ms: int | None = None
    reported_at_ms: Millis | None = None
    family: str | None = None
    protocol: str | None = None
    address: str | None = None
    rtt_ms: int | None = None
    loss_up: float | None = None
    loss_down: float | None = None
    jitter_up_ms: int | None = None
    jitter_down_ms: int | None = None
    estimate_bps: int | None = None
    keyframe_requests: int = 0
    published: Sequence[VideoPublished] = ()
    received: Sequence[VideoReceived] = ()


class MediaTelemetry(Protocol):
    """Figures of the media server that is a part of this server; of an external one nothing is known."""

    def traffic(self) -> Traffic | None:
        """Return what was received and sent so far; None where it is not known."""
        ...

    def quality(self, room: RoomName) -> list[ParticipantQuality]:
        """List how good the connections are of those who are or were in a running meeting; none where unknown."""
        ...
