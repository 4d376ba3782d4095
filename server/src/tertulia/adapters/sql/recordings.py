"""Recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, tuple_, update

from tertulia.adapters.sql.statements import insert_unless_conflict
from tertulia.adapters.sql.tables import recordings
from tertulia.domain.ids import Millis, RecordingId, RoomName
from tertulia.domain.recordings import RUNNING, Recording, RecordingState
from tertulia.services.ports import PageKey

_MANY: Final = 500
_FIND: Final = select(recordings).where(recordings.c.id == bindparam("id"))
_NEWEST: Final = select(recordings).order_by(recordings.c.created_at_ms.desc(), recordings.c.id.desc())
_AFTER: Final = tuple_(recordings.c.created_at_ms, recordings.c.id) < tuple_(
    bindparam("after_ms"), bindparam("after_id")
)
_IS_RUNNING: Final = recordings.c.state.in_([state.value for state in sorted(RUNNING)])


def _recording(row: Mapping[Any, Any]) -> Recording:
    return Recording(**{**row, "state": RecordingState(row["state"])})


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
            for row in self._connection.execute(select(recordings).where(recordings.c.id.in_(piece))).mappings()
        ]

    def active_in(self, room: RoomName) -> Recording | None:
        """Find the recording that occupies a room."""
        statement = select(recordings).where(recordings.c.room == room, _IS_RUNNING)
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

    def delete(self, ids: Sequence[RecordingId]) -> None:
        """Delete rows."""
        for piece in _pieces(ids):
            self._connection.execute(delete(recordings).where(recordings.c.id.in_(piece)))

    def claim(self, *, owner: str, now_ms: Millis, lease_ms: int) -> Recording | None:
        """Take one running recording whose lease nobody holds."""
        free = (
            select(recordings)
            .where(_IS_RUNNING, recordings.c.lease_until_ms <= now_ms)
            .order_by(recordings.c.created_at_ms)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = self._connection.execute(free).mappings().one_or_none()
        if row is None:
            return None
        self._connection.execute(
            update(recordings)
            .where(recordings.c.id == row["id"])
            .values(lease_owner=owner, lease_until_ms=now_ms + lease_ms)
        )
        return _recording({**row, "lease_owner": owner, "lease_until_ms": now_ms + lease_ms})

    def renew(self, recording_id: RecordingId, *, owner: str, until_ms: Millis) -> bool:
        """Keep a lease; False when somebody else holds it now."""
        statement = (
            update(recordings)
            .where(recordings.c.id == recording_id, recordings.c.lease_owner == owner, _IS_RUNNING)
            .values(lease_until_ms=until_ms)
        )
        return self._connection.execute(statement).rowcount > 0

    def request_stop(self, *, room: RoomName, now_ms: Millis, details: str) -> None:
        """Ask that the room's active recording is brought to its end; who asked first counts."""
        statement = update(recordings).where(
            recordings.c.room == room, _IS_RUNNING, recordings.c.stop_requested_at_ms.is_(None)
        )
        self._connection.execute(statement.values(stop_requested_at_ms=now_ms, details=details))

    def running(self) -> list[Recording]:
        """List recordings that occupy their rooms."""
        return [_recording(row) for row in self._connection.execute(select(recordings).where(_IS_RUNNING)).mappings()]


def _pieces(ids: Sequence[RecordingId]) -> Iterator[Sequence[RecordingId]]:
    """Cut a list, since both databases limit how many values a statement may have."""
    return (ids[start : start + _MANY] for start in range(0, len(ids), _MANY))
