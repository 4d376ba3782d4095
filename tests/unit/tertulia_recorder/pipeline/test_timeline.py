from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia_recorder.pipeline.timeline import EFFORTS, Governor, Timeline
from tertulia_recorder.units import SAMPLE_RATE_HZ

SECOND = 1_000_000


@settings(deadline=None)
@given(st.integers(0, 2**50), st.integers(0, 30 * 3600 * 8))
def test_ticks_and_times_agree(start_us: int, tick: int):
    timeline = Timeline(start_us, 30)
    due = timeline.tick_us(tick)
    assert timeline.tick_at(due + 33_000) == tick
    assert abs(timeline.sample_at(due) - timeline.sample_of_tick(tick)) <= 1


@settings(deadline=None)
@given(st.integers(0, 3600 * 24))
def test_sound_and_picture_do_not_part_in_a_day(seconds: int):
    timeline = Timeline(12345, 30)
    assert timeline.sample_of_tick(30 * seconds) == SAMPLE_RATE_HZ * seconds
    assert timeline.tick_us(30 * seconds) - timeline.start_us == seconds * SECOND


def run(governor: Governor, seconds: float, late_us: int, start_us: int) -> int:
    composed = 0
    for tick in range(round(seconds * 30)):
        governor.observe(start_us + tick * SECOND // 30, late_us)
        composed += governor.wants(tick, late_us)
    return composed


def test_in_time_every_frame_is_composed_and_nothing_is_said():
    governor = Governor(30)
    assert run(governor, 60, 5_000, SECOND) == 60 * 30
    assert governor.details() == ()


def test_when_late_it_steps_down_one_by_one_to_the_least():
    governor = Governor(30)
    levels = []
    for second in range(20):
        run(governor, 1, 600_000, (10 + second) * SECOND)
        levels.append(governor.level)
    assert levels == sorted(levels)
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert governor.effort == EFFORTS[-1]


def test_a_short_hitch_costs_nothing():
    governor = Governor(30)
    run(governor, 10, 5_000, 10 * SECOND)
    run(governor, 0.5, 200_000, 20 * SECOND)
    assert governor.level == 0


def test_it_goes_back_up_after_a_while_in_time_and_says_what_it_did():
    governor = Governor(30)
    run(governor, 1, 600_000, 10 * SECOND)
    assert governor.level == 1
    run(governor, 29, 5_000, 11 * SECOND)
    assert governor.level == 1
    run(governor, 5, 5_000, 40 * SECOND)
    assert governor.level == 0
    (detail,) = governor.details()
    assert "short of CPU" in detail
    assert "15 frames a second" in detail


def test_each_relapse_makes_it_wait_longer():
    governor = Governor(30)
    now = 10 * SECOND
    waits = []
    for _ in range(3):
        while governor.level == 0:
            run(governor, 0.1, 600_000, now)
            now += SECOND // 10
        waited = 0
        while governor.level:
            run(governor, 1, 5_000, now)
            now, waited = now + SECOND, waited + 1
        waits.append(waited)
    assert waits[0] < waits[1] < waits[2]


def test_far_too_late_frames_are_left_out():
    assert not Governor(30).wants(0, 1_500_000)
