"""The budget for data packets: files are slowed and never ended, floods of messages are slowed, then ended."""

from __future__ import annotations

import pytest

from tertulia_sfu.rooms.data_budget import (
    BYTES_BURST,
    BYTES_PER_S,
    CPU_PER_S,
    MESSAGES_BURST,
    MESSAGES_PER_S,
    SLOWED_AT_MOST_S,
    SMALL_BYTES,
    DataBudget,
)

CHUNK_BYTES = 15_000


def sent_in(
    seconds: float, *, size: int, copies: int = 2, is_refused: bool = False, cpu_s: float = 0.00005, on_its_way: int = 0
) -> tuple[int, DataBudget, float]:
    """Send all the time when it is allowed to, and `on_its_way` packets after each wait began.

    Return how many packets were charged, the budget, and when it was over.
    """
    budget, now, count, left = DataBudget(), 0.0, 0, 0
    held_until = 0.0
    while now < seconds and not budget.is_exceeded:
        wait_s = budget.charge(now, size=size, copies=copies, is_refused=is_refused, cpu_s=cpu_s)
        count += 1
        if wait_s:
            held_until, left = now + wait_s, left or on_its_way
        left = max(0, left - 1)
        now = max(now + 0.00005, held_until if not left else 0.0)
    return count, budget, now


@pytest.mark.parametrize(
    ("size", "every_s", "seconds"),
    [(200, 1 / 30, 600), (1_000, 1 / 120, 120), (CHUNK_BYTES, 1 / 300, 60)],
    ids=["a cursor", "a game", "a file of 36 Mb/s"],
)
def test_what_applications_send_is_never_slowed(size: int, every_s: float, seconds: float) -> None:
    budget = DataBudget()
    waits = [
        budget.charge(number * every_s, size=size, copies=2, is_refused=False, cpu_s=0.0001)
        for number in range(int(seconds / every_s))
    ]
    assert not any(waits)
    assert not budget.is_exceeded


def test_a_whiteboard_is_opened_at_once() -> None:
    budget = DataBudget()
    assert not any(budget.charge(0.0, size=300, copies=5, is_refused=False, cpu_s=0.0001) for _ in range(2_000))


def test_a_file_is_slowed_and_never_ended() -> None:
    count, budget, _now = sent_in(60, size=CHUNK_BYTES, on_its_way=17)
    assert not budget.is_exceeded
    assert count * CHUNK_BYTES * 3 < BYTES_BURST + 62 * BYTES_PER_S


def test_in_a_large_room_the_event_loop_sets_the_rate() -> None:
    count, budget, _now = sent_in(60, size=CHUNK_BYTES, copies=20, cpu_s=0.004)
    assert not budget.is_exceeded
    assert count * 0.004 < 1 + 61 * CPU_PER_S


@pytest.mark.parametrize(
    ("is_refused", "on_its_way"),
    [(False, 0), (False, 256), (True, 0), (True, 2)],
    ids=["small, one at a time", "small", "too large, one at a time", "too large"],
)
def test_a_flood_is_slowed_then_ended(is_refused: bool, on_its_way: int) -> None:
    size = 256 * 1024 if is_refused else 100
    count, budget, now = sent_in(60, size=size, is_refused=is_refused, copies=0, on_its_way=on_its_way)
    assert budget.is_exceeded
    assert 0.25 < now < 5
    assert count < MESSAGES_BURST + (SLOWED_AT_MOST_S + 1) * MESSAGES_PER_S + on_its_way


def test_who_pauses_is_forgiven() -> None:
    budget = DataBudget()
    for minute in range(5):
        for _ in range(2_300):
            budget.charge(60.0 * minute, size=SMALL_BYTES - 1, copies=0, is_refused=False, cpu_s=0.0)
        assert not budget.is_exceeded, "a second and a half of waiting"
