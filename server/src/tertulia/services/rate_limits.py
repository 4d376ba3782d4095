"""Slows down guessing: counts failures, and only failures, in a sliding window.

Kept in memory, bounded: a limit that several servers share only loosely, and a restart forgives.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from tertulia.domain.ids import Millis
from tertulia.errors import TooManyRequests

_MAX_KEYS: Final = 50_000


class FailureLimit:
    """At most so many failures a key (an address, an account) in a window."""

    def __init__(self, *, failures: int, window_ms: int) -> None:
        self._failures = failures
        self._window_ms = window_ms
        self._seen: OrderedDict[str, deque[Millis]] = OrderedDict()

    def check(self, key: str, *, now_ms: Millis) -> None:
        """Raise TooManyRequests when a key has used up its failures."""
        seen = self._seen.get(key)
        if seen is None:
            return
        while seen and seen[0] <= now_ms - self._window_ms:
            seen.popleft()
        if len(seen) >= self._failures:
            wait_s = -(-(seen[0] + self._window_ms - now_ms) // 1000)
            raise TooManyRequests("Too many failed attempts: wait before trying again", retry_after_s=max(1, wait_s))

    def failed(self, key: str, *, now_ms: Millis) -> None:
        """Count a failure. Counting before a slow check, and forgiving after it, stops parallel guesses as well."""
        self._seen.setdefault(key, deque(maxlen=self._failures)).append(now_ms)
        self._seen.move_to_end(key)
        if len(self._seen) > _MAX_KEYS:
            self._seen.popitem(last=False)

    def forgive(self, key: str) -> None:
        """Take back the last failure that was counted."""
        seen = self._seen.get(key)
        if seen:
            seen.pop()
