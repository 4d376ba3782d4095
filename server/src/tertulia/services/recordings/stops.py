"""Stops that reach the recorder by the meeting: its worker, which would pass them on, may be away."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import structlog

from tertulia.domain.ids import RecordingId
from tertulia.domain.recordings.recording import Recording
from tertulia.errors import Unavailable
from tertulia.services.ports import Clock, MediaServerClient, Store
from tertulia.services.tokens import recorder_identity

_log = structlog.get_logger(__name__)
_TIMEOUT_S: Final = 1.0
"""A request for a stop waits so long for the media server at most."""


class RecorderStops:
    """Tells recorders, hidden participants of their meetings, that their recordings were stopped, and how long ago.

    Belongs to one event loop. Ages are of its monotonic clock, where this server knows the instant.
    """

    def __init__(self, *, store: Store, clock: Clock, media: MediaServerClient) -> None:
        self._store = store
        self._clock = clock
        self._media = media
        self._stopped_at_s: dict[RecordingId, float] = {}
        self._looked_at_s: float | None = None

    async def send(self, recording: Recording) -> None:
        """Tell the recorder of a recording that was stopped just now; `repeat` goes on when that fails."""
        self._stopped_at_s[recording.id] = time.monotonic()
        await self._tell(recording, self._stopped_at_s[recording.id])

    async def repeat(self) -> None:
        """Tell all recorders again whose recordings were stopped and have not ended. Called every few seconds.

        The media server may have been away, the recorder may be joining, or the server that was asked is gone.
        """
        looked_at_s = time.monotonic()
        stopping = await self._store.read(lambda tx: tx.recordings.stopping())
        known = {each.id: self._stopped_at_s.get(each.id) or self._estimated(each, looked_at_s) for each in stopping}
        self._stopped_at_s, self._looked_at_s = known, looked_at_s
        await asyncio.gather(*(self._tell(each, known[each.id]) for each in stopping))

    def _estimated(self, recording: Recording, now_s: float) -> float:
        """Return when another server was asked: the clocks may differ, but it was after our last look."""
        age_s = (self._clock.now_ms() - (recording.stop_requested_at_ms or 0)) / 1000
        if self._looked_at_s is not None:
            age_s = min(age_s, now_s - self._looked_at_s)
        return now_s - max(0.0, age_s)

    async def _tell(self, recording: Recording, stopped_at_s: float) -> None:
        identity, age_s = recorder_identity(recording.id), time.monotonic() - stopped_at_s
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await self._media.stop_recorder(recording.room, identity, age_s=age_s)
        except (Unavailable, TimeoutError) as error:
            _log.warning("a recorder is told of its stop by its worker only", recording=recording.id, reason=str(error))
