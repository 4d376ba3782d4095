"""Credentials and login sessions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select

from tertulia.adapters.sql.statements import upsert
from tertulia.adapters.sql.tables import credentials, sessions
from tertulia.domain.ids import Millis, SessionId
from tertulia.services.ports import AccountRepository, LoginSession

_CREDENTIAL: Final = select(credentials.c.value).where(credentials.c.name == bindparam("name"))
_SESSION: Final = select(sessions).where(sessions.c.id == bindparam("id"))


class SqlAccountRepository(AccountRepository):
    """Credentials and login sessions in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def credential(self, name: str) -> str | None:
        return self._connection.execute(_CREDENTIAL, {"name": name}).scalar()

    def put_credential(self, name: str, value: str) -> None:
        upsert(self._connection, credentials, {"name": name, "value": value})

    def session(self, session_id: SessionId) -> LoginSession | None:
        row = self._connection.execute(_SESSION, {"id": session_id}).one_or_none()
        if row is None:
            return None
        return LoginSession(
            id=row.id, username=row.username, refresh_id=row.refresh_id, expires_at_ms=row.expires_at_ms
        )

    def put_session(self, session: LoginSession) -> None:
        upsert(self._connection, sessions, asdict(session))

    def delete_session(self, session_id: SessionId) -> None:
        self._connection.execute(delete(sessions).where(sessions.c.id == session_id))

    def delete_sessions(self) -> None:
        self._connection.execute(delete(sessions))

    def delete_expired_sessions(self, *, now_ms: Millis) -> None:
        self._connection.execute(delete(sessions).where(sessions.c.expires_at_ms <= now_ms))
