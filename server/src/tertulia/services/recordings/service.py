"""Recordings: started, stopped, listed, streamed, deleted.

A recording is a row: the index `one-active-recording` keeps a room from having two, and a worker that can record
claims the row by a lease (see `ports.RecordingRepository.claim`). Starting a recording here means inserting its row and
waiting for that row to change.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from tertulia.domain.ids import Millis, RecordingId, RoomName
from tertulia.domain.recordings.outcomes import RecordingFault, aborted
from tertulia.domain.recordings.recording import (
    OCCUPYING,
    RUNNING,
    Recording,
    RecordingState,
    could_be_recording_id,
    recording_names,
)
from tertulia.errors import Conflict, Forbidden, NotFound, Unavailable, recording_not_found
from tertulia.services.idempotency import remember, replayed, written_once
from tertulia.services.ports import (
    Clock,
    FileReader,
    Files,
    IdempotencyKey,
    MediaServerClient,
    PageKey,
    RecordingSearch,
    Store,
    Transaction,
)
from tertulia.services.recordings.changes import RecordingChanges
from tertulia.services.recordings.stops import RecorderStops
from tertulia.services.rooms import find_room
from tertulia_recorder.job import RecordingPreset

_log = structlog.get_logger(__name__)
_PAGE: Final = 500
_POLL_S: Final = 0.2
"""The longest until a change by another process is seen."""
_STOPPED: Final = "Stopped using API"
_BUSY_RETRY_AFTER_S: Final = 30
_MARKS_KEPT_MS: Final = 400 * 24 * 3600 * 1000
"""For so long a machine that was away deletes its copy of a recording that was deleted meanwhile."""


@dataclass(frozen=True, slots=True)
class OpenRecording:
    """A finished recording with its file."""

    recording: Recording
    file: FileReader


class RecordingService:
    """The recordings of this installation.

    `start_timeout_s`: how long a start may take until it counts as failed. `claim_timeout_s`: how long a worker may
    take to claim it; a worker that can carry another recording looks for one several times a second.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        media: MediaServerClient,
        files: Files,
        changes: RecordingChanges,
        start_timeout_s: float = 20.0,
        claim_timeout_s: float = 3.0,
    ) -> None:
        self._store = store
        self._clock = clock
        self._media = media
        self._files = files
        self._changes = changes
        self._start_timeout_s = start_timeout_s
        self._claim_timeout_s = claim_timeout_s
        self._stops = RecorderStops(store=store, clock=clock, media=media)

    # ── start and stop ──

    async def start(
        self, room_name: str, *, preset: RecordingPreset | None = None, idempotency_key: IdempotencyKey | None = None
    ) -> Recording:
        """Record a room, by the settings' preset if none is given; return when the first media is on the disk.

        Raises NotFound (room), Forbidden (switched off), Conflict (already recording, room empty, stopped meanwhile)
        and Unavailable (no worker claimed it in time, or its recorder failed).
        """
        now_ms = self._clock.now_ms()

        def may_start(tx: Transaction) -> str | None:
            earlier = replayed(tx, idempotency_key, now_ms)
            if earlier is None:
                _check_startable(tx, room_name, now_ms)
            return earlier

        earlier = await self._store.read(may_start)
        if earlier is not None:
            return await self._wait_until_started(RecordingId(earlier), idempotency_key)
        participants = await self._media.participants(RoomName(room_name))
        if all(participant.hidden for participant in participants):
            raise Conflict("room_empty", f"Nobody is in the room '{room_name}'", name="Recording Error")

        def insert(tx: Transaction) -> RecordingId:
            repeated = replayed(tx, idempotency_key, now_ms)
            if repeated is not None:
                return RecordingId(repeated)
            # by the clock that the worker's is compared with when it claims: the two machines' may differ
            recording = _new_recording(_check_startable(tx, room_name, now_ms), preset, tx.now_ms())
            if not tx.recordings.insert(recording):
                raise _already_recording(room_name)
            remember(tx, idempotency_key, recording.id, now_ms)
            return recording.id

        recording_id = await written_once(self._store, insert)
        self._changes.notify_claimable()
        return await self._wait_until_started(recording_id, idempotency_key)

    async def _wait_until_started(self, recording_id: RecordingId, idempotency_key: IdempotencyKey | None) -> Recording:
        loop = asyncio.get_running_loop()
        began_at_s = loop.time()
        with self._changes.watch(recording_id) as wakeup:
            while (recording := await self.get(recording_id)).state is RecordingState.STARTING:
                waited_s = loop.time() - began_at_s
                if recording.lease_owner is None and waited_s >= self._claim_timeout_s:
                    await self._drop_unclaimed(recording_id, idempotency_key)
                elif waited_s >= self._start_timeout_s:
                    recording = await self._give_up(recording_id)
                    break
                await wakeup.wait(_POLL_S)
        return _outcome(recording)

    async def _drop_unclaimed(self, recording_id: RecordingId, idempotency_key: IdempotencyKey | None) -> None:
        """Refuse what no worker claims: all are at their capacity, or there is none. Raises Unavailable."""

        def work(tx: Transaction) -> bool:
            dropped = tx.recordings.drop_unclaimed(recording_id)
            if dropped and idempotency_key is not None:
                tx.idempotency.delete(idempotency_key)
            return dropped

        if await self._store.write(work):
            message = "As many recordings are running as can be carried; try again later"
            raise Unavailable("recorders_busy", message, retry_after_s=_BUSY_RETRY_AFTER_S)

    async def _give_up(self, recording_id: RecordingId) -> Recording:
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> None:
            recording = tx.recordings.lock(recording_id)
            if recording is not None and recording.state is RecordingState.STARTING:
                error = "No recorder began to write within the time allowed."
                ended = aborted(recording, RecordingFault.NOT_STARTED, error, now_ms=now_ms)
                tx.recordings.update(ended, only_from=frozenset({RecordingState.STARTING}))

        await self._store.write(work)
        self._changes.notify(recording_id)
        return await self.get(recording_id)

    async def stop(self, recording_id: str) -> None:
        """Request the end of a recording; its file follows. Raises NotFound, and Conflict when it is not running."""
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> Recording:
            recording = _found(tx, recording_id, lock=True)
            if recording.state not in OCCUPYING or recording.stop_requested_at_ms is not None:
                raise Conflict("recording_not_running", f"Recording '{recording_id}' is not running")
            stopped = replace(recording, stop_requested_at_ms=now_ms, ended_at_ms=now_ms, details=_STOPPED)
            if recording.state is RecordingState.ACTIVE:
                stopped = replace(stopped, state=RecordingState.ENDING)
            elif recording.lease_owner is None:  # no worker has claimed it: no recorder has to end
                stopped = replace(stopped, state=RecordingState.ABORTED)
            tx.recordings.update(stopped, only_from=frozenset({recording.state}))
            return stopped

        stopped = await self._store.write(work)
        self._changes.notify(stopped.id)
        if stopped.is_running:
            await self._stops.send(stopped)

    async def repeat_stops(self) -> None:
        """Tell recorders again that were stopped and have not ended: the worker of one may be away."""
        await self._stops.repeat()

    # ── read ──

    async def get(self, recording_id: str) -> Recording:
        """Find a recording. Raises NotFound."""
        return await self._store.read(lambda tx: _found(tx, recording_id))

    async def page(self, *, room: RoomName | None, limit: int, after: PageKey | None = None) -> list[Recording]:
        """List recordings, newest first, of one room or of all."""
        return await self._store.read(lambda tx: tx.recordings.page(room=room, limit=limit, after=after))

    async def search(self, wanted: RecordingSearch) -> list[Recording]:
        """List the recordings that are wanted."""
        return await self._store.read(lambda tx: tx.recordings.search(wanted))

    def repair(self) -> None:
        """Let this machine's worker look now for what crashes left, as it does at its start and every ten minutes."""
        self._changes.request_repair()

    async def all(self, *, room: RoomName | None) -> AsyncIterator[list[Recording]]:
        """List all recordings, page by page."""
        after: PageKey | None = None
        while page := await self.page(room=room, limit=_PAGE, after=after):
            yield page
            after = PageKey(page[-1].created_at_ms, page[-1].id)

    async def open(self, recording_id: str) -> OpenRecording:
        """Open the file of a finished recording. Raises NotFound, and Conflict while there is none yet."""
        recording = await self.get(recording_id)
        if not recording.is_playable:
            reason = "is still running" if recording.is_running else "has no file"
            raise Conflict("recording_not_finished", f"Recording '{recording_id}' {reason}", name="Recording Error")
        file = await self._files.open(file_path(recording))
        if file is None:
            raise NotFound("recording_file_not_found", f"The file of recording '{recording_id}' is gone")
        return OpenRecording(recording, file)

    # ── delete ──

    async def delete(self, recording_id: str) -> None:
        """Delete a recording and its file. Raises NotFound, and Conflict while it is running."""
        await self._delete(lambda tx: [_found(tx, recording_id)])

    async def delete_many(self, ids: Sequence[str]) -> None:
        """Delete recordings: all, or none when one is running (Conflict names it). Unknown ids count as deleted."""
        possible = [RecordingId(each) for each in dict.fromkeys(ids) if could_be_recording_id(each)]
        await self._delete(lambda tx: tx.recordings.find_many(possible))

    async def _delete(self, find: Callable[[Transaction], Sequence[Recording]]) -> None:
        now_ms = self._clock.now_ms()

        def mark(tx: Transaction) -> Sequence[Recording]:
            recordings = find(tx)
            for recording in recordings:
                if recording.is_running:
                    raise Conflict(
                        "recording_running", f"Recording '{recording.id}' is still running", name="Recording Error"
                    )
            # a finished recording never runs again, so nothing can change between that check and this mark
            tx.recordings.mark_deleted([recording.id for recording in recordings], now_ms=now_ms)
            return recordings

        await self._remove(await self._store.write(mark))

    async def remove_deleted(self) -> None:
        """Remove the files of deleted recordings that are left: the store was down then, or the server died."""
        await self._remove(await self._store.read(lambda tx: tx.recordings.deleted(limit=_PAGE)))

    async def _remove(self, recordings: Sequence[Recording]) -> None:
        # the mark is what deletes; the row goes last, so that no file is ever left without a row that names it
        removed: list[RecordingId] = []

        def forget(tx: Transaction) -> None:
            tx.recordings.delete(removed)
            tx.recordings.delete_old_marks(before_ms=Millis(tx.now_ms() - _MARKS_KEPT_MS))

        for recording in recordings:
            try:
                await self._files.delete(file_path(recording))
            except Unavailable as error:
                _log.warning("a deleted recording's file stays for now", recording=recording.id, reason=error.message)
            else:
                removed.append(recording.id)
        if removed:
            await self._store.write(forget)


