from itertools import pairwise

from tertulia_recorder.pipeline.quality import QUALITY_LEVELS, QualityGovernor

SECOND = 1_000_000


def run(governor: QualityGovernor, seconds: float, late_us: int, start_us: int) -> int:
    composed = 0
    for tick in range(round(seconds * 30)):
        governor.observe(start_us + tick * SECOND // 30, late_us)
        composed += governor.should_compose(tick, late_us)
    return composed


def test_in_time_every_frame_is_composed_and_no_detail_is_given():
    governor = QualityGovernor(30)
    assert run(governor, 60, 5_000, SECOND) == 60 * 30
    assert governor.details() == ()


def test_when_late_it_steps_down_one_by_one_to_the_lowest_level():
    governor = QualityGovernor(30)
    levels = []
    for second in range(20):
        run(governor, 1, 600_000, (10 + second) * SECOND)
        levels.append(governor.level)
    assert levels == sorted(levels)
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert governor.quality == QUALITY_LEVELS[-1]


def test_a_short_delay_changes_nothing():
    governor = QualityGovernor(30)
    run(governor, 10, 5_000, 10 * SECOND)
    run(governor, 0.5, 200_000, 20 * SECOND)
    assert governor.level == 0


def test_it_steps_up_after_a_while_in_time_and_details_what_was_reduced():
    governor = QualityGovernor(30)
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
    governor = QualityGovernor(30)
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


def test_frames_that_are_far_too_late_are_skipped():
    assert not QualityGovernor(30).should_compose(0, 1_500_000)
