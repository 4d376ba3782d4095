"""Periodic work of the server, beside its requests; and when it looks for garbage."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from tertulia.errors import TertuliaError

_log = structlog.get_logger(__name__)
COLLECT_EVERY_S: Final = 10.0
_GARBAGE_THRESHOLDS: Final = (1000, 10, 50)


def settle_garbage_collector() -> None:
    """Leave what the start has made out of every later collection.

    A full one looks at every object while nothing else happens, and Python does it whenever there are a quarter more of
    them: several times, of up to 0.4 s each, while ten thousand connections arrive. `collect_garbage` does it by time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


async def collect_garbage() -> None:
    """Collect what many connections have left behind, which with TLS are cycles."""
    if gc.get_count()[2]:
        gc.collect()


@asynccontextmanager
async def background() -> AsyncIterator[Callable[[str, float, Callable[[], Awaitable[None]]], None]]:
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
