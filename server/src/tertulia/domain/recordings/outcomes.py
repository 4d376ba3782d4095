"""What a recorder's last state means for its recording: the true state, and a sentence about why it ended."""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from typing import Final

from tertulia.domain.ids import Millis
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia_recorder.job import EndReason, RecorderState


class RecordingFault(IntEnum):
    """Why there is no file, as `errorCode` in the API. A number never changes its meaning."""

    NOT_STARTED = 1
    """No recorder began to write in the time allowed."""
    NOT_JOINED = 2
    """The recorder could not join the meeting."""
    NOTHING_RECORDED = 3
    """It ended before there was anything to store."""
    MEDIA_LOST = 4
    """Something was recorded, and cannot be read any more."""
    MACHINE_LOST = 5
    """The machine that recorded does not answer any more; when it comes back, the recording may come back too."""
    NO_SPACE = 6
    """The disk had less space left than a recording may take."""


DETAILS: Final = {
    EndReason.STOPPED: "The recorder was told to stop",
    EndReason.EMPTY: "The meeting stayed empty",
    EndReason.ROOM_CLOSED: "The meeting ended",
    EndReason.REMOVED: "The recorder was removed from the meeting",
    EndReason.CONNECTION_LOST: "The media server could not be reached any more",
    EndReason.LIMIT_DURATION: "The longest duration allowed was reached",
    EndReason.LIMIT_SIZE: "The largest size allowed was reached",
    EndReason.LIMIT_DISK: "The disk was nearly full",
    EndReason.START_FAILED: "The meeting could not be joined",
    EndReason.FAILED: "The recorder failed; what it had recorded is kept",
    EndReason.CRASHED: "The recorder was killed; what it had recorded is kept",
}
_REGULAR: Final = frozenset({EndReason.STOPPED, EndReason.EMPTY, EndReason.ROOM_CLOSED, EndReason.REMOVED})
"""Ends without any failure. Where the end was requested, the reason of the request says enough."""


def with_progress(recording: Recording, state: RecorderState) -> Recording:
    """Return a running recording with its recorder's progress. It is ACTIVE as soon as there is media on the disk."""
    if state.started_at_ms is None:
        return recording
    becomes_active = recording.state is RecordingState.STARTING and recording.stop_requested_at_ms is None
    return replace(
        recording,
        state=RecordingState.ACTIVE if becomes_active else recording.state,
        started_at_ms=state.started_at_ms,
        duration_s=round(state.duration_s, 3),
        size_bytes=state.bytes,
    )


def ending(recording: Recording, state: RecorderState) -> Recording:
    """Return a recording whose recorder has exited, while its file is still on its way to its store."""
    current = with_progress(recording, state)
    ending_state = RecordingState.ENDING if current.state is RecordingState.ACTIVE else current.state
    return replace(current, state=ending_state, ended_at_ms=_end(recording, state))


def outcome(recording: Recording, state: RecorderState, *, now_ms: Millis) -> Recording:
    """Return a recording with its final state. `state` is the recorder's last one, and its file is in its store."""
    if may_come_back(recording):  # that was when it was given up, not when it ended
        recording = replace(recording, ended_at_ms=recording.stop_requested_at_ms)
    final = replace(
        recording,
        ended_at_ms=_end(recording, state) or now_ms,
        error=None,
        error_code=None,
        details=_details(recording, state),
    )
    reason = state.reason or EndReason.CRASHED
    if has_media(state):
        return replace(
            final,
            state=RecordingState.LIMITED_REACHED if reason.is_limit else RecordingState.COMPLETE,
            started_at_ms=state.started_at_ms or recording.started_at_ms or recording.created_at_ms,
            duration_s=round(state.duration_s, 3),
            size_bytes=state.bytes,
        )
    if state.started_at_ms is not None:
        return failed(final, RecordingFault.MEDIA_LOST, "What was recorded cannot be read any more", now_ms=now_ms)
    fault = RecordingFault.NOT_JOINED if reason is EndReason.START_FAILED else RecordingFault.NOTHING_RECORDED
    error = " ".join(state.details) or "Nothing was recorded."
    return aborted(final, fault, error if reason in _REGULAR or state.details else f"{error} The recorder was killed.")


def failed(recording: Recording, fault: RecordingFault, error: str, *, now_ms: Millis) -> Recording:
    """Return a recording as ended, with its media lost."""
    ended_at_ms = recording.ended_at_ms or now_ms
    return replace(recording, state=RecordingState.FAILED, ended_at_ms=ended_at_ms, error_code=int(fault), error=error)


def aborted(recording: Recording, fault: RecordingFault, error: str, *, now_ms: Millis | None = None) -> Recording:
    """Return a recording as ended, without any media."""
    return replace(
        recording,
        state=RecordingState.ABORTED,
        ended_at_ms=recording.ended_at_ms or now_ms,
        started_at_ms=None,
        duration_s=None,
        size_bytes=None,
        error_code=int(fault),
        error=error,
    )


def lost_with_machine(recording: Recording, now_ms: Millis) -> Recording:
    """Return a recording as ended because the machine that recorded it does not answer any more."""
    error = "The machine that recorded does not answer any more."
    return failed(recording, RecordingFault.MACHINE_LOST, error, now_ms=now_ms)


def is_lost_machine(recording: Recording) -> bool:
    """Return whether a recording counts as lost only because its machine did not answer."""
    return recording.state is RecordingState.FAILED and recording.error_code == RecordingFault.MACHINE_LOST


def may_come_back(recording: Recording) -> bool:
    """Return whether a recording counts as lost while its media may still be found or repaired."""
    lost = {RecordingFault.MACHINE_LOST, RecordingFault.MEDIA_LOST}
    return recording.state is RecordingState.FAILED and recording.error_code in lost


def has_media(state: RecorderState) -> bool:
    """Return whether a recorder that is done left a file."""
    return state.file_name is not None and state.bytes > 0


def _end(recording: Recording, state: RecorderState) -> Millis | None:
    return recording.ended_at_ms or state.ended_at_ms


def _details(recording: Recording, state: RecorderState) -> str | None:
    reason = state.reason or EndReason.CRASHED
    requested = [recording.details] if recording.stop_requested_at_ms is not None and recording.details else []
    ended_by = [] if (requested and reason in _REGULAR) or not has_media(state) else [DETAILS[reason]]
    return ". ".join(part.rstrip(".") for part in (*requested, *ended_by, *state.details)) or None
