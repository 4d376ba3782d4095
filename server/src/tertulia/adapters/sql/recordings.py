"""Recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from tertulia.adapters.sql.events import add_event
from tertulia.adapters.sql.searches import contains, sorted_page
from tertulia.adapters.sql.statements import insert_unless_conflict, pieces
from tertulia.adapters.sql.tables import RECORDING_OCCUPIES, RECORDING_RUNS, deleted_recordings, recordings
from tertulia.domain.events import recording_deleted, recording_event
from tertulia.domain.ids import Millis, RecordingId, RoomName
from tertulia.domain.recordings.recording import Lease, Recording, RecordingState
from tertulia.services.ports import PageKey, RecordingOrder, RecordingRepository, RecordingSearch
from tertulia_recorder.job import RecordingPreset

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

_RENEW: Final = update(recordings).where(
    recordings.c.id == bindparam("of"),
    recordings.c.lease_owner == bindparam("by"),
    recordings.c.lease_epoch == bindparam("at"),
    RECORDING_RUNS,
)

_ORDER: Final[Mapping[RecordingOrder, ColumnElement[Any]]] = {
    RecordingOrder.CREATED: recordings.c.created_at_ms,
    RecordingOrder.DURATION: func.coalesce(recordings.c.duration_s, 0.0, type_=Float(53)),
    RecordingOrder.SIZE: func.coalesce(recordings.c.size_bytes, 0, type_=BigInteger),
}


def _recording(row: Mapping[Any, Any]) -> Recording:
    preset = row["preset"]
    state = RecordingState(row["state"])
    return Recording(**{**row, "state": state, "preset": None if preset is None else RecordingPreset(preset)})


class SqlRecordingRepository(RecordingRepository):
    """Recordings in one transaction, which also writes an event of each change: workers of any process make them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def insert(self, recording: Recording) -> bool:
        """Let the unique index `ux_recordings_one_active` decide (one-active-recording)."""
        if not insert_unless_conflict(self._connection, recordings, asdict(recording)):
            return False
        add_event(self._connection, recording_event(recording))
        return True

    def find(self, recording_id: RecordingId) -> Recording | None:
        row = self._connection.execute(_FIND, {"id": recording_id}).mappings().one_or_none()
        return None if row is None else _recording(row)

    def find_many(self, ids: Sequence[RecordingId]) -> list[Recording]:
        return [
            _recording(row)
            for piece in pieces(ids)
            for row in self._connection.execute(
                select(recordings).where(recordings.c.id.in_(piece), _IS_THERE)
            ).mappings()
        ]

    def active_in(self, room: RoomName) -> Recording | None:
        statement = select(recordings).where(recordings.c.room == room, RECORDING_OCCUPIES)
        row = self._connection.execute(statement).mappings().one_or_none()
        return None if row is None else _recording(row)

    def active_in_rooms(self, rooms: Sequence[RoomName]) -> dict[RoomName, RecordingId]:
        """Use the index of one-active-recording."""
        statement = select(recordings.c.room, recordings.c.id).where(RECORDING_OCCUPIES)
        return {
            row.room: RecordingId(row.id)
            for piece in pieces(rooms)
            for row in self._connection.execute(statement.where(recordings.c.room.in_(piece)))
        }

    def page(self, *, room: RoomName | None, limit: int, after: PageKey | None) -> list[Recording]:
        statement, values = _NEWEST.limit(limit), {}
        if room is not None:
            statement = statement.where(recordings.c.room == room)
        if after is not None:
            statement = statement.where(_AFTER)
            values = {"after_ms": after.created_at_ms, "after_id": after.id}
        return [_recording(row) for row in self._connection.execute(statement, values).mappings()]

    def search(self, wanted: RecordingSearch) -> list[Recording]:
        """Sort those without a file as if theirs had nothing in it."""
        statement = select(recordings).where(_IS_THERE)
        if wanted.text:
            statement = statement.where(contains(wanted.text, recordings.c.id))
        if wanted.states != frozenset(RecordingState):
            statement = statement.where(recordings.c.state.in_([state.value for state in sorted(wanted.states)]))
        by, descending = _ORDER[wanted.order], wanted.descending
        statement = sorted_page(
            statement, by, recordings.c.id, descending=descending, limit=wanted.limit, after=wanted.after
        )
        return [_recording(row) for row in self._connection.execute(statement).mappings()]

    def update(self, recording: Recording, *, only_from: frozenset[RecordingState]) -> bool:
        values = asdict(recording)
        statement = update(recordings).where(
            recordings.c.id == values.pop("id"), recordings.c.state.in_([state.value for state in sorted(only_from)])
        )
        if self._connection.execute(statement.values(**values)).rowcount == 0:
            return False
        add_event(self._connection, recording_event(recording))
        return True

    def mark_deleted(self, ids: Sequence[RecordingId], *, now_ms: Millis) -> None:
        for piece in pieces(ids):
            statement = update(recordings).where(recordings.c.id.in_(piece), _IS_THERE)
            self._connection.execute(statement.values(deleted_at_ms=now_ms))
        for each in ids:
            add_event(self._connection, recording_deleted(each))

    def marked_deleted(self, ids: Sequence[RecordingId]) -> list[RecordingId]:
        return [
            RecordingId(found)
            for piece in pieces(ids)
            for found in self._connection.execute(
                select(recordings.c.id)
                .where(recordings.c.id.in_(piece), recordings.c.deleted_at_ms.is_not(None))
                .union(select(deleted_recordings.c.id).where(deleted_recordings.c.id.in_(piece)))
            ).scalars()
        ]

    def deleted(self, *, limit: int) -> list[Recording]:
        statement = select(recordings).where(recordings.c.deleted_at_ms.is_not(None)).limit(limit)
        return [_recording(row) for row in self._connection.execute(statement).mappings()]

    def delete(self, ids: Sequence[RecordingId]) -> None:
        for piece in pieces(ids):
            marked = select(recordings.c.id, recordings.c.deleted_at_ms).where(
                recordings.c.id.in_(piece),
                recordings.c.deleted_at_ms.is_not(None),
                ~select(deleted_recordings.c.id).where(deleted_recordings.c.id == recordings.c.id).exists(),
            )
            self._connection.execute(insert(deleted_recordings).from_select(["id", "deleted_at_ms"], marked))
            self._connection.execute(delete(recordings).where(recordings.c.id.in_(piece)))

    def delete_old_marks(self, *, before_ms: Millis) -> None:
        self._connection.execute(delete(deleted_recordings).where(deleted_recordings.c.deleted_at_ms < before_ms))

    def lock(self, recording_id: RecordingId) -> Recording | None:
        row = self._connection.execute(_FIND.with_for_update(), {"id": recording_id}).mappings().one_or_none()
        return None if row is None else _recording(row)

    def unclaimed(self) -> bool:
        return self._connection.execute(_UNCLAIMED).first() is not None

    def claim(self, *, owner: str, until_ms: Millis) -> Recording | None:
        """Skip locked rows on PostgreSQL, so that workers that claim at the same time take different recordings."""
        row = self._connection.execute(_UNCLAIMED.with_for_update(skip_locked=True)).mappings().one_or_none()
        if row is None:
            return None
        return self.take(_recording(row), owner=owner, until_ms=until_ms)

    def take(self, recording: Recording, *, owner: str, until_ms: Millis) -> Recording:
        taken = replace(recording, lease_owner=owner, lease_until_ms=until_ms, lease_epoch=recording.lease_epoch + 1)
        values = {name: getattr(taken, name) for name in ("lease_owner", "lease_until_ms", "lease_epoch")}
        self._connection.execute(update(recordings).where(recordings.c.id == recording.id).values(values))
        return taken

    def drop_unclaimed(self, recording_id: RecordingId) -> bool:
        statement = delete(recordings).where(recordings.c.id == recording_id, _IS_UNCLAIMED)
        if self._connection.execute(statement).rowcount == 0:
            return False
        add_event(self._connection, recording_deleted(recording_id))
        return True

    def stopping(self) -> list[Recording]:
        return self._running(recordings.c.stop_requested_at_ms.is_not(None))

    def held(self, owner: str) -> list[Recording]:
        return self._running(recordings.c.lease_owner == owner)

    def renew(self, leases: Sequence[Lease], *, until_ms: Millis) -> None:
        if leases:
            statement = _RENEW.values(lease_until_ms=until_ms)
            self._connection.execute(
                statement, [{"of": each.recording, "by": each.owner, "at": each.epoch} for each in leases]
            )

    def held_by_others(self, owner: str) -> list[Recording]:
        return [recording for recording in self._running() if recording.lease_owner != owner]

    def request_stop(self, *, rooms: Sequence[RoomName], now_ms: Millis, details: str) -> None:
        """Keep the first request when there are several."""
        for piece in pieces(rooms):
            statement = update(recordings).where(
                recordings.c.room.in_(piece), RECORDING_OCCUPIES, recordings.c.stop_requested_at_ms.is_(None)
            )
            self._connection.execute(statement.values(stop_requested_at_ms=now_ms, details=details))

    def _running(self, *which: ColumnElement[bool]) -> list[Recording]:
        statement = select(recordings).where(RECORDING_RUNS, *which)
        return [_recording(row) for row in self._connection.execute(statement).mappings()]
