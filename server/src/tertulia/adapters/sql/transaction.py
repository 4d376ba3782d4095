"""The repositories over one open transaction, for both databases."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final, TypeVar

from sqlalchemy import Connection, text

from tertulia.adapters.sql.accounts import SqlAccountRepository
from tertulia.adapters.sql.api_keys import SqlApiKeyRepository
from tertulia.adapters.sql.chat import SqlChatRepository
from tertulia.adapters.sql.events import SqlEventRepository
from tertulia.adapters.sql.idempotency import SqlIdempotencyRepository
from tertulia.adapters.sql.insight import SqlInsightRepository
from tertulia.adapters.sql.lobby import SqlLobbyRepository
from tertulia.adapters.sql.participants import SqlMembershipRepository
from tertulia.adapters.sql.recordings import SqlRecordingRepository
from tertulia.adapters.sql.rooms import SqlRoomRepository
from tertulia.adapters.sql.runtime_settings import SqlSettingRepository
from tertulia.domain.ids import Millis

T = TypeVar("T")
_NOW_MS: Final = {
    "postgresql": text("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"),
    "sqlite": text("SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"),
}


class SqlTransaction:
    """A `Transaction` over one connection, which the store has begun and commits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def now_ms(self) -> Millis:
        return Millis(self._connection.execute(_NOW_MS[self._connection.dialect.name]).scalar_one())

    @cached_property
    def rooms(self) -> SqlRoomRepository:
        return SqlRoomRepository(self._connection)

    @cached_property
    def memberships(self) -> SqlMembershipRepository:
        return SqlMembershipRepository(self._connection)

    @cached_property
    def lobby(self) -> SqlLobbyRepository:
        return SqlLobbyRepository(self._connection)

    @cached_property
    def chat(self) -> SqlChatRepository:
        return SqlChatRepository(self._connection)

    @cached_property
    def recordings(self) -> SqlRecordingRepository:
        return SqlRecordingRepository(self._connection)

    @cached_property
    def accounts(self) -> SqlAccountRepository:
        return SqlAccountRepository(self._connection)

    @cached_property
    def idempotency(self) -> SqlIdempotencyRepository:
        return SqlIdempotencyRepository(self._connection)

    @cached_property
    def events(self) -> SqlEventRepository:
        return SqlEventRepository(self._connection)

    @cached_property
    def settings(self) -> SqlSettingRepository:
        return SqlSettingRepository(self._connection)

    @cached_property
    def api_keys(self) -> SqlApiKeyRepository:
        return SqlApiKeyRepository(self._connection)

    @cached_property
    def insight(self) -> SqlInsightRepository:
        return SqlInsightRepository(self._connection)

    def is_read_only(self) -> bool:
        """Return whether PostgreSQL refuses writes here: a standby, or a server that was told so."""
        return self._connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on"


Work = Callable[[SqlTransaction], T]
