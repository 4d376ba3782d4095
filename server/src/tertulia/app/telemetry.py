"""What the embedded media server tells of itself."""

from __future__ import annotations

from tertulia.services.ports import MediaTelemetry, Traffic
from tertulia_sfu.server import MediaServer


class EmbeddedTelemetry(MediaTelemetry):
    """Figures of the embedded media server, once `media` is it."""

    def __init__(self) -> None:
        self.media: MediaServer | None = None

    def traffic(self) -> Traffic | None:
        """Read the core's counters."""
        stats = {} if self.media is None else self.media.stats()
        return Traffic(stats["bytes_in"], stats["bytes_out"]) if stats else None
