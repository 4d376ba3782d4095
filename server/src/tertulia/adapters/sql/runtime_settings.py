"""Settings that were changed while servers run."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from tertulia.adapters.sql.statements import upsert
from tertulia.adapters.sql.tables import runtime_settings
from tertulia.services.ports import SettingRepository


class SqlSettingRepository(SettingRepository):
    """Changed settings in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> Mapping[str, str]:
        """Read the whole table, which has a handful of rows."""
        return {row.name: row.value for row in self._connection.execute(select(runtime_settings))}

    def find(self, name: str) -> str | None:
        """Read one row."""
        statement = select(runtime_settings.c.value).where(runtime_settings.c.name == name)
        return self._connection.execute(statement).scalar()

    def put(self, name: str, value: str) -> None:
        """Write one row."""
        upsert(self._connection, runtime_settings, {"name": name, "value": value})

    def delete(self, name: str) -> None:
        """Delete one row."""
        self._connection.execute(delete(runtime_settings).where(runtime_settings.c.name == name))
