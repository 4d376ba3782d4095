"""Wake-ups inside one process for what waits for a recording to change.

The row stays the truth. Another process may change it too, so a waiting loop reads the row again after a poll interval
anyway; a wake-up only ends that interval early. Everything here belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tertulia.domain.ids import RecordingId


class Wakeup:
    """An interval that can be ended early. One that is triggered between two waits ends the second one at once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def trigger(self) -> None:
        """End the wait that is running, or else the next one."""
        self._event.set()

    async def wait(self, timeout_s: float) -> None:
        """Wait until triggered, at most `timeout_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        self._event.clear()


class RecordingChanges:
    """Connects the code that changes recordings with the code that waits for a change.

    Watch first, then read the row, then wait: a change between the read and the wait is not missed.
    """

    def __init__(self) -> None:
        self._watchers: defaultdict[RecordingId, set[Wakeup]] = defaultdict(set)
        self._workers: set[Wakeup] = set()
        self._repair_requested = False

    def notify(self, recording_id: RecordingId) -> None:
        """Wake everything that watches a recording: its row or its recorder's state may have changed."""
        for wakeup in self._watchers.get(recording_id, ()):
            wakeup.trigger()

    @contextmanager
    def watch(self, recording_id: RecordingId) -> Iterator[Wakeup]:
        """Be woken by changes of a recording as long as the block lasts."""
        wakeup = Wakeup()
        self._watchers[recording_id].add(wakeup)
        try:
            yield wakeup
        finally:
            self._watchers[recording_id].discard(wakeup)
            if not self._watchers[recording_id]:
                del self._watchers[recording_id]

    def request_repair(self) -> None:
        """Let the worker of this process repair what crashes left, and wake it."""
        self._repair_requested = True
        self.notify_claimable()

    def take_repair_request(self) -> bool:
        """Return whether a repair was requested since the last call."""
        requested, self._repair_requested = self._repair_requested, False
        return requested

    def notify_claimable(self) -> None:
        """Wake the worker: a recording waits for one, or a recorder that occupied it has ended."""
        for wakeup in self._workers:
            wakeup.trigger()

    @contextmanager
    def watch_claimable(self) -> Iterator[Wakeup]:
        """Be woken when there may be something to claim, as long as the block lasts."""
        wakeup = Wakeup()
        self._workers.add(wakeup)
        try:
            yield wakeup
        finally:
            self._workers.discard(wakeup)
