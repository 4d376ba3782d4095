"""Which requests are being answered: a server that stops finishes them first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class RunningRequests:
    """The requests that are being answered. Belongs to one event loop.

    `are_last` says that connections shall be closed after them.
    """

    def __init__(self) -> None:
        self.are_last = False
        self._running: set[object] = set()
        self._ended: asyncio.Event | None = None

    def __len__(self) -> int:
        return len(self._running)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a request for as long as the block lasts."""
        request = object()
        self._running.add(request)
        try:
            yield
        finally:
            self._running.discard(request)
            if self._ended is not None:
                self._ended.set()

    async def finished(self) -> None:
        """Wait until those that run now are answered; others may begin meanwhile."""
        awaited = set(self._running)
        self._ended = asyncio.Event()
        while awaited & self._running:
            self._ended.clear()
            await self._ended.wait()
