"""The budget of a participant: nothing that clients do meets it, and what floods is slowed, then ended."""

from __future__ import annotations

from typing import Any

import pytest

from tertulia_sfu.rooms.budget import (
    MESSAGES_BURST,
    OFFER_MESSAGES,
    REPEATED_BYTES_BURST,
    SLOWED_AT_MOST_S,
    Budget,
)
from tertulia_sfu.signalling.connection import MAX_QUEUED_BYTES


def total_wait_s(budget: Budget, *, times: int, every_s: float, **cost: Any) -> float:
    return sum(budget.charge(number * every_s, **cost) for number in range(times))


@pytest.mark.parametrize(
    ("times", "every_s", "cost"),
    [
        (100, 0.0, {"size": 2_000, "cpu_s": 0.001}),
        (100, 0.0, {"messages": OFFER_MESSAGES, "size": 100_000, "cpu_s": 0.001}),
        (250 * 60, 1 / 250, {"size": 60, "cpu_s": 0.0002}),
        (20 * 600, 1 / 20, {"size": 30, "cpu_s": 0.004, "repeated_bytes": 20_000}),
        (6, 0.0, {"size": 520_000, "cpu_s": 0.01, "repeated_bytes": 520_000}),
    ],
    ids=["100 tracks", "100 offers", "25 tiles resized", "mutes in a large room", "large metadata"],
)
def test_what_clients_do_is_never_slowed(times: int, every_s: float, cost: dict[str, Any]) -> None:
    budget = Budget()
    assert total_wait_s(budget, times=times, every_s=every_s, **cost) == 0
    assert not budget.is_exceeded


@pytest.mark.parametrize(
    "cost",
    [{}, {"messages": OFFER_MESSAGES}, {"size": 2_000_000}, {"cpu_s": 0.05}, {"repeated_bytes": 500_000}],
    ids=["pings", "offers", "huge frames", "work", "repeated state"],
)
def test_floods_are_slowed_then_exceed_the_budget(cost: dict[str, Any]) -> None:
    budget, now, wait_s = Budget(), 0.0, 0.0
    for _ in range(20_000):
        now += wait_s
        wait_s = budget.charge(now, **cost)
        if budget.is_exceeded:
            break
    assert budget.is_exceeded
    assert 0 < now < SLOWED_AT_MOST_S + 0.1, "slowed first"


def test_who_pauses_is_forgiven() -> None:
    budget = Budget()
    now = 0.0
    for _ in range(5):
        budget.charge(now, messages=int(MESSAGES_BURST) + 300)
        assert not budget.is_exceeded, "one second of waiting"
        budget.charge(now + 11)
        now += 30


def test_no_participant_alone_fills_the_queues_of_the_others() -> None:
    assert REPEATED_BYTES_BURST <= MAX_QUEUED_BYTES / 2
