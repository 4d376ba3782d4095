"""Readiness: can this server do its work right now? Load balancers ask, often; and strangers may."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from tertulia.errors import Unavailable
from tertulia.services.ports import Disk, MediaServerClient, Store

_log = structlog.get_logger(__name__)
_CACHE_S: Final = 1.0
_DEADLINE_S: Final = 2.0
_FULL_BELOW_BYTES: Final = 1_000_000


class PartState(StrEnum):
    """How a part that the server needs is."""

    OK = "ok"
    LOW = "low"
    FULL = "full"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of each part. A disk that is low refuses recordings only; one that is full refuses everything."""

    database: PartState
    media: PartState
    disk: PartState

    @property
    def is_ready(self) -> bool:
        """Return whether the server can do its work."""
        return not {self.database, self.media, self.disk} & {PartState.FULL, PartState.UNAVAILABLE}


class ReadinessService:
    """Asks the parts that this server needs: once for all who ask within a second, and none for longer than two.

    `low_below_bytes`: with less than that free, the disk takes no recording.
    """

    def __init__(self, *, store: Store, media: MediaServerClient, disk: Disk, low_below_bytes: int) -> None:
        self._store = store
        self._media = media
        self._disk = disk
        self._low_below_bytes = low_below_bytes
        self._looking = asyncio.Lock()
        self._last: Readiness | None = None
        self._last_at_s = 0.0

    async def look(self) -> Readiness:
        """Return the state of the parts, at most a second old."""
        async with self._looking:
            if self._last is None or time.monotonic() - self._last_at_s >= _CACHE_S:
                found = await self._look()
                self._log_change(found)
                self._last, self._last_at_s = found, time.monotonic()
            return self._last

    async def _look(self) -> Readiness:
        database, media, disk = await asyncio.gather(
            _answers("database", self._store.check), _answers("media server", self._media.check), self._disk_state()
        )
        return Readiness(database, media, disk)

    def _log_change(self, found: Readiness) -> None:
        if found == self._last or (self._last is None and found.is_ready):
            return
        log = _log.info if found.is_ready else _log.warning
        log("readiness", is_ready=found.is_ready, database=found.database, media=found.media, disk=found.disk)

    async def _disk_state(self) -> PartState:
        try:
            async with asyncio.timeout(_DEADLINE_S):
                free_bytes = await self._disk.free_bytes()
        except (TimeoutError, OSError):
            return PartState.UNAVAILABLE
        if free_bytes < _FULL_BELOW_BYTES:
            return PartState.FULL
        return PartState.LOW if free_bytes < self._low_below_bytes else PartState.OK


async def _answers(part: str, check: Callable[[], Awaitable[None]]) -> PartState:
    try:
        async with asyncio.timeout(_DEADLINE_S):
            await check()
    except (TimeoutError, Unavailable) as error:
        _log.warning("not ready", part=part, reason=str(error) or f"no answer within {_DEADLINE_S:g} s")
        return PartState.UNAVAILABLE
    return PartState.OK
