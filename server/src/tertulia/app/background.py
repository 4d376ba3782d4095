"""Periodic work of the server, beside its requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from tertulia.errors import TertuliaError

_log = structlog.get_logger(__name__)
StartTask = Callable[[str, float, Callable[[], Awaitable[None]]], None]
"""Starts a task of this name that repeats some work, so many seconds after it last ended."""


@asynccontextmanager
async def background() -> AsyncIterator[StartTask]:
    """Yield a function that starts a periodic task; the tasks end with this context."""
    running: list[asyncio.Task[None]] = []

    async def repeat(name: str, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                await work()
            except TertuliaError as error:
                _log.warning("background work failed for now", task=name, reason=error.message)
            except Exception:  # noqa: BLE001 - the next run may succeed
                _log.exception("background work failed by a defect", task=name)

    def start(name: str, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
        running.append(asyncio.get_running_loop().create_task(repeat(name, every_s, work), name=name))

    try:
        yield start
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
