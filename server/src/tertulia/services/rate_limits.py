"""Slows down what comes too often: failures, which guessers have, and messages to all, in a sliding window.

Kept in memory, bounded: each server counts on its own, and a restart starts at zero.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque
from typing import Final

from tertulia.domain.ids import Millis
from tertulia.errors import TooManyRequests

_MAX_KEYS: Final = 50_000
_MAX_KEY_LENGTH: Final = 64
_IPV6_PREFIX: Final = 64


def address_key(address: str) -> str:
    """Return what failures of an address are counted by: in IPv6 its /64, which is what one subscriber gets."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # not an address: a proxy's name for one (RFC 7239, section 6)
        return address[:_MAX_KEY_LENGTH]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))


class RateLimit:
    """Allows a number of requests for each key in a window of time."""

    def __init__(self, *, requests: int, window_ms: int) -> None:
        self._limit = FailureLimit(failures=requests, window_ms=window_ms)

    def count(self, key: str, *, now_ms: Millis) -> None:
        """Count a request. Raises TooManyRequests when there were too many."""
        try:
            self._limit.check(key, now_ms=now_ms)
        except TooManyRequests as error:
            raise TooManyRequests("Too many requests: slow down", retry_after_s=error.retry_after_s) from None
        self._limit.failed(key, now_ms=now_ms)


class FailureLimit:
    """Allows a number of failures for each key (an address, an account) in a window of time."""

    def __init__(self, *, failures: int, window_ms: int) -> None:
        self._failures = failures
        self._window_ms = window_ms
        self._failed_at_ms: OrderedDict[str, deque[Millis]] = OrderedDict()

    def check(self, key: str, *, now_ms: Millis) -> None:
        """Raise TooManyRequests when a key has used up its failures."""
        failed_at_ms = self._failed_at_ms.get(key)
        if failed_at_ms is None:
            return
        while failed_at_ms and failed_at_ms[0] <= now_ms - self._window_ms:
            failed_at_ms.popleft()
        if len(failed_at_ms) >= self._failures:
            wait_s = -(-(failed_at_ms[0] + self._window_ms - now_ms) // 1000)
            raise TooManyRequests("Too many failed attempts: wait before trying again", retry_after_s=max(1, wait_s))

    def failed(self, key: str, *, now_ms: Millis) -> None:
        """Count a failure; before a slow check, and taken back after it, so that parallel guesses count as well."""
        self._failed_at_ms.setdefault(key, deque(maxlen=self._failures)).append(now_ms)
        self._failed_at_ms.move_to_end(key)
        if len(self._failed_at_ms) > _MAX_KEYS:
            self._failed_at_ms.popitem(last=False)

    def forgive(self, key: str) -> None:
        """Take back the last failure that was counted."""
        failed_at_ms = self._failed_at_ms.get(key)
        if failed_at_ms:
            failed_at_ms.pop()
