"""Composing in real time: a thread that drives the pipeline, and the file that it writes.

Loads NumPy, FFmpeg and HarfBuzz, which takes a quarter of a second: the recorder imports it while it joins the meeting.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import av

from tertulia_recorder.clock import monotonic_us
from tertulia_recorder.drawing.compositor import Compositor
from tertulia_recorder.drawing.text import TextPainter
from tertulia_recorder.folder import RecordingFolder
from tertulia_recorder.job import RecorderState
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.pipeline.formats import FORMATS
from tertulia_recorder.pipeline.muxer import Muxer
from tertulia_recorder.pipeline.pipeline import OnLayout, Pipeline
from tertulia_recorder.pipeline.timeline import Timeline
from tertulia_recorder.repair.recovery import close_file
from tertulia_recorder.units import MICROSECOND

_log = logging.getLogger(__name__)

_MIN_WAIT_S, _MAX_WAIT_S = 0.005, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposingCallbacks:
    """What composing reports; called on its thread."""

    on_layout: OnLayout
    on_frame: Callable[[], None]
    on_failure: Callable[[], None]


class Composing:
    """Turns the media buffer into the folder's file, from `start` to `finish`."""

    def __init__(self, folder: RecordingFolder, media_buffer: MediaBuffer, callbacks: ComposingCallbacks) -> None:
        self._folder = folder
        self._media_buffer = media_buffer
        self._callbacks = callbacks
        self._format = FORMATS[folder.job.preset]
        size = self._format.picture
        self._compositor = None if size is None else Compositor(size, TextPainter())
        self._thread: ComposingThread | None = None

    @property
    def failure(self) -> Exception | None:
        """What ended the writing early: OSError where the file could not be written, else a defect."""
        return None if self._thread is None else self._thread.failure

    def start(self) -> Pipeline:
        """Create the file and begin the recording's time."""
        muxer = Muxer(self._folder.part, self._format)
        pipeline = Pipeline(
            timeline=Timeline(monotonic_us(), self._format.fps),
            muxer=muxer,
            media_buffer=self._media_buffer,
            compositor=self._compositor,
            on_layout=self._callbacks.on_layout,
        )
        self._thread = ComposingThread(pipeline, self._callbacks)
        self._thread.start()
        return pipeline

    def finish(self, end_us: int) -> None:
        """Write everything up to `end_us` (of the monotonic clock) and close the file. Blocks."""
        if self._thread is not None:
            self._thread.pipeline.end_us = end_us
            self._thread.join()

    def publish_file(self, state: RecorderState) -> RecorderState:
        """Give the finished file its final name; returns the state with what it holds. Blocks."""
        return state if self._thread is None else close_file(self._folder, state, until_s=self._thread.pipeline.end_s)


class ComposingThread(threading.Thread):
    """Drives a pipeline in real time until its end; `failure` is what ended it early."""

    def __init__(self, pipeline: Pipeline, callbacks: ComposingCallbacks) -> None:
        super().__init__(name="compose", daemon=True)
        self.pipeline = pipeline
        self.failure: Exception | None = None
        self._callbacks = callbacks
        self._wake = threading.Event()

    def run(self) -> None:
        """Write what is due, sleep until the next frame; at the end close the file."""
        pipeline = self.pipeline
        try:
            while not pipeline.is_finished:
                if pipeline.advance(monotonic_us()):
                    self._callbacks.on_frame()
                else:
                    wait_us = pipeline.next_due_us - monotonic_us()
                    self._wake.wait(min(max(wait_us / MICROSECOND, _MIN_WAIT_S), _MAX_WAIT_S))
            pipeline.finish()
        except Exception as error:  # noqa: BLE001 - a thread that dies unseen would be a recording without its end
            _log.exception("the recording cannot be composed further")
            is_known = isinstance(error, OSError) or not isinstance(error, av.FFmpegError)
            self.failure = error if is_known else OSError(str(error))
            self._callbacks.on_failure()
