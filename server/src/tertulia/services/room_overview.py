"""What an administrator sees of rooms: searched and sorted, and who is in them now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from tertulia.domain.ids import RecordingId, RoomName
from tertulia.domain.rooms import Room
from tertulia.errors import Unavailable
from tertulia.services.ports import Clock, MediaServerClient, RoomSearch, Store, Transaction

_log = structlog.get_logger(__name__)
MAX_LIVE: Final = 10_000
"""So many running meetings can be searched at most: what a statement may name."""


@dataclass(frozen=True, slots=True)
class RoomInView:
    """A room, how many are in it (None while the media server cannot be asked), and the recording that is made."""

    room: Room
    participants: int | None
    recording: RecordingId | None


class RoomOverview:
    """Lists rooms for the console; a page costs one request to the media server, however many rooms it has."""

    def __init__(self, *, store: Store, clock: Clock, media: MediaServerClient) -> None:
        self._store = store
        self._clock = clock
        self._media = media

    async def page(self, wanted: RoomSearch, *, only_live: bool = False) -> list[RoomInView]:
        """List rooms. Raises Unavailable when only those with a meeting are wanted and the media server is away."""
        if only_live:
            running = await self._media.participant_counts()
            wanted = replace(wanted, names=[*running][:MAX_LIVE])
        now_ms = self._clock.now_ms()

        def read(tx: Transaction) -> tuple[list[Room], dict[RoomName, RecordingId]]:
            rooms = tx.rooms.search(wanted, now_ms=now_ms)
            return rooms, tx.recordings.active_in_rooms([room.name for room in rooms])

        rooms, recordings = await self._store.read(read)
        counts = running if only_live else await self._counts([room.name for room in rooms])
        return [
            RoomInView(room, None if counts is None else counts.get(room.name, 0), recordings.get(room.name))
            for room in rooms
        ]

    async def _counts(self, names: Sequence[RoomName]) -> dict[RoomName, int] | None:
        if not names:
            return {}
        try:
            return await self._media.participant_counts(names)
        except Unavailable as error:
            _log.warning("rooms are listed without who is in them", reason=error.message)
            return None
