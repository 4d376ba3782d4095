"""Steps of time: what is added up, and of what the most counts."""

from __future__ import annotations

from tertulia.domain.ids import Millis
from tertulia.domain.insight import COARSE_STEP_S, Step, begin_of_step, coarse_steps, steps_of_all_servers

HOUR_MS = 3_600_000


def step(begin_ms: int, people: int, *, rooms: int = 1, recordings: int = 0, sent: int | None = None) -> Step:
    covered_ms = 0 if sent is None else 300_000
    return Step(
        begin_ms=Millis(begin_ms),
        participants=people,
        rooms=rooms,
        recordings=recordings,
        covered_ms=covered_ms,
        sent_bytes=sent,
    )


def test_servers_of_one_time_are_added_up():
    """But recordings, which each of them counts in the database."""
    found = steps_of_all_servers([step(300_000, 1), step(0, 2, recordings=3, sent=10), step(0, 5, recordings=2)])
    assert [(each.begin_ms, each.participants, each.rooms) for each in found] == [(0, 7, 2), (300_000, 1, 1)]
    assert (found[0].recordings, found[0].sent_bytes) == (3, 10)


def test_times_of_one_step_show_the_most_at_once_and_the_mean_bandwidth():
    (found,) = coarse_steps([step(HOUR_MS, 2, rooms=2, sent=300_000), step(0, 5, sent=600_000)])
    assert (found.begin_ms, found.participants, found.rooms) == (0, 5, 2)
    assert found.sent_bps == 900_000 * 8 // 600


def test_what_is_not_known_is_not_zero():
    (found,) = coarse_steps([step(0, 1), step(300_000, 1)])
    assert (found.sent_bps, found.received_bps) == (None, None)
    assert coarse_steps([]) == []


def test_steps_begin_at_the_same_instants_on_all_servers():
    assert begin_of_step(3 * HOUR_MS + 5, COARSE_STEP_S) == 2 * HOUR_MS
    assert begin_of_step(2 * HOUR_MS, COARSE_STEP_S) == 2 * HOUR_MS
