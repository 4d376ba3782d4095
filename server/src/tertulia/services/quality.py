"""How good the connections of a meeting's participants are, for administrators."""

from __future__ import annotations

from tertulia.services.ports import Clock, MediaTelemetry, ParticipantQuality, Store
from tertulia.services.rooms import find_room


class QualityService:
    """Shows what the embedded media server tells; of an external one nothing is known."""

    def __init__(self, *, store: Store, clock: Clock, telemetry: MediaTelemetry) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry

    async def in_room(self, name: str) -> list[ParticipantQuality]:
        """List those who are or were in the running meeting, as they came. Raises NotFound."""
        now_ms = self._clock.now_ms()
        room = await self._store.read(lambda tx: find_room(tx, name, now_ms))
        return self._telemetry.quality(room.name)
