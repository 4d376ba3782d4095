"""How long a recorder may leave its state unchanged, in each phase."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tertulia.services.recordings.hang_detector import MAX_SILENCE_S, HangDetector
from tertulia_recorder.job import RecorderMetrics, RecorderPhase, RecorderState


@pytest.mark.parametrize("phase", RecorderPhase)
def test_too_long_without_a_change(phase: RecorderPhase) -> None:
    state = RecorderState(phase=phase, pid=1)
    detector = HangDetector(now_s=0)
    assert not detector.is_hung(state, now_s=1000)
    assert not detector.is_hung(state, now_s=1000 + MAX_SILENCE_S[phase])
    assert detector.is_hung(state, now_s=1000.1 + MAX_SILENCE_S[phase])
    assert not detector.is_hung(replace(state, duration_s=1), now_s=2000)


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
    assert not detector.is_hung(None, now_s=40)
    assert detector.is_hung(None, now_s=40.1)
