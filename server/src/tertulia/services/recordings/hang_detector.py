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
"""How long a recorder may leave its state unchanged in each phase."""


class HangDetector:
    """Tells whether a recorder has stopped changing its state. Times are of the monotonic clock: others may jump."""

    def __init__(self, *, now_s: float) -> None:
        self._state: RecorderState | None = None
        self._since_s = now_s

    def is_hung(self, state: RecorderState | None, *, now_s: float) -> bool:
        """Take in the state as it is now; return whether it has been the same for too long."""
        if state != self._state:
            self._state, self._since_s = state, now_s
        phase = RecorderPhase.JOINING if state is None else state.phase
        return now_s - self._since_s > MAX_SILENCE_S[phase]
