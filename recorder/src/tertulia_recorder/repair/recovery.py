"""Finishes a file: by the recorder at its end, or by another process when the recorder was killed.

Separate from the recorder, since a server that restarts has to finish what is left within seconds: this needs neither a
decoder nor a compositor.
"""

import logging
from dataclasses import replace
from pathlib import Path

from tertulia_recorder.folder import DISK_FULL, RecordingFolder
from tertulia_recorder.ids import Millis
from tertulia_recorder.job import EndReason, RecorderPhase, RecorderState
from tertulia_recorder.repair.cutting import NothingBeforeEndError, cut_end
from tertulia_recorder.repair.mp4 import NothingRecordedError, cut_torn_tail, is_finalised, measure, repair

_log = logging.getLogger(__name__)


def close_file(folder: RecordingFolder, state: RecorderState, *, until_s: float | None = None) -> RecorderState:
    """Rename the media to its final name and measure it; what cannot be finalised stays playable in fragments.

    Media after `until_s` is dropped: a stop may arrive when the file is further already.
    """
    try:
        cut_torn_tail(folder.part)
        if until_s is not None:
            _cut_end(folder.part, until_s)
        folder.sync_media()
        needs_remux = not is_finalised(folder.part)
        folder.publish()
        summary = measure(folder.final)
    except NothingRecordedError:
        return replace(state, bytes=0, duration_s=0.0)
    except NothingBeforeEndError:
        return replace(state, started_at_ms=None, bytes=0, duration_s=0.0)
    return replace(
        state,
        bytes=summary.bytes,
        duration_s=summary.duration_s,
        file_name=folder.final.name,
        needs_remux=needs_remux,
    )


def _cut_end(path: Path, until_s: float) -> None:
    try:
        cut_end(path, until_s)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        _log.warning("no space to cut what was recorded after the stop: the file keeps it")


def recover(path: Path) -> RecorderState:
    """Finish what a killed recorder left in its folder. Idempotent.

    Raises FolderBusyError while a recorder runs there, ValueError for a folder without a job.
    """
    folder = RecordingFolder.open(path)
    try:
        state = folder.read_state() or RecorderState(phase=RecorderPhase.JOINING, pid=0)
        if state.phase is RecorderPhase.DONE and not state.needs_remux:
            return state
        reason = state.reason if state.phase is RecorderPhase.DONE else EndReason.CRASHED
        state = _recovered(folder, replace(state, phase=RecorderPhase.DONE, reason=reason))
        folder.write_state(state)
        return state
    finally:
        folder.close()


def _recovered(folder: RecordingFolder, state: RecorderState) -> RecorderState:
    try:
        summary = repair(folder.final if state.needs_remux else folder.part, folder.final)
    except NothingRecordedError:
        return replace(state, bytes=0, duration_s=0.0, file_name=None)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        return state if state.needs_remux else close_file(folder, state)
    ended_at_ms = state.ended_at_ms
    if ended_at_ms is None and state.started_at_ms is not None:
        ended_at_ms = Millis(state.started_at_ms + round(summary.duration_s * 1000))
    return replace(
        state,
        ended_at_ms=ended_at_ms,
        bytes=summary.bytes,
        duration_s=summary.duration_s,
        file_name=folder.final.name,
        needs_remux=False,
    )
