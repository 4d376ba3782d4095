"""Once a second: media to the disk, then the state that speaks of it, then a look at the limits.

A thread of its own, since a slow disk must stop neither the composing nor the event loop.
"""

import logging
import os
import resource
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from tertulia_recorder.folder import RecordingFolder
from tertulia_recorder.ids import Millis
from tertulia_recorder.job import EndReason, RecorderMetrics, RecorderPhase, RecorderState
from tertulia_recorder.pipeline.pipeline import Pipeline
from tertulia_recorder.repair.mp4 import GrowingFile
from tertulia_recorder.units import SAMPLE_RATE_HZ

log = logging.getLogger(__name__)

_PERIOD_S: Final = 0.5
_START_PERIOD_S: Final = 0.1
_INDEX_BYTES_PER_S: Final = 1_200
"""What one second adds to the index that is written at the end."""


class StateWriter:
    """Keeps `state.json` true, and reports through `on_end` when the recording has to stop."""

    def __init__(self, folder: RecordingFolder, on_end: Callable[[EndReason], None]) -> None:
        self.state = RecorderState(phase=RecorderPhase.JOINING, pid=os.getpid())
        self._folder = folder
        self._file = GrowingFile(folder.part)
        self._on_end = on_end
        self._pipeline: Pipeline | None = None
        self._started_at_ms: Millis | None = None
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Say that the recorder joins, and keep saying where it stands."""
        self._folder.load_ballast()
        self._folder.write_state(self.state)
        self._thread.start()

    def follow(self, pipeline: Pipeline, started_at_ms: Millis) -> None:
        """Report on this pipeline from now on."""
        self._started_at_ms, self._pipeline = started_at_ms, pipeline

    def finishing(self, reason: EndReason) -> None:
        """Say why the recording ends."""
        self._save(phase=RecorderPhase.FINISHING, reason=reason)

    def close(self, final: Callable[[RecorderState], RecorderState]) -> None:
        """Write the last state."""
        self._closing.set()
        self._thread.join()
        with self._lock:
            state = final(replace(self.state, started_at_ms=self._started_at_ms, **self._insight()))  # type: ignore[arg-type]
            self.state = replace(state, phase=RecorderPhase.DONE)
            self._folder.write_state(self.state)

    def _run(self) -> None:
        while not self._closing.wait(_PERIOD_S if self.state.started_at_ms else _START_PERIOD_S):
            try:
                self._round()
            except OSError:
                # The writer of the media meets the same disk, and it ends the recording if it cannot go on.
                log.exception("cannot write the state")

    def _round(self) -> None:
        pipeline, job = self._pipeline, self._folder.job
        if self._folder.is_stop_requested():
            self._on_end(EndReason.STOPPED)
        if pipeline is None:
            return
        position_s = pipeline.position_s
        # before the sync: what is said is what a kill or a power cut leaves
        playable_s = self._file.playable_s()
        size = self._folder.sync_media()
        if playable_s > 0:
            phase = RecorderPhase.RECORDING if self.state.phase is RecorderPhase.JOINING else self.state.phase
            self._save(phase=phase, started_at_ms=self._started_at_ms, bytes=size, duration_s=playable_s)
        if position_s >= job.max_duration_s:
            self._on_end(EndReason.LIMIT_DURATION)
        if job.max_bytes is not None and size + position_s * _INDEX_BYTES_PER_S >= job.max_bytes:
            self._on_end(EndReason.LIMIT_SIZE)
        if self._folder.free_bytes() < job.min_free_bytes:
            self._on_end(EndReason.LIMIT_DISK)

    def _save(self, **changes: object) -> None:
        with self._lock:
            self.state = replace(self.state, **changes, **self._insight())  # type: ignore[arg-type]
            self._folder.write_state(self.state)

    def _insight(self) -> dict[str, object]:
        pipeline, usage = self._pipeline, resource.getrusage(resource.RUSAGE_SELF)
        if pipeline is None:
            return {}
        metrics = RecorderMetrics(
            frames_composed=pipeline.frames_composed,
            frames_late=pipeline.frames_late,
            audio_lost_s=pipeline.mixer.lost_samples / SAMPLE_RATE_HZ,
            cpu_s=usage.ru_utime + usage.ru_stime,
            max_memory_bytes=_peak_memory_bytes(),
        )
        return {"metrics": metrics, "details": pipeline.governor.details()}


def _peak_memory_bytes() -> int:
    # getrusage's figure would be that of whoever started us, if it was larger: Linux keeps it across exec.
    for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def wall_clock_ms() -> Millis:
    """Give the time of day, in milliseconds since the epoch; only for what people read."""
    return Millis(time.time_ns() // 1_000_000)
