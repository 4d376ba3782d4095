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


class HangDetector:
    """Tells whether a recorder's film has stopped growing. Times are of the monotonic clock: others may jump.

    Only the position counts: the recorder goes on writing what it measures although the thread that composes has died.
    """

    def __init__(self, *, now_s: float) -> None:
        self._position: tuple[RecorderPhase, float, int] | None = None
        self._since_s = now_s

    def is_hung(self, state: RecorderState | None, *, now_s: float) -> bool:
        """Take in the state as it is now; return whether the film has been at the same position for too long."""
        position = None if state is None else (state.phase, state.duration_s, state.bytes)
        if position != self._position:
            self._position, self._since_s = position, now_s
        phase = RecorderPhase.JOINING if state is None else state.phase
        return now_s - self._since_s > MAX_SILENCE_S[phase]
