"""Writes the state: media to the disk, then the state that describes it, then a check of the limits.

As soon as the first media is in the file, then twice a second. On a thread of its own, since a slow disk must stop
neither composing nor the event loop.
"""

import logging
import os
import resource
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tertulia_recorder.folder import DISK_FULL, RecordingFolder
from tertulia_recorder.ids import Millis
from tertulia_recorder.job import EndReason, RecorderMetrics, RecorderPhase, RecorderState
from tertulia_recorder.repair.growing_file import GrowingFile
from tertulia_recorder.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from tertulia_recorder.pipeline.pipeline import Pipeline  # loaded later: it needs NumPy and FFmpeg

_log = logging.getLogger(__name__)

_PERIOD_S: Final = 0.5
_JOINING_PERIOD_S: Final = 0.1
_MAX_FAILING_S: Final = 2.0
"""A disk may refuse for an instant."""
_INDEX_BYTES_PER_S: Final = 1_200
"""What one second adds to the index that is written at the end."""


class StateWriter:
    """Keeps `state.json` true, and reports through `on_end` when the recording has to stop.

    `on_stop` is told of the file ``stop``: how many seconds ago the stop was requested.
    """

    def __init__(
        self, folder: RecordingFolder, on_end: Callable[[EndReason], None], on_stop: Callable[[float], None]
    ) -> None:
        self.state = RecorderState(phase=RecorderPhase.JOINING, pid=os.getpid())
        self._folder = folder
        self._file = GrowingFile(folder.part)
        self._on_end = on_end
        self._on_stop = on_stop
        self._pipeline: Pipeline | None = None
        self._started_at_ms: Millis | None = None
        self._is_closing = False
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="state", daemon=True)

    def start(self) -> None:
        """Write that the recorder joins, and begin to write what follows."""
        self._folder.reserve_space()
        self._folder.write_state(self.state)
        self._thread.start()

    def follow(self, pipeline: "Pipeline", started_at_ms: Millis) -> None:
        """Report on this pipeline from now on."""
        self._started_at_ms, self._pipeline = started_at_ms, pipeline

    def on_frame(self) -> None:
        """Look at the file at once if its first media is still awaited."""
        if self.state.phase is RecorderPhase.JOINING:
            self._wake.set()

    def write_finishing(self, reason: EndReason) -> None:
        """Write that the recording ends, and why."""
        with self._lock:
            self._write(phase=RecorderPhase.FINISHING, reason=reason)

    def close(self, final: Callable[[RecorderState], RecorderState]) -> None:
        """Write the last state."""
        self._is_closing = True
        self._wake.set()
        self._thread.join()
        with self._lock:
            state = final(replace(self.state, started_at_ms=self._started_at_ms, **self._measured()))  # type: ignore[arg-type]
            self.state = replace(state, phase=RecorderPhase.DONE)
            self._folder.write_state(self.state)

    def _run(self) -> None:
        written_at_s = time.monotonic()
        while True:
            self._wake.wait(_JOINING_PERIOD_S if self.state.phase is RecorderPhase.JOINING else _PERIOD_S)
            self._wake.clear()
            if self._is_closing:
                return
            try:
                self._update()
            except OSError as error:
                _log.exception("cannot write the state")
                if time.monotonic() - written_at_s >= _MAX_FAILING_S:
                    self._on_end(EndReason.LIMIT_DISK if error.errno in DISK_FULL else EndReason.FAILED)
            except Exception:  # noqa: BLE001 - a thread that dies unseen would leave the state as it was, for ever
                _log.exception("cannot write the state, by a defect")
                self._on_end(EndReason.FAILED)
            else:
                written_at_s = time.monotonic()

    def _update(self) -> None:
        pipeline, job = self._pipeline, self._folder.job
        age_s = self._folder.stop_age_s()
        if age_s is not None:
            self._on_stop(age_s)
        if pipeline is None:
            return
        position_s = pipeline.position_s
        # Before the sync: what the state says is what a kill or a power cut leaves.
        playable_s = self._file.playable_s()
        if playable_s <= 0:
            return
        size = self._folder.sync_media()
        with self._lock:
            phase = RecorderPhase.RECORDING if self.state.phase is RecorderPhase.JOINING else self.state.phase
            self._write(phase=phase, started_at_ms=self._started_at_ms, bytes=size, duration_s=playable_s)
        if position_s >= job.max_duration_s:
            self._on_end(EndReason.LIMIT_DURATION)
        if job.max_bytes is not None and size + position_s * _INDEX_BYTES_PER_S >= job.max_bytes:
            self._on_end(EndReason.LIMIT_SIZE)
        if self._folder.free_bytes() < job.min_free_bytes:
            self._on_end(EndReason.LIMIT_DISK)

    def _write(self, **changes: object) -> None:
        self.state = replace(self.state, **changes, **self._measured())  # type: ignore[arg-type]
        self._folder.write_state(self.state)

    def _measured(self) -> dict[str, object]:
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
    # getrusage's figure would be that of the parent process, if it was larger: Linux keeps it across exec.
    for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
