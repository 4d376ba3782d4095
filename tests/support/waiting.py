"""Waiting for a condition that no event tells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

DEADLINE_S: Final = 30.0
"""Generous: a test that waits for a condition costs nothing while the machine is quick."""


_Answer = TypeVar("_Answer")


async def until(
    what: str, holds: Callable[[], Awaitable[_Answer]], *, deadline_s: float = DEADLINE_S, interval_s: float = 0.05
) -> _Answer:
    """Ask until it holds, and return what was answered then. Raises AssertionError."""
    try:
        async with asyncio.timeout(deadline_s):
            while not (answer := await holds()):
                await asyncio.sleep(interval_s)
            return answer
    except TimeoutError:
        raise AssertionError(f"after {deadline_s} s still not: {what}") from None
