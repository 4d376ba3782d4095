"""Recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, select, tuple_, update

from tertulia.adapters.sql.statements import insert_unless_conflict
from tertulia.adapters.sql.tables import RECORDING_OCCUPIES, RECORDING_RUNS, recordings
from tertulia.domain.ids import Millis, RecordingId, RoomName
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.services.ports import PageKey
from tertulia_recorder.job import RecordingPreset

_MANY: Final = 500
_IS_THERE: Final = recordings.c.deleted_at_ms.is_(None)
_FIND: Final = select(recordings).where(recordings.c.id == bindparam("id"), _IS_THERE)
_NEWEST: Final = select(recordings).where(_IS_THERE).order_by(recordings.c.created_at_ms.desc(), recordings.c.id.desc())
_AFTER: Final = tuple_(recordings.c.created_at_ms, recordings.c.id) < tuple_(
    bindparam("after_ms"), bindparam("after_id")
)
_IS_UNCLAIMED: Final = and_(
    RECORDING_RUNS, recordings.c.state == RecordingState.STARTING.value, recordings.c.lease_owner.is_(None)
)
_UNCLAIMED: Final = select(recordings).where(_IS_UNCLAIMED).order_by(recordings.c.created_at_ms).limit(1)


def _recording(row: Mapping[Any, Any]) -> Recording:
    preset = row["preset"]
    state = RecordingState(row["state"])
    return Recording(**{**row, "state": state, "preset": None if preset is None else RecordingPreset(preset)})


class SqlRecordings:
    """Recordings in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def insert(self, recording: Recording) -> bool:
        """Add a recording; False when its room has an active one (one-active-recording)."""
        return insert_unless_conflict(self._connection, recordings, asdict(recording))

    def find(self, recording_id: RecordingId) -> Recording | None:
        """Find a recording."""
        row = self._connection.execute(_FIND, {"id": recording_id}).mappings().one_or_none()
        return None if row is None else _recording(row)

    def find_many(self, ids: Sequence[RecordingId]) -> list[Recording]:
        """Find those of some recordings that exist."""
        return [
            _recording(row)
            for piece in _pieces(ids)
            for row in self._connection.execute(
                select(recordings).where(recordings.c.id.in_(piece), _IS_THERE)
            ).mappings()
        ]

    def active_in(self, room: RoomName) -> Recording | None:
        """Find the recording that occupies a room."""
        statement = select(recordings).where(recordings.c.room == room, RECORDING_OCCUPIES)
        row = self._connection.execute(statement).mappings().one_or_none()
        return None if row is None else _recording(row)

    def page(self, *, room: RoomName | None, limit: int, after: PageKey | None) -> list[Recording]:
        """List a page of recordings, newest first."""
        statement, values = _NEWEST.limit(limit), {}
        if room is not None:
            statement = statement.where(recordings.c.room == room)
        if after is not None:
            statement = statement.where(_AFTER)
            values = {"after_ms": after.created_at_ms, "after_id": after.id}
        return [_recording(row) for row in self._connection.execute(statement, values).mappings()]

    def update(self, recording: Recording, *, only_from: frozenset[RecordingState]) -> bool:
        """Write a recording whose stored state is one of `only_from`; False when it is not."""
        values = asdict(recording)
        statement = update(recordings).where(
            recordings.c.id == values.pop("id"), recordings.c.state.in_([state.value for state in sorted(only_from)])
        )
        return self._connection.execute(statement.values(**values)).rowcount > 0

    def mark_deleted(self, ids: Sequence[RecordingId], *, now_ms: Millis) -> None:
        """Let recordings be found by nobody any more but `deleted`."""
        for piece in _pieces(ids):
            statement = update(recordings).where(recordings.c.id.in_(piece), _IS_THERE)
            self._connection.execute(statement.values(deleted_at_ms=now_ms))

    def deleted(self, *, limit: int) -> list[Recording]:
        """List what is marked as deleted and still has a row."""
        statement = select(recordings).where(recordings.c.deleted_at_ms.is_not(None)).limit(limit)
        return [_recording(row) for row in self._connection.execute(statement).mappings()]

    def delete(self, ids: Sequence[RecordingId]) -> None:
        """Delete rows."""
        for piece in _pieces(ids):
            self._connection.execute(delete(recordings).where(recordings.c.id.in_(piece)))

    def lock(self, recording_id: RecordingId) -> Recording | None:
        """Find a recording and keep others from changing it until the transaction ends."""
        row = self._connection.execute(_FIND.with_for_update(), {"id": recording_id}).mappings().one_or_none()
        return None if row is None else _recording(row)

    def unclaimed(self) -> bool:
        """Tell whether a recording waits for a worker."""
        return self._connection.execute(_UNCLAIMED).first() is not None

    def claim(self, *, owner: str, until_ms: Millis) -> Recording | None:
        """Take the oldest recording that no worker has had yet."""
        row = self._connection.execute(_UNCLAIMED.with_for_update(skip_locked=True)).mappings().one_or_none()
        if row is None:
            return None
        values = {"lease_owner": owner, "lease_until_ms": until_ms}
        self._connection.execute(update(recordings).where(recordings.c.id == row["id"]).values(values))
        return _recording({**row, **values})

    def drop_unclaimed(self, recording_id: RecordingId) -> bool:
        """Take back a recording that no worker has had yet; False when one was faster."""
        statement = delete(recordings).where(recordings.c.id == recording_id, _IS_UNCLAIMED)
        return self._connection.execute(statement).rowcount > 0

    def held(self, owner: str) -> list[Recording]:
        """List what runs and is an owner's."""
        return self._running(recordings.c.lease_owner == owner)

    def renew(self, *, owner: str, until_ms: Millis) -> None:
        """Keep the leases of all that an owner runs."""
        statement = update(recordings).where(recordings.c.lease_owner == owner, RECORDING_RUNS)
        self._connection.execute(statement.values(lease_until_ms=until_ms))

    def held_by_others(self, owner: str) -> list[Recording]:
        """List what runs and is not an owner's: another's, or nobody's yet."""
        return [recording for recording in self._running() if recording.lease_owner != owner]

    def request_stop(self, *, room: RoomName, now_ms: Millis, details: str) -> None:
        """Ask that the room's active recording is brought to its end; who asked first counts."""
        statement = update(recordings).where(
            recordings.c.room == room, RECORDING_OCCUPIES, recordings.c.stop_requested_at_ms.is_(None)
        )
        self._connection.execute(statement.values(stop_requested_at_ms=now_ms, details=details))

    def _running(self, *which: ColumnElement[bool]) -> list[Recording]:
        statement = select(recordings).where(RECORDING_RUNS, *which)
        return [_recording(row) for row in self._connection.execute(statement).mappings()]


def _pieces(ids: Sequence[RecordingId]) -> Iterator[Sequence[RecordingId]]:
    """Cut a list, since both databases limit how many values a statement may have."""
    return (ids[start : start + _MANY] for start in range(0, len(ids), _MANY))
