"""Finding recorders that hang."""

from __future__ import annotations

from typing import Final

from tertulia_recorder.job import RecorderPhase, RecorderState

MAX_SILENCE_S: Final = {
    RecorderPhase.JOINING: 40.0,
    RecorderPhase.RECORDING: 30.0,
    RecorderPhase.FINISHING: 300.0,
    RecorderPhase.DONE: 15.0,
}
"""How long a recorder's film may stay at one position in each phase."""
_MAX_GAP_S: Final = 5.0
"""The most that counts as silence between two looks: in a longer time without one, it was us who stood still."""


class HangDetector:
    """Tells whether a recorder's film has stopped growing. Times are of the monotonic clock: others may jump.

    Only the position counts: the recorder goes on writing what it measures although the thread that composes has died.
    """

    def __init__(self, *, now_s: float) -> None:
        self._position: tuple[RecorderPhase, float, int] | None = None
        self._silent_s = 0.0
        self._looked_at_s = now_s

    def is_hung(self, state: RecorderState | None, *, now_s: float) -> bool:
        """Take in the state of a look that began at `now_s`; return whether the film stands still for too long."""
        gap_s, self._looked_at_s = now_s - self._looked_at_s, now_s
        position = None if state is None else (state.phase, state.duration_s, state.bytes)
        if position == self._position:
            self._silent_s += min(gap_s, _MAX_GAP_S)
        else:
            self._position, self._silent_s = position, 0.0
        phase = RecorderPhase.JOINING if state is None else state.phase
        return self._silent_s > MAX_SILENCE_S[phase]