def file_path(recording: Recording) -> str:
    """Return the path of a recording's file in its store: in a folder of its own, beside the recorder's state."""
    return f"{recording.id}/{recording.filename}"


def _found(tx: Transaction, recording_id: str, *, lock: bool = False) -> Recording:
    if could_be_recording_id(recording_id):
        find = tx.recordings.lock if lock else tx.recordings.find
        recording = find(RecordingId(recording_id))
        if recording is not None:
            return recording
    raise recording_not_found(recording_id)


def _check_startable(tx: Transaction, room_name: str, now_ms: Millis) -> RoomName:
    room = find_room(tx, room_name, now_ms)
    if not room.preferences.recording_enabled:
        raise Forbidden("recording_disabled", f"Recording is switched off in the room '{room_name}'", name="Room Error")
    if tx.recordings.active_in(room.name) is not None:
        raise _already_recording(room_name)
    return room.name


def _already_recording(room_name: str) -> Conflict:
    return Conflict("already_recording", f"The room '{room_name}' is being recorded already", name="Recording Error")


def _new_recording(room: RoomName, preset: RecordingPreset | None, now_ms: Millis) -> Recording:
    recording_id, filename = recording_names(room, secrets.token_hex(8), secrets.token_hex(8))
    return Recording(recording_id, room, filename, RecordingState.STARTING, created_at_ms=now_ms, preset=preset)


def _outcome(recording: Recording) -> Recording:
    if recording.state is not RecordingState.ACTIVE and recording.stop_requested_at_ms is not None:
        raise Conflict("recording_stopped", "The recording was stopped before it began", name="Recording Error")
    if recording.state in RUNNING or recording.is_playable:
        return recording
    raise Unavailable("recording_failed", f"The recording did not start: {recording.error or 'unknown reason'}")
