"""Lost recordings: media on this machine that no recording of the database accounts for.

The row is missing (the database was restored to an earlier moment, or is another one), or it says that there is no file
(the recording was given up, or could not be repaired), or it is about another worker's file, of which this machine has
an unfinished part (the folder was cloned). Such media is kept until an operator takes it back or deletes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tertulia.domain.ids import RecordingId, RoomName
from tertulia.domain.recordings.outcomes import has_media
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.errors import Conflict, recording_not_found
from tertulia.services.ports import Transaction
from tertulia.services.recordings.context import WorkerContext
from tertulia_recorder.job import RecorderPhase, RecorderState


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRecording:
    """Media without its recording. `row_state` is what the database says instead; None without a row.

    `state` is the recorder's last one; None, or without a file name, while the media is not repaired.
    """

    id: RecordingId
    room: RoomName
    filename: str
    row_state: RecordingState | None
    state: RecorderState | None


class LostRecordings:
    """The lost recordings of this machine."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context

    async def find(self) -> list[LostRecording]:
        """List them, by id. What is being recorded, is deleted, or never had media is not one of them."""
        ids = await self._context.recorders.recording_ids()

        def read(tx: Transaction) -> tuple[Mapping[RecordingId, Recording], frozenset[RecordingId]]:
            rows = tx.recordings.find_many(ids)
            return {row.id: row for row in rows}, frozenset(tx.recordings.marked_deleted(ids))

        rows, deleted = await self._context.store.read(read)
        found = [await self._lost(each, rows.get(each)) for each in sorted(ids) if each not in deleted]
        return [each for each in found if each is not None]

    async def _lost(self, recording_id: RecordingId, row: Recording | None) -> LostRecording | None:
        if row is not None and row.is_running:
            return None
        job, status = (
            await self._context.recorders.job(recording_id),
            await self._context.recorders.status(recording_id),
        )
        if job is None or status.is_alive or not _may_have_media(status.state):
            return None
        if row is not None and row.is_playable and _is_finished(status.state):
            return None
        row_state = None if row is None else row.state
        return LostRecording(
            id=recording_id, room=job.room_name, filename=job.file_name, row_state=row_state, state=status.state
        )

    async def adopt(self, recording_id: str) -> Recording:
        """Take a lost recording back: its worker repairs and stores what there is, and says what that is.

        Raises NotFound when it is not among the lost ones, and Conflict when its row has changed meanwhile.
        """
        lost = next((each for each in await self.find() if each.id == recording_id), None)
        if lost is None:
            raise recording_not_found(recording_id)
        now_ms, owner = self._context.clock.now_ms(), self._context.owner
        started_at_ms = None if lost.state is None else lost.state.started_at_ms
        new = Recording(
            lost.id,
            lost.room,
            lost.filename,
            RecordingState.ENDING,
            created_at_ms=started_at_ms or now_ms,
            started_at_ms=started_at_ms,
            lease_owner=owner,
            lease_epoch=1,
        )

        def work(tx: Transaction) -> Recording | None:
            row = tx.recordings.lock(lost.id)
            if row is None:
                return new if tx.recordings.insert(new) else None
            taken = replace(
                row,
                state=RecordingState.ENDING,
                started_at_ms=row.started_at_ms or started_at_ms,
                ended_at_ms=None,
                error=None,
                error_code=None,
                lease_owner=owner,
                lease_epoch=row.lease_epoch + 1,
            )
            only_from = frozenset({RecordingState.FAILED, RecordingState.ABORTED})
            return taken if tx.recordings.update(taken, only_from=only_from) else None

        adopted = await self._context.store.write(work)
        if adopted is None:
            raise Conflict("recording_changed", f"Recording '{recording_id}' is not lost any more")
        self._context.changes.notify_claimable()
        return adopted


def _is_finished(state: RecorderState | None) -> bool:
    return state is not None and state.phase is RecorderPhase.DONE


def _may_have_media(state: RecorderState | None) -> bool:
    if state is None or not _is_finished(state):
        return True
    return has_media(state) or state.started_at_ms is not None
