"""Keys of applications."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, or_, select, update

from tertulia.adapters.sql.statements import upsert
from tertulia.adapters.sql.tables import api_keys
from tertulia.domain.api_keys import ApiKey
from tertulia.domain.ids import ApiKeyId, Millis
from tertulia.services.ports import ApiKeyRepository

_ALL: Final = select(api_keys).order_by(api_keys.c.created_at_ms, api_keys.c.id)
_LOCKED: Final = select(api_keys).where(api_keys.c.id == bindparam("id")).with_for_update()


class SqlApiKeyRepository(ApiKeyRepository):
    """API keys in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[ApiKey]:
        """Read the whole table; how many there may be, the service says."""
        return [_key(row) for row in self._connection.execute(_ALL)]

    def lock(self, key_id: ApiKeyId) -> ApiKey | None:
        """Lock the row on PostgreSQL; SQLite has one writer and nothing to lock."""
        row = self._connection.execute(_LOCKED, {"id": key_id}).one_or_none()
        return None if row is None else _key(row)

    def put(self, key: ApiKey) -> None:
        row = {
            "id": key.id,
            "name": key.name,
            "digest": key.digest,
            "created_at_ms": key.created_at_ms or 0,
            "last_used_at_ms": key.last_used_at_ms,
            "expires_at_ms": key.previous_until_ms,
            "previous_digest": key.previous_digest,
        }
        upsert(self._connection, api_keys, row)

    def delete(self, key_id: ApiKeyId) -> None:
        self._connection.execute(delete(api_keys).where(api_keys.c.id == key_id))

    def note_use(self, key_id: ApiKeyId, *, now_ms: Millis, older_than_ms: Millis) -> None:
        last = api_keys.c.last_used_at_ms
        statement = update(api_keys).where(api_keys.c.id == key_id, or_(last.is_(None), last <= older_than_ms))
        self._connection.execute(statement.values(last_used_at_ms=now_ms))


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=ApiKeyId(row.id),
        name=row.name,
        digest=row.digest,
        created_at_ms=Millis(row.created_at_ms) if row.created_at_ms else None,
        last_used_at_ms=row.last_used_at_ms,
        previous_digest=row.previous_digest,
        previous_until_ms=row.expires_at_ms,
    )
