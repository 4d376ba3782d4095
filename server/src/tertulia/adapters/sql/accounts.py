"""Credentials, sessions and idempotency keys."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from tertulia.adapters.sql.statements import insert_unless_conflict, upsert
from tertulia.adapters.sql.tables import credentials, idempotency_keys, sessions
from tertulia.domain.ids import Millis, SessionId
from tertulia.services.ports import IdempotencyKey, LoginSession


class SqlAccounts:
    """Credentials and sessions in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def credential(self, name: str) -> str | None:
        """Read what is stored for a credential: a hash, never the secret."""
        return self._connection.execute(select(credentials.c.value).where(credentials.c.name == name)).scalar()

    def put_credential(self, name: str, value: str) -> None:
        """Set or rotate a credential."""
        upsert(self._connection, credentials, {"name": name, "value": value})

    def session(self, session_id: SessionId) -> LoginSession | None:
        """Find a login that was not revoked."""
        row = self._connection.execute(select(sessions).where(sessions.c.id == session_id)).mappings().one_or_none()
        return None if row is None else LoginSession(**row)

    def put_session(self, session: LoginSession) -> None:
        """Begin or prolong a login."""
        upsert(
            self._connection,
            sessions,
            {
                "id": session.id,
                "username": session.username,
                "refresh_id": session.refresh_id,
                "expires_at_ms": session.expires_at_ms,
            },
        )

    def delete_session(self, session_id: SessionId) -> None:
        """Revoke a login."""
        self._connection.execute(delete(sessions).where(sessions.c.id == session_id))

    def delete_sessions(self) -> None:
        """Revoke every login."""
        self._connection.execute(delete(sessions))

    def forget_expired(self, *, now_ms: Millis) -> None:
        """Drop logins whose refresh token has expired."""
        self._connection.execute(delete(sessions).where(sessions.c.expires_at_ms <= now_ms))


class SqlIdempotencyKeys:
    """Idempotency keys in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, once: IdempotencyKey, *, now_ms: Millis) -> tuple[str, str] | None:
        """Return (fingerprint, result) of an earlier request with that key."""
        table = idempotency_keys
        statement = select(table.c.fingerprint, table.c.result).where(
            table.c.scope == once.scope, table.c.key == once.key, table.c.expires_at_ms > now_ms
        )
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else (row[0], row[1])

    def put(self, once: IdempotencyKey, result: str, *, expires_at_ms: Millis) -> bool:
        """Remember what a request created; False when another request with that key was faster."""
        row = {
            "scope": once.scope,
            "key": once.key,
            "fingerprint": once.fingerprint,
            "result": result,
            "expires_at_ms": expires_at_ms,
        }
        return insert_unless_conflict(self._connection, idempotency_keys, row)

    def forget(self, once: IdempotencyKey) -> None:
        """Drop a key whose creation was taken back."""
        table = idempotency_keys
        self._connection.execute(delete(table).where(table.c.scope == once.scope, table.c.key == once.key))

    def forget_expired(self, *, now_ms: Millis) -> None:
        """Drop keys older than their day."""
        self._connection.execute(delete(idempotency_keys).where(idempotency_keys.c.expires_at_ms <= now_ms))
