"""Deadlines: what shall happen later, by name, without a clock of its own."""

import heapq
import itertools
from collections.abc import Callable

import structlog

_log = structlog.get_logger(__name__)

Key = tuple[str, ...]
Action = Callable[[float], None]


class DeadlineQueue:
    """Actions with a time. A key names one: setting it again moves it. `wake` is called when the next time changes."""

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self._wake = wake
        self._heap: list[tuple[float, int, Key]] = []
        self._actions: dict[Key, tuple[int, Action]] = {}
        self._serial = itertools.count()

    def set(self, key: Key, at: float, action: Action) -> None:
        """Do something at a time (s)."""
        serial = next(self._serial)
        self._actions[key] = (serial, action)
        heapq.heappush(self._heap, (at, serial, key))
        if self._heap[0][1] == serial:
            self._wake()

    def cancel(self, key: Key) -> None:
        """Do not do it. Unknown keys are fine."""
        self._actions.pop(key, None)

    def next_at(self) -> float | None:
        """When something is due next."""
        while self._heap:
            at, serial, key = self._heap[0]
            if self._actions.get(key, (None,))[0] == serial:
                return at
            heapq.heappop(self._heap)
        return None

    def run_due(self, now: float) -> None:
        """Do what is due. A failure in one action does not keep the others from happening."""
        while (at := self.next_at()) is not None and at <= now:
            _at, _serial, key = heapq.heappop(self._heap)
            _serial, action = self._actions.pop(key)
            try:
                action(now)
            except Exception:
                _log.exception("deadline failed", key=key)
