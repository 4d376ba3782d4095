"""Credentials and login sessions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from tertulia.adapters.sql.statements import insert_unless_conflict, upsert
from tertulia.adapters.sql.tables import credentials, sessions
from tertulia.domain.ids import Millis, SessionId
from tertulia.services.ports import AccountRepository, LoginSession

_CREDENTIAL: Final = select(credentials.c.value).where(credentials.c.name == bindparam("name"))
_CREDENTIAL_LOCKED: Final = _CREDENTIAL.with_for_update()
_SESSION: Final = select(sessions).where(sessions.c.id == bindparam("id"))
_SESSION_LOCKED: Final = _SESSION.with_for_update()


class SqlAccountRepository(AccountRepository):
    """Credentials and login sessions in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def credential(self, name: str) -> str | None:
        return self._connection.execute(_CREDENTIAL, {"name": name}).scalar()

    def lock_credential(self, name: str) -> str | None:
        """Lock the row on PostgreSQL; SQLite has one writer and nothing to lock."""
        return self._connection.execute(_CREDENTIAL_LOCKED, {"name": name}).scalar()

    def add_credential(self, name: str, value: str) -> bool:
        return insert_unless_conflict(self._connection, credentials, {"name": name, "value": value})

    def put_credential(self, name: str, value: str) -> None:
        upsert(self._connection, credentials, {"name": name, "value": value})

    def session(self, session_id: SessionId) -> LoginSession | None:
        return _session(self._connection.execute(_SESSION, {"id": session_id}).one_or_none())

    def lock_session(self, session_id: SessionId) -> LoginSession | None:
        """Lock the row, as `lock_credential` does."""
        return _session(self._connection.execute(_SESSION_LOCKED, {"id": session_id}).one_or_none())

    def add_session(self, session: LoginSession) -> None:
        self._connection.execute(insert(sessions), asdict(session))

    def prolong_session(self, session: LoginSession) -> None:
        statement = update(sessions).where(sessions.c.id == session.id)
        changed = {"refresh_id": session.refresh_id, "expires_at_ms": session.expires_at_ms}
        self._connection.execute(statement.values(changed))

    def delete_session(self, session_id: SessionId) -> None:
        self._connection.execute(delete(sessions).where(sessions.c.id == session_id))

    def delete_sessions(self, *, but: SessionId | None = None) -> None:
        others = delete(sessions) if but is None else delete(sessions).where(sessions.c.id != but)
        self._connection.execute(others)

    def delete_expired_sessions(self, *, now_ms: Millis) -> None:
        self._connection.execute(delete(sessions).where(sessions.c.expires_at_ms <= now_ms))


def _session(row: Row[Any] | None) -> LoginSession | None:
    if row is None:
        return None
    return LoginSession(id=row.id, username=row.username, refresh_id=row.refresh_id, expires_at_ms=row.expires_at_ms)
