from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia_recorder.pipeline.timeline import Timeline
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
def test_sound_and_picture_stay_together_for_a_day(seconds: int):
    timeline = Timeline(12345, 30)
    assert timeline.sample_of_tick(30 * seconds) == SAMPLE_RATE_HZ * seconds
    assert timeline.tick_us(30 * seconds) - timeline.start_us == seconds * SECOND
