"""The recorder's life: take the folder, join, record, finish the file by itself whatever happens around it."""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Final

import av

from tertulia_recorder.clock import monotonic_us
from tertulia_recorder.drawing.compositor import Compositor
from tertulia_recorder.drawing.layout import arrange
from tertulia_recorder.drawing.text import TextPainter
from tertulia_recorder.folder import DISK_FULL, RecordingFolder
from tertulia_recorder.ids import Millis
from tertulia_recorder.job import EndReason, RecorderState, RecordingPreset
from tertulia_recorder.pipeline.muxer import FORMATS, Muxer
from tertulia_recorder.pipeline.pipeline import MediaBuffer, Pipeline
from tertulia_recorder.pipeline.timeline import EFFORTS, Timeline
from tertulia_recorder.receiving.source import MeetingSource
from tertulia_recorder.repair.recovery import close_file
from tertulia_recorder.state_writer import StateWriter, wall_clock_ms
from tertulia_recorder.units import MICROSECOND

log = logging.getLogger(__name__)

_SETTLE_S: Final = 1.0
_WATCH_S: Final = 0.1


class ComposingThread(threading.Thread):
    """Drives a pipeline in real time until its end; `failure` says what stopped it early."""

    def __init__(self, pipeline: Pipeline, on_failure: Callable[[], None]) -> None:
        super().__init__(name="compose", daemon=True)
        self.failure: OSError | None = None
        self._pipeline = pipeline
        self._on_failure = on_failure
        self._wake = threading.Event()

    def run(self) -> None:
        """Write what is due, sleep until there is more; then close the file."""
        try:
            while not self._pipeline.is_finished:
                if not self._pipeline.advance(monotonic_us()):
                    wait_us = self._pipeline.next_due_us - monotonic_us()
                    self._wake.wait(min(max(wait_us / MICROSECOND, 0.005), 0.1))
            self._pipeline.finish()
        except (OSError, av.FFmpegError) as error:
            log.exception("the file cannot be written")
            self.failure = error if isinstance(error, OSError) else OSError(str(error))
            self._on_failure()


class Recorder:
    """One recording from joining to the finished file."""

    def __init__(self, folder: RecordingFolder, token: str) -> None:
        job = folder.job
        self._folder = folder
        self._job = job
        self._format = FORMATS[job.preset]
        self._media_buffer = MediaBuffer()
        self._source = MeetingSource(
            url=job.media_url,
            token=token,
            media_buffer=self._media_buffer,
            with_picture=job.preset is not RecordingPreset.AUDIO,
        )
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[EndReason] = self._loop.create_future()
        self._keeper = StateWriter(folder, lambda reason: self._call(self.end, reason))
        self._composing: ComposingThread | None = None
        self._pipeline: Pipeline | None = None

    def end(self, reason: EndReason) -> None:
        """Ask for the end; the first reason counts."""
        if not self._end.done():
            self._end.set_result(reason)

    async def run(self) -> RecorderState:
        """Record until something ends it; returns the last state, which is also on the disk."""
        # Not the loop's own handlers: those go through a pipe that a loop in trouble leaves full, and are lost.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._call(self.end, EndReason.STOPPED))
        await asyncio.to_thread(self._keeper.start)
        async with asyncio.TaskGroup() as tasks:
            attending, *others = [
                tasks.create_task(self._or_end(work), name=name)
                for name, work in (("attend", self._attend()), ("watch", self._watch()), ("begin", self._begin()))
            ]
            reason = await self._end
            log.info("ending: %s", reason)
            for task in others:
                task.cancel()
            # What is on its way belongs to the recording: the meeting is left when the file is finished.
            await self._finish(reason)
            attending.cancel()
        return self._keeper.state

    async def _or_end(self, work: Coroutine[None, None, None]) -> None:
        # Whatever breaks here, what is recorded so far becomes a finished file.
        try:
            await work
        except Exception:
            log.exception("the recording cannot go on")
            self.end(EndReason.FAILED)

    async def _attend(self) -> None:
        self.end(await self._source.attend())

    async def _begin(self) -> None:
        try:
            async with asyncio.timeout(self._job.start_timeout_s):
                await self._source.connected.wait()
        except TimeoutError:
            self.end(EndReason.START_FAILED)
            return
        # The first frame shall show people, not places where people will be.
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE_S):
                while not self._source.is_settled:
                    if self._format.picture is not None:
                        self._source.wish(arrange(self._media_buffer.scene.people, self._format.picture), EFFORTS[0])
                    await asyncio.sleep(0.02)
        if await asyncio.to_thread(self._folder.is_stop_requested):
            self.end(EndReason.STOPPED)
            return
        self._start()

    def _start(self) -> None:
        timeline = Timeline(monotonic_us(), self._format.fps)
        started_at_ms = wall_clock_ms()
        size = self._format.picture
        self._pipeline = Pipeline(
            timeline=timeline,
            muxer=Muxer(self._folder.part, self._format),
            media_buffer=self._media_buffer,
            compositor=None if size is None else Compositor(size, TextPainter()),
            on_wishes=lambda tiles, effort: self._call(self._source.wish, tiles, effort),
        )
        self._keeper.follow(self._pipeline, started_at_ms)
        self._composing = ComposingThread(self._pipeline, lambda: self._call(self.end, EndReason.FAILED))
        self._composing.start()

    async def _watch(self) -> None:
        """End a meeting that stays empty."""
        while True:
            await asyncio.sleep(_WATCH_S)
            now = time.monotonic()
            if self._source.is_someone_there():
                continue
            if self._pipeline is not None and now - self._source.someone_seen_at_s > self._job.empty_timeout_s:
                self.end(EndReason.EMPTY if self._source.is_connected else EndReason.CONNECTION_LOST)

    async def _finish(self, reason: EndReason) -> None:
        await asyncio.to_thread(self._keeper.finishing, reason)
        ended_at_ms = wall_clock_ms()
        if self._pipeline is not None and self._composing is not None:
            self._pipeline.end_us = monotonic_us()
            await asyncio.to_thread(self._composing.join)
        await asyncio.to_thread(self._keeper.close, lambda state: self._final_state(state, reason, ended_at_ms))

    def _final_state(self, state: RecorderState, reason: EndReason, ended_at_ms: Millis) -> RecorderState:
        failure = None if self._composing is None else self._composing.failure
        details = list(state.details)
        if failure is not None:
            reason = EndReason.LIMIT_DISK if failure.errno in DISK_FULL else EndReason.FAILED
            details.append(f"The file could not be written further: {failure.strerror or failure}.")
        if self._source.left_out:
            details.append("Media that is encrypted end to end is not in the recording.")
        if reason is EndReason.START_FAILED:
            details.append(f"The meeting could not be joined: {self._source.last_error or 'no answer in time'}.")
        state = replace(state, reason=reason, ended_at_ms=ended_at_ms, details=tuple(details))
        return state if self._pipeline is None else close_file(self._folder, state)

    def _call(self, function: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # the loop has gone: so has everything that could be told
            self._loop.call_soon_threadsafe(function, *args)
