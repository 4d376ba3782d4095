"""Events of the media core: handled in small portions, so that a flood of them does not keep other tasks waiting."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from tertulia_sfu.server import handle_events

WAITING = 5_000
ALLOWED_STALL_S = 0.025


class Flood:
    """Events that wait, and a clock that handling one of them moves."""

    def __init__(self, cost_s: float) -> None:
        self.now = 100.0
        self.cost_s = cost_s
        self.events: deque[Any] = deque(range(WAITING))
        self.handled: list[Any] = []

    def drain(self, at_most: int) -> list[Any]:
        return [self.events.popleft() for _ in range(min(at_most, len(self.events)))]

    def handle(self, event: Any, _now: float) -> None:
        self.now += self.cost_s
        self.handled.append(event)

    def run(self) -> float:
        """Handle events once. Return how long (s) it took."""
        started = self.now
        handle_events(self.drain, self.handle, lambda: self.now)
        return self.now - started


@pytest.mark.parametrize("cost_s", [0.00001, 0.0002, 0.001])
def test_a_flood_is_handled_in_portions_and_in_order(cost_s: float) -> None:
    flood = Flood(cost_s)
    while flood.events:
        assert flood.run() <= ALLOWED_STALL_S
    assert flood.handled == list(range(WAITING))


def test_a_defect_costs_one_event() -> None:
    flood = Flood(0.0)

    def fail_first(event: Any, now: float) -> None:
        flood.handle(event, now)
        if event == 0:
            raise ValueError(event)

    handle_events(flood.drain, fail_first, lambda: flood.now)
    assert flood.handled == list(range(WAITING))
