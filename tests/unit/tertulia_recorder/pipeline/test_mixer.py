import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia_recorder.media_buffer import Pcm
from tertulia_recorder.pipeline.mixer import RESYNC_SAMPLES, Mixer, stretch
from tertulia_recorder.units import CHANNELS

CHUNK = 480
RATE = 48_000


def constant(value: int, count: int = CHUNK) -> Pcm:
    return np.full((count, CHANNELS), value, np.int16)


def ramp(start: int, count: int = CHUNK) -> Pcm:
    """Samples that tell their own position, so that what comes out can be found."""
    values = (np.arange(start, start + count) % 30_000).astype(np.int16)
    return np.repeat(values[:, np.newaxis], CHANNELS, axis=1)


@settings(deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_blocks_of_any_size_give_the_same_sound(sizes: list[int]):
    mixer = Mixer()
    total = sum(sizes)
    for at in range(0, total, CHUNK):
        mixer.push("a", ramp(at), at)
    mixed, at = [], 0
    for size in sizes:
        mixed.append(mixer.mix(at, size))
        at += size
    assert np.array_equal(np.concatenate(mixed), ramp(0, total))
    assert mixer.lost_samples == 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-48, 48), min_size=300, max_size=300))
def test_uncertainty_of_a_millisecond_is_not_heard(errors: list[int]):
    mixer = Mixer()
    mixer.push("a", ramp(0), 0)
    for index, error in enumerate(errors, start=1):
        mixer.push("a", ramp(index * CHUNK), index * CHUNK + error)
    assert np.array_equal(mixer.mix(0, 100 * CHUNK), ramp(0, 100 * CHUNK))


def test_tracks_are_summed():
    mixer = Mixer()
    mixer.push("a", constant(1000), 0)
    mixer.push("b", constant(300), 0)
    assert (mixer.mix(0, CHUNK) == 1300).all()


def test_a_real_gap_becomes_silence_of_its_length():
    mixer = Mixer()
    for at in range(0, 10 * CHUNK, CHUNK):
        mixer.push("a", constant(1000), at)
    resumed = 10 * CHUNK + RATE
    for at in range(resumed, resumed + 50 * CHUNK, CHUNK):
        mixer.push("a", constant(1000), at)
    mixed = mixer.mix(0, resumed + 40 * CHUNK)[:, 0]
    assert (mixed[: 10 * CHUNK] == 1000).all()
    silent = np.flatnonzero(mixed == 0)
    assert silent[0] == 10 * CHUNK
    assert abs(len(silent) - RATE) <= CHUNK
    assert (mixed[resumed + CHUNK :] == 1000).all()


def test_in_a_pause_a_drift_is_gone_at_once():
    mixer = Mixer()
    for index in range(300):
        mixer.push("a", constant(50), index * CHUNK + (0 if index < 10 else -60 * 48))
    for index in range(300, 400):
        mixer.push("a", constant(1000), index * CHUNK - 60 * 48)
    mixed = mixer.mix(0, 390 * CHUNK)[:, 0]
    assert abs(int(np.flatnonzero(mixed == 1000)[0]) - (300 * CHUNK - 60 * 48)) <= 12 * 48


@pytest.mark.parametrize("drift_per_s", [-48, 48])
def test_drift_is_worn_off_and_stays_small(drift_per_s: int):
    """1000 ppm: far more than any sound card. Position of the sound against the clock must stay within 5 ms."""
    mixer = Mixer()
    chunks = 60 * 100
    last = None
    for index in range(chunks):
        at = index * CHUNK + index * drift_per_s // 100
        mixer.push("a", constant(index % 2 * 8000 + 1000), at)
        last = at
    assert last is not None
    mixed = mixer.mix(0, last - CHUNK)[:, 0]
    edges = np.flatnonzero(np.abs(np.diff(mixed.astype(int))) > 4000)
    late = edges[edges > 10 * RATE]
    index = np.rint(late / (CHUNK + drift_per_s / 100))
    error = np.abs(late - index * (CHUNK + drift_per_s / 100))
    # Edges repeat every chunk, so an error can only be seen modulo a chunk; far beyond it there would be a resync.
    assert np.minimum(error, CHUNK - error).max() <= RATE * 5 // 1000
    assert mixer.lost_samples == 0
    assert abs(drift_per_s) * 60 / RATE < RESYNC_SAMPLES


def test_sound_before_the_recording_is_not_missed_and_late_sound_is_counted():
    mixer = Mixer()
    mixer.push("a", constant(5), -CHUNK)
    mixer.mix(0, CHUNK)
    assert mixer.lost_samples == 0
    mixer.push("a", constant(5), CHUNK)
    mixer.mix(CHUNK, 10 * CHUNK)
    assert mixer.lost_samples == CHUNK


def test_loud_sums_are_limited_without_clipping_and_the_level_comes_back():
    mixer = Mixer()
    t = np.arange(RATE) / RATE
    loud = (28_000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)
    for name in "abc":
        for at in range(0, RATE, CHUNK):
            mixer.push(name, np.repeat(loud[at : at + CHUNK, np.newaxis], 2, axis=1), at)
    mixed = np.concatenate([mixer.mix(at, 1024) for at in range(0, RATE - 1024, 1024)])[:, 0]
    clipped = np.abs(mixed.astype(int)) >= 32767
    assert clipped.mean() < 0.01
    assert np.abs(mixed).max() > 30_000
    for at in range(RATE * 3 // 2, RATE * 4, CHUNK):
        mixer.push("d", constant(1000), at)
    quiet = np.concatenate([mixer.mix(at, 1024) for at in range(RATE, RATE * 7 // 2, 1024)])
    assert (quiet[-1024:] == 1000).all()


def test_an_ended_track_is_mixed_to_its_end_and_forgotten():
    mixer = Mixer()
    mixer.push("a", constant(7), 0)
    mixer.end("a")
    assert (mixer.mix(0, CHUNK) == 7).all()
    mixer.push("a", constant(9), CHUNK)
    assert (mixer.mix(CHUNK, CHUNK) == 9).all(), "the same name again is another track"


@settings(deadline=None)
@given(st.integers(2, 1000), st.integers(2, 1000))
def test_stretch_gives_the_length_and_keeps_the_ends(before: int, after: int):
    pcm = ramp(0, before)
    out = stretch(pcm, after)
    assert len(out) == after
    assert (out[0] == pcm[0]).all()
    assert (out[-1] == pcm[-1]).all()
