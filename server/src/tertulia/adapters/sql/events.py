"""The history of events, and its end."""

from __future__ import annotations

import json
import time
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select

from tertulia.adapters.sql.tables import events
from tertulia.domain.events import Event, EventKind, StoredEvent
from tertulia.domain.ids import Millis
from tertulia.services.ports import EventRepository

_INSERT: Final = insert(events).inline()
_AFTER: Final = select(events).where(events.c.id > bindparam("after")).order_by(events.c.id)
_NEWEST: Final = select(events).order_by(events.c.id.desc())
_KINDS: Final = {kind.value for kind in EventKind}


def add_event(connection: Connection, event: Event) -> None:
    """Write an event in the transaction that makes the change."""
    at_ms = time.time_ns() // 1_000_000
    connection.execute(_INSERT, {"at_ms": at_ms, "kind": event.kind.value, "data": json.dumps(event.data)})


class SqlEventRepository(EventRepository):
    """Events in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, event: Event) -> None:
        """Write it with this machine's time."""
        add_event(self._connection, event)

    def after(self, event_id: int, *, limit: int) -> list[StoredEvent]:
        """Leave out kinds that only a newer version knows."""
        rows = self._connection.execute(_AFTER.limit(limit), {"after": event_id})
        return [_event(row) for row in rows if row.kind in _KINDS]

    def newest(self, *, limit: int) -> list[StoredEvent]:
        """Leave out the same as `after`."""
        rows = self._connection.execute(_NEWEST.limit(limit))
        return [_event(row) for row in rows if row.kind in _KINDS][::-1]

    def forget_all_but(self, *, newest: int) -> None:
        """Count by ids, of which some were never used."""
        last = self._connection.execute(select(func.max(events.c.id))).scalar()
        if last is not None:
            self._connection.execute(delete(events).where(events.c.id <= last - newest))


def _event(row: Row[Any]) -> StoredEvent:
    return StoredEvent(row.id, Millis(row.at_ms), Event(EventKind(row.kind), json.loads(row.data)))
