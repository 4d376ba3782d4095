"""One recording from its claim to its final state: start the recorder, watch it, store its file, write the true state.

Whenever a server dies, the next one calls `RecordingSupervisor.supervise` with the same recording and finds in the
folder how far it was. The order is always the same (file-first): media on the disk, then ACTIVE; file stored and
confirmed, then COMPLETE; row final, then the local copy is deleted.

Media is deleted only when it is stored elsewhere, or when the recording is marked as deleted, and then all of it: here
and in the store. A row that is missing or has ended by itself says neither: the database may have been restored to an
earlier moment. See `lost`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from tertulia.domain.ids import Millis, RecordingId
from tertulia.domain.recordings.outcomes import (
    RecordingFault,
    aborted,
    ending,
    failed,
    has_media,
    may_come_back,
    outcome,
    with_progress,
)
from tertulia.domain.recordings.recording import PLAYABLE, Lease, Recording, RecordingState
from tertulia.domain.rooms import Room
from tertulia.errors import NotFound, Unavailable
from tertulia.services.ports import RecorderStatus, Transaction
from tertulia.services.recordings.context import STORED_RULES, WorkerContext, rules_now
from tertulia.services.recordings.hang_detector import HangDetector
from tertulia.services.recordings.service import file_path
from tertulia_recorder.job import STATE_FILE, TOKEN_MARGIN_S, EndReason, RecorderPhase, RecorderState

_log = structlog.get_logger(__name__)

_POLL_S: Final = 0.2
"""The longest until a change by another process, or by a recorder that outlived its server, is seen."""
_PROGRESS_EVERY_S: Final = 2.0
_START_EXPIRES_AFTER_MS: Final = 20_000
"""The request that asked for the start has been answered by then."""
_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.5, 30.0
_RECOVERY_ATTEMPTS: Final = 3


class _UnrecoverableError(Exception):
    """What a recorder left cannot be made into a file."""


class _LeaseLostError(Exception):
    """Another worker has the recording now."""


class RecordingSupervisor:
    """Brings one recording to its end. `is_recording` tells whether it occupies one of this machine's recorders.

    Whatever it writes it writes by its `lease`: once another one has been given out, it changes neither the row nor
    what is stored. Without a lease it only finds out what is to become of a folder.
    """

    def __init__(self, context: WorkerContext, recording_id: RecordingId, lease: Lease | None) -> None:
        self._context = context
        self._id = recording_id
        self.lease = lease
        self._progress_written_at_s = 0.0
        self._stop_requested = False
        self._looked_at_s: float | None = None
        self.is_recording = True

    async def start(self, recording: Recording) -> None:
        """Start the recorder of a recording that was just claimed, and supervise it. Raises Unavailable (store)."""
        refusal = await self._start_recorder(recording)
        if refusal is None:
            await self.supervise()
            return
        fault, error = refusal
        _log.warning("recording not started", recording=self._id, reason=error)
        now_ms = self._context.clock.now_ms()
        if await self._change(lambda row: aborted(row, fault, error, now_ms=now_ms)) is not None:
            await self._context.recorders.delete_folder(self._id)
        self._release_recorder()

    async def supervise(self) -> None:
        """Watch the recorder while it lives, then finalise what it left. Raises Unavailable; calling again goes on."""
        await self._watch()
        self._release_recorder()
        if await self._is_deleted():
            await self._delete_media()
            return
        try:
            await self._finalise(await self._recovered())
        except _UnrecoverableError as error:
            # the folder stays: the worker tries again later, and `tertulia recordings repair` at once
            reason, now_ms = str(error), self._context.clock.now_ms()
            _log.error("recording not repaired", recording=self._id, reason=reason)
            await self._change(lambda row: failed(row, RecordingFault.MEDIA_LOST, reason, now_ms=now_ms))

    async def write_index(self, recording: Recording) -> None:
        """Write the index of a stored file that has none. Raises Unavailable."""
        self._release_recorder()
        state = await self._context.recorders.recover(self._id)
        if state is None or state.needs_remux:
            return

        def work(tx: Transaction) -> bool:
            row = tx.recordings.lock(recording.id)  # it may have been deleted meanwhile
            if row is None:
                return False
            changed = replace(row, size_bytes=state.bytes, duration_s=state.duration_s)
            return tx.recordings.update(changed, only_from=PLAYABLE)

        if await self._context.store.write(work):
            _log.info("recording has its index now", recording=self._id)
        else:
            await self._leave_unowned(state)

    def _release_recorder(self) -> None:
        self.is_recording = False
        self._context.drain.started(self._id)
        self._context.changes.notify_claimable()

    async def _recovered(self) -> RecorderState:
        for attempt in range(1, _RECOVERY_ATTEMPTS + 1):
            try:
                state = await self._context.recorders.recover(self._id)
            except Unavailable as error:
                if attempt == _RECOVERY_ATTEMPTS:
                    raise _UnrecoverableError(error.message) from error
                await asyncio.sleep(_FIRST_RETRY_S)
            else:
                return state or RecorderState(phase=RecorderPhase.DONE, pid=0, reason=EndReason.CRASHED)
        raise AssertionError("the last attempt returns or raises")

    # ── start ──

    async def _start_recorder(self, recording: Recording) -> tuple[RecordingFault, str] | None:
        """Start the recorder; return why it was not, or None."""
        context = self._context

        def read(tx: Transaction) -> tuple[Millis, Room | None, Recording | None, str | None]:
            room, row = tx.rooms.find(recording.room), tx.recordings.find(recording.id)
            return tx.now_ms(), room, row, tx.settings.find(STORED_RULES)

        now_ms, room, row, stored = await context.store.read(read)
        rules = rules_now(context.rules, stored)
        if row is None or not self._is_ours(row):
            return RecordingFault.NOT_STARTED, "Another worker has the recording."
        if now_ms - recording.created_at_ms > _START_EXPIRES_AFTER_MS:
            return RecordingFault.NOT_STARTED, "No recorder was free in the time allowed."
        if await context.recorders.free_bytes() < rules.min_free_bytes:
            return RecordingFault.NO_SPACE, "The disk of the recorder is nearly full."
        if room is None or room.has_expired(now_ms):
            return RecordingFault.NOT_STARTED, "The room is over."
        lifetime_s = rules.max_duration_s + TOKEN_MARGIN_S
        token = context.tokens.sign(room, recording.id, now_ms=now_ms, lifetime_s=lifetime_s)
        try:
            await context.recorders.start(rules.job(recording), token)
        except Unavailable as error:
            return RecordingFault.NOT_STARTED, error.message
        _log.info("recorder started", recording=self._id, room=recording.room)
        return None

    # ── watch ──

    async def _watch(self) -> None:
        hang_detector = HangDetector(now_s=time.monotonic())
        with self._context.changes.watch(self._id) as wakeup:
            looked_at_s = time.monotonic()
            while (status := await self._context.recorders.status(self._id)).is_alive:
                # before the database is asked: it may take long to answer, and the recorder goes on meanwhile
                if hang_detector.is_hung(status.state, now_s=looked_at_s):
                    _log.error("recorder hangs: killed", recording=self._id)
                    await self._context.recorders.kill(self._id)
                row = await self._write_progress(status)
                is_over = row is None or not row.is_running or row.stop_requested_at_ms is not None
                if is_over and not self._stop_requested:
                    self._stop_requested = True
                    await self._context.recorders.request_stop(self._id, age_s=self._stop_age_s(row, status))
                self._looked_at_s = looked_at_s
                await wakeup.wait(_POLL_S)
                looked_at_s = time.monotonic()

    def _stop_age_s(self, row: Recording | None, status: RecorderStatus) -> float:
        """Return how long ago the stop was requested, as far as this worker can have missed it.

        The clock of the server that was asked may differ, or jump: it was after the last look here or, where this is
        the first one, after the last progress that is in the row.
        """
        if row is None or row.stop_requested_at_ms is None:
            return 0.0
        if self._looked_at_s is not None:
            missed_s = time.monotonic() - self._looked_at_s
        else:
            missed_s = 0.0 if status.state is None else status.state.duration_s - (row.duration_s or 0.0)
        age_s = (self._context.clock.now_ms() - row.stop_requested_at_ms) / 1000
        return max(0.0, min(age_s, missed_s))

    async def _write_progress(self, status: RecorderStatus) -> Recording | None:
        """Write the recorder's progress into the row; return it, or None when the recording must not run any more."""
        row = await self._context.store.read(lambda tx: tx.recordings.find(self._id))
        if row is None or not self._is_ours(row):
            return None
        state, now_s = status.state, time.monotonic()
        if state is None or state.started_at_ms is None or not row.is_running:
            return row
        if row.stop_requested_at_ms is not None and not self._stop_requested:
            return row  # the recorder is told first: by what is in the row
        becomes_active = row.state is RecordingState.STARTING and row.stop_requested_at_ms is None
        if not becomes_active and now_s - self._progress_written_at_s < _PROGRESS_EVERY_S:
            return row
        self._progress_written_at_s = now_s
        if becomes_active:
            _log.info("recording began", recording=self._id, room=row.room)
        changed = await self._change(lambda current: with_progress(current, state))
        self._context.drain.started(self._id)
        return changed

    # ── finalise ──

    async def _finalise(self, state: RecorderState) -> None:
        context = self._context
        row = await self._change(lambda current: ending(current, state) if current.is_running else current)
        is_stored_here = False
        if row is not None and has_media(state):
            try:
                is_stored_here = not await self._store_file(row)
            except NotFound:
                state = replace(state, file_name=None, bytes=0)
            except _LeaseLostError:
                row = None
        now_ms = context.clock.now_ms()
        final = row and await self._change(lambda current: outcome(current, state, now_ms=now_ms))
        if final is None:
            await self._leave_unowned(state)
            return
        await self._log_end(final, state)
        if not is_stored_here and final.state is not RecordingState.FAILED:
            await context.recorders.delete_folder(self._id)

    async def _leave_unowned(self, state: RecorderState) -> None:
        """Keep the media of a recording that the database does not know as running, unless it says "deleted"."""

        def work(tx: Transaction) -> tuple[Recording | None, bool]:
            return tx.recordings.find(self._id), bool(tx.recordings.marked_deleted([self._id]))

        row, is_deleted = await self._context.store.read(work)
        was_never_media = row is not None and row.state is RecordingState.ABORTED and not has_media(state)
        if is_deleted:
            await self._delete_media()
        elif was_never_media:
            await self._context.recorders.delete_folder(self._id)
        elif has_media(state) and (row is None or not row.is_playable):
            _log.warning(
                "media without its recording is kept: see `tertulia recordings list --lost`",
                recording=self._id,
                state=None if row is None else row.state,
                duration_s=state.duration_s,
            )

    async def _is_deleted(self) -> bool:
        return bool(await self._context.store.read(lambda tx: tx.recordings.marked_deleted([self._id])))

    async def _delete_media(self) -> None:
        """Delete what is here and what is stored, which may have been stored since the deletion. Raises Unavailable."""
        _log.info("a deleted recording's media is deleted here too", recording=self._id)
        await self._context.files.delete(f"{self._id}/{STATE_FILE}")
        await self._context.recorders.delete_folder(self._id)

    async def _store_file(self, row: Recording) -> bool:
        """Store the file, however long the store is down; return whether the local copy may be deleted.

        Raises _LeaseLostError.
        """
        files, folder, retry_s = self._context.files, self._context.recorders.folder(self._id), _FIRST_RETRY_S
        while True:
            try:
                await self._check_lease()
                is_elsewhere = await files.keep(file_path(row), folder / row.filename, before_part=self._check_lease)
                return is_elsewhere and await files.keep(
                    f"{self._id}/{STATE_FILE}", folder / STATE_FILE, before_part=self._check_lease
                )
            except Unavailable as error:
                _log.warning("the file stays here for now", recording=self._id, reason=error.message, retry_s=retry_s)
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, _LONGEST_RETRY_S)

    async def _log_end(self, final: Recording, state: RecorderState) -> None:
        metrics = state.metrics
        _log.info(
            "recording ended",
            recording=self._id,
            room=final.room,
            state=final.state,
            details=final.details,
            duration_s=final.duration_s,
            size_bytes=final.size_bytes,
            frames_composed=metrics.frames_composed,
            frames_late=metrics.frames_late,
            audio_lost_s=metrics.audio_lost_s,
            cpu_s_per_recorded_s=cpu_per_second(state),
            max_memory_bytes=metrics.max_memory_bytes,
        )
        if final.error is not None:
            log_tail = await self._context.recorders.log_tail(self._id)
            _log.warning("recording failed", recording=self._id, reason=final.error, recorder_log=log_tail)

    # ── the row ──

    def _is_ours(self, row: Recording) -> bool:
        return row.lease is not None and row.lease == self.lease and (row.is_running or may_come_back(row))

    async def _check_lease(self) -> None:
        """Raise _LeaseLostError when another worker has the recording, or it is deleted; and Unavailable."""
        row = await self._context.store.read(lambda tx: tx.recordings.find(self._id))
        if row is None or not self._is_ours(row):
            raise _LeaseLostError

    async def _change(self, change: Callable[[Recording], Recording]) -> Recording | None:
        """Change the row while it is this supervisor's; None when it is not (deleted, given up, taken away)."""

        def work(tx: Transaction) -> Recording | None:
            row = tx.recordings.lock(self._id)
            if row is None or not self._is_ours(row):
                return None
            changed = change(row)
            tx.recordings.update(changed, only_from=frozenset({row.state}))
            return changed

        changed = await self._context.store.write(work)
        self._context.changes.notify(self._id)
        return changed


def cpu_per_second(state: RecorderState) -> float | None:
    """Return the CPU seconds that a recorded second cost; None before there is any."""
    return round(state.metrics.cpu_s / state.duration_s, 3) if state.duration_s > 0 else None
