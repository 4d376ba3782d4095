"""One recording from its claim to its final state: start the recorder, watch it, keep its file, say what is true.

Whatever instant a server dies at, its successor comes here again with the same recording and finds in the folder how
far it was (`RecordingSupervisor.keep`). The order is always the same (file-first): media on the disk, then ACTIVE; file
where it is kept, confirmed, then COMPLETE; row final, then the local copy goes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import structlog

from tertulia.domain.ids import Millis, RecordingId
from tertulia.domain.recordings.outcomes import (
    RecordingFault,
    aborted,
    ending,
    failed,
    has_media,
    is_lost_machine,
    outcome,
    with_progress,
)
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.errors import NotFound, Unavailable
from tertulia.services.ports import Clock, Files, Recorders, RecorderStatus, Store, Transaction
from tertulia.services.recordings.service import file_path
from tertulia.services.tokens import RecorderTokens
from tertulia_recorder.job import (
    STATE_FILE,
    TOKEN_MARGIN_S,
    EndReason,
    RecorderJob,
    RecorderPhase,
    RecorderState,
    RecordingPreset,
)

_log = structlog.get_logger(__name__)

_LOOK_EVERY_S: Final = 0.2
_LOOK_SOON_S: Final = 0.1
_PROGRESS_EVERY_S: Final = 2.0
_NOBODY_WAITS_AFTER_MS: Final = 20_000
_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.5, 30.0
_REPAIRS: Final = 3
_SILENCE_S: Final = {
    RecorderPhase.JOINING: 40.0,
    RecorderPhase.RECORDING: 30.0,
    RecorderPhase.FINISHING: 300.0,
    RecorderPhase.DONE: 15.0,
}
"""How long a recorder may say nothing new before it counts as hung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRules:
    """How recordings are made here. `media_url`: where recorders reach the media server. `preset` holds for recordings
    that ask for none. The rest are limits."""

    media_url: str
    preset: RecordingPreset = RecordingPreset.HD_720P30
    max_duration_s: float = 8 * 3600.0
    max_bytes: int | None = None
    min_free_bytes: int = 1_000_000_000
    empty_timeout_s: float = 30.0

    def job(self, recording: Recording) -> RecorderJob:
        """Say what the recorder of a recording has to do."""
        return RecorderJob(
            recording_id=recording.id,
            room_name=recording.room,
            media_url=self.media_url,
            file_name=recording.filename,
            preset=recording.preset or self.preset,
            max_duration_s=self.max_duration_s,
            max_bytes=self.max_bytes,
            min_free_bytes=self.min_free_bytes,
            empty_timeout_s=max(self.empty_timeout_s, 0.1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """What a worker works with; `owner` is its name in the rows that it holds."""

    owner: str
    store: Store
    clock: Clock
    recorders: Recorders
    files: Files
    tokens: RecorderTokens
    rules: RecordingRules


class _UnrepairableError(Exception):
    """What a recorder left cannot be made into a file."""


class _Silence:
    """Notices a recorder that has stopped saying anything. By the monotonic clock: the wall clock may jump."""

    def __init__(self) -> None:
        self._said: RecorderState | None = None
        self._since_s = time.monotonic()

    def is_too_long(self, state: RecorderState | None) -> bool:
        if state != self._said:
            self._said, self._since_s = state, time.monotonic()
        phase = RecorderPhase.JOINING if state is None else state.phase
        return time.monotonic() - self._since_s > _SILENCE_S[phase]


class RecordingSupervisor:
    """Brings one recording to its end. `is_recording` tells whether it costs this machine a recorder right now."""

    def __init__(self, workshop: WorkerContext, recording_id: RecordingId) -> None:
        self._shop = workshop
        self._id = recording_id
        self._noted_at_s = 0.0
        self._asked_to_end = False
        self.is_recording = True

    async def begin(self, recording: Recording) -> None:
        """Start the recorder of a recording that was just claimed, and keep it. Raises Unavailable for the store."""
        refusal = await self._start(recording)
        if refusal is None:
            await self.keep()
            return
        fault, error = refusal
        _log.warning("recording not started", recording=self._id, reason=error)
        now_ms = self._shop.clock.now_ms()
        await self._change(lambda row: aborted(row, fault, error, now_ms=now_ms))
        await self._shop.recorders.discard(self._id)

    async def keep(self) -> None:
        """Watch a recorder if one lives, then finish what it left. Raises Unavailable; trying again goes on."""
        await self._watch()
        self.is_recording = False
        try:
            await self._settle(await self._recovered())
        except _UnrepairableError as error:
            # the folder stays: somebody may still make something of it
            said, now_ms = str(error), self._shop.clock.now_ms()
            _log.error("recording not repaired", recording=self._id, reason=said)
            await self._change(lambda row: failed(row, RecordingFault.MEDIA_LOST, said, now_ms=now_ms))

    async def index(self, recording: Recording) -> None:
        """Write the index of a file that is kept without one. Raises Unavailable."""
        self.is_recording = False
        state = await self._shop.recorders.recover(self._id)
        if state is None or state.needs_remux:
            return
        changed = replace(recording, size_bytes=state.bytes, duration_s=state.duration_s)
        only_from = frozenset({recording.state})
        await self._shop.store.write(lambda tx: tx.recordings.update(changed, only_from=only_from))
        _log.info("recording has its index now", recording=self._id)

    async def _recovered(self) -> RecorderState:
        for attempt in range(1, _REPAIRS + 1):
            try:
                state = await self._shop.recorders.recover(self._id)
            except Unavailable as error:
                if attempt == _REPAIRS:
                    raise _UnrepairableError(error.message) from error
                await asyncio.sleep(_FIRST_RETRY_S)
            else:
                return state or RecorderState(phase=RecorderPhase.DONE, pid=0, reason=EndReason.CRASHED)
        raise AssertionError("the last attempt returns or raises")

    # ── start ──

    async def _start(self, recording: Recording) -> tuple[RecordingFault, str] | None:
        shop, now_ms = self._shop, self._shop.clock.now_ms()
        if now_ms - recording.created_at_ms > _NOBODY_WAITS_AFTER_MS:
            return RecordingFault.NOT_STARTED, "No recorder was free in the time allowed."
        if await shop.recorders.free_bytes() < shop.rules.min_free_bytes:
            return RecordingFault.NO_SPACE, "The disk of the recorder is nearly full."
        room = await shop.store.read(lambda tx: tx.rooms.find(recording.room))
        if room is None or room.has_expired(now_ms):
            return RecordingFault.NOT_STARTED, "The room is over."
        lifetime_s = shop.rules.max_duration_s + TOKEN_MARGIN_S
        token = shop.tokens.sign(room, recording.id, now_ms=now_ms, lifetime_s=lifetime_s)
        try:
            await shop.recorders.start(shop.rules.job(recording), token)
        except Unavailable as error:
            return RecordingFault.NOT_STARTED, error.message
        _log.info("recorder started", recording=self._id, room=recording.room)
        return None

    # ── watch ──

    async def _watch(self) -> None:
        silence = _Silence()
        while (seen := await self._shop.recorders.look(self._id)).is_alive:
            row = await self._note(seen)
            over = row is None or not row.is_running or row.stop_requested_at_ms is not None
            if over and not self._asked_to_end:
                self._asked_to_end = True
                await self._shop.recorders.ask_to_end(self._id)
            if silence.is_too_long(seen.state):
                _log.error("recorder hangs: killed", recording=self._id)
                await self._shop.recorders.kill(self._id)
            soon = self._asked_to_end or seen.state is None or seen.state.started_at_ms is None
            await asyncio.sleep(_LOOK_SOON_S if soon else _LOOK_EVERY_S)

    async def _note(self, seen: RecorderStatus) -> Recording | None:
        """Write into the row what is seen; returns it, or None when this recording shall not run (any more)."""
        row = await self._shop.store.read(lambda tx: tx.recordings.find(self._id))
        if row is None or not (row.is_running or is_lost_machine(row)):
            return None
        state, now_s = seen.state, time.monotonic()
        if state is None or state.started_at_ms is None or not row.is_running:
            return row
        begins = row.state is RecordingState.STARTING and row.stop_requested_at_ms is None
        if not begins and now_s - self._noted_at_s < _PROGRESS_EVERY_S:
            return row
        self._noted_at_s = now_s
        if begins:
            _log.info("recording began", recording=self._id, room=row.room)
        return await self._change(lambda current: with_progress(current, state))

    # ── finish ──

    async def _settle(self, state: RecorderState) -> None:
        shop = self._shop
        row = await self._change(lambda current: ending(current, state) if current.is_running else current)
        keeps_copy = False
        if row is not None and has_media(state):
            try:
                keeps_copy = not await self._kept(row)
            except NotFound:
                state = replace(state, file_name=None, bytes=0)
        now_ms = shop.clock.now_ms()
        final = row and await self._change(lambda current: outcome(current, state, now_ms=now_ms))
        await self._report(final, state)
        if not keeps_copy:
            await shop.recorders.discard(self._id)

    async def _kept(self, row: Recording) -> bool:
        """Bring the file to where it is kept, however long the store is down; True when the local one may go."""
        files, folder, retry_s = self._shop.files, self._shop.recorders.folder(self._id), _FIRST_RETRY_S
        while True:
            try:
                elsewhere = await files.keep(file_path(row), folder / row.filename)
                return elsewhere and await files.keep(f"{self._id}/{STATE_FILE}", folder / STATE_FILE)
            except Unavailable as error:
                _log.warning("the file stays here for now", recording=self._id, reason=error.message, retry_s=retry_s)
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, _LONGEST_RETRY_S)

    async def _report(self, final: Recording | None, state: RecorderState) -> None:
        if final is None:
            _log.warning("recording was over before its recorder", recording=self._id)
            return
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
            words = await self._shop.recorders.log_tail(self._id)
            _log.warning("recording failed", recording=self._id, reason=final.error, recorder_log=words)

    # ── the row ──

    async def _change(self, change: Callable[[Recording], Recording]) -> Recording | None:
        """Change the row while it is ours; None when it is not (deleted, given up, taken away)."""

        def work(tx: Transaction) -> Recording | None:
            row = tx.recordings.lock(self._id)
            if row is None or not (row.is_running or is_lost_machine(row)):
                return None
            changed = change(row)
            tx.recordings.update(changed, only_from=frozenset({row.state}))
            return changed

        return await self._shop.store.write(work)


def cpu_per_second(state: RecorderState) -> float | None:
    """Give the CPU seconds that a recorded second cost; None before there is any."""
    return round(state.metrics.cpu_s / state.duration_s, 3) if state.duration_s > 0 else None


def lost_with_its_machine(recording: Recording, now_ms: Millis) -> Recording:
    """Say of a recording that its machine does not answer any more."""
    return replace(
        recording,
        state=RecordingState.FAILED,
        ended_at_ms=recording.ended_at_ms or now_ms,
        error_code=int(RecordingFault.MACHINE_LOST),
        error="The machine that recorded does not answer any more.",
    )
