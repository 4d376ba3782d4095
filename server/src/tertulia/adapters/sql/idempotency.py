"""Idempotency keys."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from tertulia.adapters.sql.statements import insert_unless_conflict
from tertulia.adapters.sql.tables import idempotency_keys as table
from tertulia.domain.ids import Millis
from tertulia.services.ports import IdempotencyKey, IdempotencyRecord, IdempotencyRepository


class SqlIdempotencyRepository(IdempotencyRepository):
    """Idempotency keys in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, key: IdempotencyKey, *, now_ms: Millis) -> IdempotencyRecord | None:
        statement = select(table.c.fingerprint, table.c.result).where(
            table.c.scope == key.scope, table.c.key == key.key, table.c.expires_at_ms > now_ms
        )
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else IdempotencyRecord(fingerprint=row.fingerprint, result=row.result)

    def insert(self, key: IdempotencyKey, result: str, *, expires_at_ms: Millis) -> bool:
        row = {
            "scope": key.scope,
            "key": key.key,
            "fingerprint": key.fingerprint,
            "result": result,
            "expires_at_ms": expires_at_ms,
        }
        return insert_unless_conflict(self._connection, table, row)

    def delete(self, key: IdempotencyKey) -> None:
        self._connection.execute(delete(table).where(table.c.scope == key.scope, table.c.key == key.key))

    def delete_expired(self, *, now_ms: Millis) -> None:
        self._connection.execute(delete(table).where(table.c.expires_at_ms <= now_ms))
