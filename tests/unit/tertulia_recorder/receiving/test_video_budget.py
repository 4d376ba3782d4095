"""How much of one video track is decoded."""

from tertulia_recorder.receiving.video_budget import MAX_PIXELS, VideoBudget
from tertulia_recorder.units import MICROSECOND


def test_4k_at_30_pictures_a_second_is_decoded_for_as_long_as_it_comes():
    budget = VideoBudget(0)
    assert not any(budget.spend(MAX_PIXELS, n * MICROSECOND // 30) for n in range(3000))


def test_what_waited_for_a_second_may_come_at_once():
    budget = VideoBudget(0)
    assert not any(budget.spend(1280 * 720, n * MICROSECOND // 60) for n in range(60))
    assert not any(budget.spend(1280 * 720, 2 * MICROSECOND) for _ in range(60))


def test_more_than_that_is_suspended_for_five_seconds():
    budget = VideoBudget(0)
    spent = [budget.spend(64, 1000) for _ in range(241)]
    assert spent == [False] * 240 + [True]
    assert budget.is_suspended(5 * MICROSECOND)
    assert not budget.is_suspended(5 * MICROSECOND + 1000)
    assert not budget.spend(64, 6 * MICROSECOND)


def test_large_pictures_count_by_their_pixels():
    budget = VideoBudget(0)
    assert [budget.spend(MAX_PIXELS, 0) for _ in range(61)].index(True) == 60
