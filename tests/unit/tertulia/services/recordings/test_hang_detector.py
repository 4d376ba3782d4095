"""How long a recorder may leave its state unchanged, in each phase."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tertulia.services.recordings.hang_detector import MAX_SILENCE_S, HangDetector
from tertulia_recorder.job import RecorderMetrics, RecorderPhase, RecorderState


def seconds_until_hung(detector: HangDetector, state: RecorderState | None, *, from_s: int) -> int:
    """Look once a second, as long as the film stays as it is."""
    return next(waited for waited in range(1000) if detector.is_hung(state, now_s=from_s + waited))


@pytest.mark.parametrize("phase", RecorderPhase)
def test_too_long_without_a_change(phase: RecorderPhase) -> None:
    state = RecorderState(phase=phase, pid=1)
    detector = HangDetector(now_s=0)
    assert not detector.is_hung(state, now_s=1000)
    assert seconds_until_hung(detector, state, from_s=1000) == MAX_SILENCE_S[phase] + 1
    assert not detector.is_hung(replace(state, duration_s=1), now_s=2000)


def test_a_block_of_ours_is_not_the_recorder_s_silence() -> None:
    """(issue 10) A hung database, or a machine that slept: only looks afterwards tell whether the film grows."""
    state = RecorderState(phase=RecorderPhase.RECORDING, pid=1, duration_s=5.0, bytes=1000)
    detector = HangDetector(now_s=0)
    assert not detector.is_hung(state, now_s=1)
    assert not detector.is_hung(state, now_s=56), "nobody looked for 55 s"
    assert not detector.is_hung(replace(state, duration_s=6.0), now_s=57)
    assert not detector.is_hung(replace(state, duration_s=6.0), now_s=200)
    assert seconds_until_hung(detector, replace(state, duration_s=6.0), from_s=200) <= 30, "it does hang"


def test_a_state_that_changes_without_its_film_is_not_a_sign_of_life() -> None:
    """The state's thread goes on measuring although the one that composes has died."""
    state = RecorderState(phase=RecorderPhase.RECORDING, pid=1, duration_s=5.0, bytes=1000)
    detector = HangDetector(now_s=0)
    limit_s = MAX_SILENCE_S[RecorderPhase.RECORDING]
    hung = [
        detector.is_hung(replace(state, metrics=RecorderMetrics(cpu_s=float(now_s))), now_s=now_s)
        for now_s in range(int(limit_s) + 2)
    ]
    assert hung.index(True) == limit_s + 1


def test_a_recorder_without_a_state_is_joining() -> None:
    detector = HangDetector(now_s=0)
    assert seconds_until_hung(detector, None, from_s=0) == 41
