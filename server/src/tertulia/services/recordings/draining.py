"""The orderly end of a worker: it claims nothing more, and starts what it has claimed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tertulia.domain.ids import RecordingId

_UNKNOWN: Final = RecordingId("")


class WorkerDrain:
    """What a worker and the process that stops it share. Belongs to one event loop."""

    def __init__(self) -> None:
        self.is_requested = False
        self._starting: set[RecordingId] = set()
        self._is_settled = asyncio.Event()
        self._is_settled.set()

    def starts(self, recording_id: RecordingId) -> None:
        """Note that a recording was claimed, and is being started."""
        self._starting.add(recording_id)
        self._is_settled.clear()

    def started(self, recording_id: RecordingId) -> None:
        """Note that a recording has begun, or could not: the request for it can be answered."""
        self._starting.discard(recording_id)
        if not self._starting:
            self._is_settled.set()

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Note that a claim is being made: its recording is not known yet."""
        self.starts(_UNKNOWN)
        try:
            yield
        finally:
            self.started(_UNKNOWN)

    async def settled(self) -> None:
        """Make the worker claim nothing more, and wait until all that it has claimed has begun, or could not."""
        self.is_requested = True
        await self._is_settled.wait()
