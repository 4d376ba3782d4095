"""What an embedded media server tells about itself, beyond LiveKit's API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes of all packets since the media server was started."""

    received_bytes: int
    sent_bytes: int


class MediaTelemetry(Protocol):
    """Figures of the media server that is a part of this server; of an external one nothing is known."""

    def traffic(self) -> Traffic | None:
        """Return what was received and sent so far; None where it is not known."""
        ...
