"""How an installation is, for administrators: its parts in figures, beside the words that strangers are told."""

from __future__ import annotations

from dataclasses import dataclass

from tertulia.domain.recordings.recording import OCCUPYING, Recording
from tertulia.errors import Unavailable
from tertulia.services.ports import Disk, MediaServerClient, Store
from tertulia.services.readiness import Readiness, ReadinessService


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state of the parts and their figures; None where a part cannot be asked."""

    readiness: Readiness
    free_bytes: int | None
    total_bytes: int | None
    rooms: int | None
    participants: int | None
    recordings: int | None
    waiting_recordings: int | None


class StatusService:
    """Asks all parts for their figures; one that does not answer leaves the others' in."""

    def __init__(self, *, store: Store, media: MediaServerClient, disk: Disk, readiness: ReadinessService) -> None:
        self._store = store
        self._media = media
        self._disk = disk
        self._readiness = readiness

    async def look(self) -> Status:
        """Return how the installation is now."""
        readiness = await self._readiness.look()
        free_bytes, total_bytes = await self._disk_bytes()
        counts, running = await self._counts(), await self._running()
        return Status(
            readiness=readiness,
            free_bytes=free_bytes,
            total_bytes=total_bytes,
            rooms=None if counts is None else sum(count > 0 for count in counts),
            participants=None if counts is None else sum(counts),
            recordings=None if running is None else sum(each.lease_owner is not None for each in running),
            waiting_recordings=None if running is None else sum(each.lease_owner is None for each in running),
        )

    async def _disk_bytes(self) -> tuple[int | None, int | None]:
        try:
            return await self._disk.free_bytes(), await self._disk.total_bytes()
        except OSError:
            return None, None

    async def _counts(self) -> list[int] | None:
        try:
            return [*(await self._media.participant_counts()).values()]
        except Unavailable:
            return None

    async def _running(self) -> list[Recording] | None:
        try:
            found = await self._store.read(lambda tx: tx.recordings.held_by_others(""))
        except Unavailable:
            return None
        return [each for each in found if each.state in OCCUPYING]
