"""What the embedded media server tells of itself."""

from __future__ import annotations

from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.services.ports import MediaTelemetry, ParticipantQuality, Traffic, VideoPublished, VideoReceived
from tertulia_sfu.rooms.quality import ParticipantQuality as SessionQuality
from tertulia_sfu.server import MediaServer


class EmbeddedTelemetry(MediaTelemetry):
    """Figures of the embedded media server, once `media` is it."""

    def __init__(self) -> None:
        self.media: MediaServer | None = None

    def traffic(self) -> Traffic | None:
        """Read the core's counters."""
        stats = {} if self.media is None else self.media.stats()
        return Traffic(stats["bytes_in"], stats["bytes_out"]) if stats else None

    def drain(self) -> None:
        """Take no new meetings from now on."""
        if self.media is not None:
            self.media.drain()

    def has_meetings(self) -> bool:
        """Return whether a meeting runs on the embedded media server."""
        return self.media is not None and self.media.has_rooms()

    def quality(self, room: RoomName) -> list[ParticipantQuality]:
        """Leave out recorders, whom nobody sees."""
        return [] if self.media is None else [_quality(each) for each in self.media.quality(room)]


def _quality(session: SessionQuality) -> ParticipantQuality:
    path = session.path
    return ParticipantQuality(
        identity=Identity(session.identity),
        joined_at_ms=_milliseconds(session.joined_at),
        is_connected=session.is_connected,
        join_ms=None if session.join_s is None else int(session.join_s * 1000),
        reported_at_ms=None if session.reported_at is None else _milliseconds(session.reported_at),
        family=None if path is None else path.family,
        protocol=None if path is None else path.protocol,
        address=None if path is None else path.address,
        rtt_ms=session.rtt_ms,
        loss_up=session.loss_up,
        loss_down=session.loss_down,
        jitter_up_ms=session.jitter_up_ms,
        jitter_down_ms=session.jitter_down_ms,
        estimate_bps=session.estimate_bps,
        keyframe_requests=session.keyframe_requests,
        published=[VideoPublished(track, layers) for track, layers in session.published],
        received=[VideoReceived(*video) for video in session.subscribed],
    )


def _milliseconds(at_s: float) -> Millis:
    return Millis(int(at_s * 1000))
