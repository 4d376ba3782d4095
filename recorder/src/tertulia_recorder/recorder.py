"""One recording from joining to the finished file, whatever happens around it."""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tertulia_recorder.clock import monotonic_us, wall_clock_ms
from tertulia_recorder.drawing.layout import arrange
from tertulia_recorder.folder import DISK_FULL, RecordingFolder
from tertulia_recorder.ids import Millis
from tertulia_recorder.job import EndReason, RecorderState
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.pipeline.formats import FORMATS
from tertulia_recorder.pipeline.quality import QUALITY_LEVELS
from tertulia_recorder.receiving.meeting_source import MeetingSource
from tertulia_recorder.state_writer import StateWriter
from tertulia_recorder.units import MICROSECOND

if TYPE_CHECKING:
    from tertulia_recorder.composing import Composing  # loaded later: it needs NumPy, FFmpeg and HarfBuzz

_log = logging.getLogger(__name__)

_FIRST_PICTURES_S: Final = 1.0
_READY_POLL_S: Final = 0.01
_OCCUPANCY_POLL_S: Final = 0.1


class Recorder:
    """One recording from joining to the finished file."""

    def __init__(self, folder: RecordingFolder, token: str) -> None:
        self._folder = folder
        self._job = folder.job
        self._picture_size = FORMATS[folder.job.preset].picture
        self._media_buffer = MediaBuffer()
        self._source = MeetingSource(
            url=folder.job.media_url,
            token=token,
            media_buffer=self._media_buffer,
            with_picture=self._picture_size is not None,
            on_stop=self._stop,
        )
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[EndReason] = self._loop.create_future()
        self._end_us = 0
        self._state_writer = StateWriter(
            folder,
            on_end=lambda reason: self._call(self.end, reason),
            on_stop=lambda age_s: self._call(self._stop, age_s),
        )
        self._composing: Composing | None = None

    def end(self, reason: EndReason, *, end_us: int | None = None) -> None:
        """Request the end, now or at an instant of the monotonic clock that has passed; the first reason counts."""
        if not self._end.done():
            self._end_us = monotonic_us() if end_us is None else end_us
            self._end.set_result(reason)

    def _stop(self, age_s: float) -> None:
        """End what was stopped `age_s` ago, but no earlier than when the meeting was last lost.

        No media came after that; and an age that includes the sleep of this machine, during which its monotonic clock
        stands still, would reach back too far.
        """
        stopped_at_us = monotonic_us() - round(age_s * MICROSECOND)
        self.end(EndReason.STOPPED, end_us=max(stopped_at_us, self._source.lost_at_us))

    def _stop_by_signal(self) -> None:
        self._stop(self._folder.stop_age_s() or 0.0)

    async def run(self) -> RecorderState:
        """Record until something ends it; returns the last state, which is also on the disk."""
        # Not the event loop's own handlers: those use a pipe that is full when the loop is blocked, and are lost.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._call(self._stop_by_signal))
        await asyncio.to_thread(self._state_writer.start)
        async with asyncio.TaskGroup() as tasks:
            receiving, *others = [
                tasks.create_task(self._or_end(work), name=name)
                for name, work in (("receive", self._receive), ("watch", self._watch), ("begin", self._begin))
            ]
            reason = await self._end
            _log.info("ending: %s", reason)
            for task in others:
                task.cancel()
            # What is on its way belongs to the recording: the meeting is left when the file is finished.
            await self._finish(reason)
            receiving.cancel()
        return self._state_writer.state

    async def _or_end(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception:  # noqa: BLE001 - whatever fails, what is recorded so far becomes a finished file
            _log.exception("the recording cannot go on")
            self.end(EndReason.FAILED)

    async def _receive(self) -> None:
        self.end(await self._source.run())

    async def _begin(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            loading = tasks.create_task(asyncio.to_thread(self._load_composing), name="load")
            is_joined = await self._join()
        age_s = await asyncio.to_thread(self._folder.stop_age_s)
        if age_s is not None:
            self._stop(age_s)
        elif not is_joined:
            self.end(EndReason.START_FAILED)
        else:
            self._composing = loading.result()
            started_at_ms = wall_clock_ms()
            self._state_writer.follow(self._composing.start(), started_at_ms)

    async def _join(self) -> bool:
        """Wait for the meeting and for the first pictures; False when it cannot be joined in time."""
        try:
            async with asyncio.timeout(self._job.start_timeout_s):
                await self._source.connected.wait()
        except TimeoutError:
            return False
        # The first frame shall show pictures, not their placeholders.
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_PICTURES_S):
                while not self._source.is_ready:
                    if self._picture_size is not None:
                        tiles = arrange(self._media_buffer.scene.participants, self._picture_size)
                        self._source.subscribe_for(tiles, QUALITY_LEVELS[0])
                    await asyncio.sleep(_READY_POLL_S)
        return True

    def _load_composing(self) -> "Composing":
        # On a thread, while the meeting is joined: see `tertulia_recorder.composing`.
        from tertulia_recorder.composing import Composing, ComposingCallbacks  # noqa: PLC0415

        callbacks = ComposingCallbacks(
            on_layout=lambda tiles, quality: self._call(self._source.subscribe_for, tiles, quality),
            on_frame=self._state_writer.on_frame,
            on_failure=lambda: self._call(self.end, EndReason.FAILED),
        )
        return Composing(self._folder, self._media_buffer, callbacks)

    async def _watch(self) -> None:
        """End a meeting that stays empty."""
        while True:
            await asyncio.sleep(_OCCUPANCY_POLL_S)
            if self._source.is_occupied() or self._composing is None:
                continue
            if time.monotonic() - self._source.last_occupied_at_s > self._job.empty_timeout_s:
                self.end(EndReason.EMPTY if self._source.is_connected else EndReason.CONNECTION_LOST)

    async def _finish(self, reason: EndReason) -> None:
        try:
            await asyncio.to_thread(self._state_writer.write_finishing, reason)
        except OSError:
            _log.exception("cannot write the state")  # the film matters more
        ended_at_ms = Millis(wall_clock_ms() - (monotonic_us() - self._end_us) // 1000)
        if self._composing is not None:
            await asyncio.to_thread(self._composing.finish, self._end_us)
        await asyncio.to_thread(self._state_writer.close, lambda state: self._final_state(state, reason, ended_at_ms))

    def _final_state(self, state: RecorderState, reason: EndReason, ended_at_ms: Millis) -> RecorderState:
        failure = None if self._composing is None else self._composing.failure
        details = list(state.details)
        if failure is not None:
            reason = EndReason.FAILED
        if isinstance(failure, OSError):
            reason = EndReason.LIMIT_DISK if failure.errno in DISK_FULL else EndReason.FAILED
            details.append(f"The file could not be written further: {failure.strerror or failure}.")
        if self._source.encrypted_tracks:
            details.append("Media that is encrypted end to end is not in the recording.")
        if reason is EndReason.START_FAILED:
            details.append(f"The meeting could not be joined: {self._source.last_error or 'no answer in time'}.")
        state = replace(state, reason=reason, ended_at_ms=ended_at_ms, details=tuple(details))
        return state if self._composing is None else self._composing.publish_file(state)

    def _call(self, function: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: there is nothing left to tell
            self._loop.call_soon_threadsafe(function, *args)
