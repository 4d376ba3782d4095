"""Expired rooms: their meetings end within a second, however many expire at one instant and however many are stuck."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from tertulia.domain.events import EventKind, room_event
from tertulia.domain.ids import Millis, RoomName
from tertulia.errors import Unavailable
from tertulia.services.ports import Clock, MediaServerClient, Store, Transaction

_log = structlog.get_logger(__name__)
_BATCH: Final = 500
_NEWEST: Final = 2000
_LONGEST_RETRY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Patience:
    """For how many meetings' ends one waits at once, and for how long."""

    at_once: int
    timeout_s: float


_FIRST: Final = _Patience(at_once=50, timeout_s=0.5)
_AGAIN: Final = _Patience(at_once=8, timeout_s=5.0)
_RETRIES_AFTER_MS: Final = 2000
"""Rooms that expired in this time are left to `close_new`."""


@dataclass(frozen=True, slots=True)
class _Failure:
    attempts: int
    retry_at_s: float


class ExpiredRooms:
    """Closes rooms that have expired. A room whose meeting cannot be ended is tried again by `retry` alone.

    So it is asked for rarely, and takes no time from those that expire meanwhile.
    """

    def __init__(
        self, *, store: Store, clock: Clock, media: MediaServerClient, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._clock = clock
        self._media = media
        self._now_s = now_s
        self._failures: dict[RoomName, _Failure] = {}

    async def close_new(self) -> None:
        """Close the rooms that expired last, unless that failed before. Raises Unavailable."""
        names = await self._page(self._clock.now_ms())
        await self._close([name for name in names if name not in self._failures], _FIRST)

    async def retry(self) -> None:
        """Close the others: those of a crash, and those that failed once their time has come. Raises Unavailable."""
        expired: list[RoomName] = []
        before_ms = Millis(self._clock.now_ms() - _RETRIES_AFTER_MS)
        while page := await self._page(before_ms, offset=len(expired)):
            expired += page
            if len(page) < _NEWEST:
                break
        now_s = self._now_s()
        left = now_s - _LONGEST_RETRY_S  # another server has closed it, or it would have been tried again by now
        self._failures = {name: known for name, known in self._failures.items() if known.retry_at_s > left}
        due = [name for name in expired if (known := self._failures.get(name)) is None or known.retry_at_s <= now_s]
        await self._close(due, _AGAIN)

    async def _page(self, now_ms: Millis, *, offset: int = 0) -> list[RoomName]:
        return await self._store.read(lambda tx: tx.rooms.expired(now_ms=now_ms, limit=_NEWEST, offset=offset))

    async def _close(self, names: Sequence[RoomName], patience: _Patience) -> None:
        slots = asyncio.Semaphore(patience.at_once)
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            await self._stop_recordings(batch)
            running = set(await self._media.rooms(batch))
            failed: dict[RoomName, str] = {}
            async with asyncio.TaskGroup() as tasks:
                for name in running.intersection(batch):
                    tasks.create_task(self._end(name, slots, patience.timeout_s, failed), name=f"end {name}")
            await self._delete([name for name in batch if name not in failed])
            self._remember(failed)

    async def _stop_recordings(self, names: Sequence[RoomName]) -> None:
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> None:
            tx.recordings.request_stop(rooms=names, now_ms=now_ms, details="room expired")

        await self._store.write(work)

    async def _end(
        self, name: RoomName, slots: asyncio.Semaphore, timeout_s: float, failed: dict[RoomName, str]
    ) -> None:
        async with slots:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._media.end(name)
            except TimeoutError:
                failed[name] = f"no answer within {timeout_s:g} s"
            except Unavailable as error:
                failed[name] = error.message

    async def _delete(self, names: Sequence[RoomName]) -> None:
        def work(tx: Transaction) -> None:
            tx.rooms.delete_many(names)
            for name in names:
                tx.events.add(room_event(EventKind.ROOM_DELETED, name))

        if names:
            await self._store.write(work)
        for name in names:
            self._failures.pop(name, None)

    def _remember(self, failed: dict[RoomName, str]) -> None:
        for name in failed:
            attempts = self._failures[name].attempts + 1 if name in self._failures else 1
            wait_s = min(2.0**attempts / 2, _LONGEST_RETRY_S)
            self._failures[name] = _Failure(attempts, self._now_s() + wait_s)
        if failed:
            room, reason = next(iter(failed.items()))
            _log.warning("meetings of expired rooms go on for now", count=len(failed), room=room, reason=reason)
