"""Deadlines: actions to run at a later time, each under a key; the time is an argument."""

import heapq
import itertools
from collections.abc import Callable

import structlog

_log = structlog.get_logger(__name__)

Key = tuple[str, ...]
Action = Callable[[float], None]


class DeadlineQueue:
    """Actions with a time (s). A key names one: setting it again moves it.

    `wake` is called when the next deadline becomes earlier.
    """

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self._wake = wake
        self._heap: list[tuple[float, int, Key]] = []
        self._actions: dict[Key, tuple[int, Action]] = {}
        self._serial = itertools.count()

    def set(self, key: Key, at: float, action: Action) -> None:
        """Run an action at a time (s), in place of an earlier one with this key."""
        serial = next(self._serial)
        self._actions[key] = (serial, action)
        heapq.heappush(self._heap, (at, serial, key))
        if self._heap[0][1] == serial:
            self._wake()

    def cancel(self, key: Key) -> None:
        """Drop the action of this key, if there is one."""
        self._actions.pop(key, None)

    def next_at(self) -> float | None:
        """Return the time (s) of the next action, or None."""
        while self._heap:
            at, serial, key = self._heap[0]
            if self._actions.get(key, (None,))[0] == serial:
                return at
            heapq.heappop(self._heap)
        return None

    def run_due(self, now: float) -> None:
        """Run the actions that are due. A failure of one does not stop the others."""
        while (at := self.next_at()) is not None and at <= now:
            _at, _serial, key = heapq.heappop(self._heap)
            _serial, action = self._actions.pop(key)
            try:
                action(now)
            except Exception:  # noqa: BLE001 – a defect costs one action, and is logged
                _log.exception("deadline failed", key=key)
