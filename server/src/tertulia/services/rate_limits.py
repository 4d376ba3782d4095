"""Slows down what comes too often: failures, which guessers have, and messages to all, in a sliding window.

Kept in memory, bounded: each server counts on its own, and a restart starts at zero.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from tertulia.domain.ids import Millis
from tertulia.errors import TooManyRequests

_MAX_KEYS: Final = 50_000


class RateLimit:
    """Allows a number of failures, or of requests, for each key (an address, an account) in a window of time.

    `told`: what a client is told that has used them up.
    """

    def __init__(
        self, *, count: int, window_ms: int, told: str = "Too many failed attempts: wait before trying again"
    ) -> None:
        self._most = count
        self._window_ms = window_ms
        self._told = told
        self._counted_at_ms: OrderedDict[str, deque[Millis]] = OrderedDict()

    def check(self, key: str, *, now_ms: Millis) -> None:
        """Raise TooManyRequests when a key has used up what it is allowed."""
        counted_at_ms = self._counted_at_ms.get(key)
        if counted_at_ms is None:
            return
        while counted_at_ms and counted_at_ms[0] <= now_ms - self._window_ms:
            counted_at_ms.popleft()
        if len(counted_at_ms) >= self._most:
            wait_s = -(-(counted_at_ms[0] + self._window_ms - now_ms) // 1000)
            raise TooManyRequests(self._told, retry_after_s=max(1, wait_s))

    def count(self, key: str, *, now_ms: Millis) -> None:
        """Count one; a failure before a slow check, and taken back after it, so that parallel guesses count as well."""
        self._counted_at_ms.setdefault(key, deque(maxlen=self._most)).append(now_ms)
        self._counted_at_ms.move_to_end(key)
        if len(self._counted_at_ms) > _MAX_KEYS:
            self._counted_at_ms.popitem(last=False)

    def forgive(self, key: str) -> None:
        """Take back the last one that was counted."""
        counted_at_ms = self._counted_at_ms.get(key)
        if counted_at_ms:
            counted_at_ms.pop()
