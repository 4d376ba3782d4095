"""Hashes of passwords (argon2id), computed in one thread that gives way to everything else.

A hash costs what it should cost who guesses, so many logins at once must cost neither cores nor memory: one is computed
at a time, a few wait, and more are refused before they cost anything.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tertulia.errors import TooManyRequests

T = TypeVar("T")
MAX_WAITING: Final = 16
"""How many computations may wait; as many again for those that have a reserved place."""
_NICENESS: Final = 10
_MEMORY_KIB: Final = 19 * 1024
_ITERATIONS: Final = 2


class PasswordHashes:
    """Makes and checks hashes. OWASP's parameters for argon2id with one lane: with four it would use four cores."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=_ITERATIONS, memory_cost=_MEMORY_KIB, parallelism=1)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="passwords", initializer=_give_way)
        self._unfinished = 0

    async def make(self, password: str) -> str:
        """Return a hash of a password."""
        return await self._compute(lambda: self._hasher.hash(password))

    async def matches(self, hashed: str, password: str, *, is_reserved: bool = False) -> bool:
        """Return whether a hash is that of a password. Raises TooManyRequests when too many others wait."""
        if self._unfinished > MAX_WAITING * (1 + is_reserved):
            raise TooManyRequests("Too many logins at this moment: try again", retry_after_s=1)
        return await self._compute(lambda: self._matches(hashed, password))

    def is_outdated(self, hashed: str) -> bool:
        """Return whether a hash was made with other parameters, and should be made again when its password is known."""
        return self._hasher.check_needs_rehash(hashed)

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _compute(self, work: Callable[[], T]) -> T:
        # counted until it is computed, not until its caller has left
        self._unfinished += 1
        future = asyncio.get_running_loop().run_in_executor(self._thread, copy_context().run, work)
        future.add_done_callback(self._has_finished)
        return await asyncio.shield(future)

    def _has_finished(self, _future: asyncio.Future[T]) -> None:
        self._unfinished -= 1


def _give_way() -> None:
    """Let the system prefer every other thread to this one (Linux counts niceness by thread)."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
