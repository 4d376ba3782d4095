import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia_recorder.receiving.rtp_clock import RtpClock

HZ = 90_000
EVERY_US = 40_000
WAY_US = 5_000


@settings(deadline=None)
@given(st.lists(st.integers(0, 200_000), min_size=100, max_size=100))
def test_jitter_is_taken_out_once_the_shortest_way_was_seen(delays: list[int]):
    clock = RtpClock(HZ)
    for number, delay_us in enumerate(delays):
        sent_us = 7_000_000 + number * EVERY_US
        quick = number % 10 == 0
        time_us = clock.time_us(number * HZ // 25, sent_us + WAY_US + (0 if quick else delay_us))
        assert time_us == sent_us + WAY_US


def test_a_clock_that_runs_slowly_is_followed():
    """100 ppm: more than any sound card's; in ten minutes that would be 60 ms."""
    clock, error_us = RtpClock(HZ), 0
    for number in range(10 * 60 * 25):
        sent_us = number * EVERY_US + number * EVERY_US // 10_000
        error_us = clock.time_us(number * HZ // 25, sent_us) - sent_us
    assert abs(error_us) < 1_000


def test_a_sender_that_begins_a_new_clock_is_followed_at_once():
    """Earlier than ever cannot be jitter, by whatever it is."""
    clock = RtpClock(HZ)
    assert clock.time_us(5, 1_000_000) == 1_000_000
    assert clock.time_us(900_000, 1_040_000) == 1_040_000
    assert clock.time_us(900_000 + HZ // 25, 1_090_000) == 1_080_000


@pytest.mark.parametrize("stood_still_us", [100_000, 500_000, 20_000_000])
def test_a_sender_whose_clock_stood_still_is_followed_within_a_fifth_of_a_second(stood_still_us: int):
    clock = RtpClock(HZ)
    errors = {}
    for number in range(100):
        at_us = number * EVERY_US + (stood_still_us if number >= 50 else 0)
        errors[number] = at_us - clock.time_us(number * HZ // 25, at_us)
    assert not any(errors[number] for number in range(50))
    assert not any(errors[number] for number in range(50 + 200_000 // EVERY_US, 100))


def test_what_was_held_up_and_comes_in_a_burst_keeps_its_time():
    clock = RtpClock(HZ)
    for number in range(50):
        clock.time_us(number * HZ // 25, number * EVERY_US)
    for number in range(50, 100):
        held_up_until_us = 75 * EVERY_US
        arrived_us = max(number * EVERY_US, held_up_until_us + (number - 50) * 1_000)
        assert clock.time_us(number * HZ // 25, arrived_us) == number * EVERY_US


def test_a_pause_is_no_new_clock():
    clock = RtpClock(HZ)
    clock.time_us(0, 1_000_000)
    assert clock.time_us(60 * HZ, 61_000_000 + 30_000) == 61_000_000
