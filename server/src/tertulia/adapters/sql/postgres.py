"""The store on PostgreSQL: a transaction runs on an asyncpg connection by SQLAlchemy's `run_sync`."""

from __future__ import annotations

from typing import cast

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tertulia.adapters.sql.schema import bring_up_to_date
from tertulia.adapters.sql.transaction import SqlTransaction, T, Work, reason, storage_failed
from tertulia.errors import ConfigurationError


class PostgresStore:
    """PostgreSQL: several servers may share it."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine: AsyncEngine = create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=False)
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    async def open(self) -> None:
        """Connect and migrate."""
        try:
            async with self._engine.begin() as connection:
                await connection.run_sync(bring_up_to_date)
        except (SQLAlchemyError, OSError) as error:
            safe = self._url.render_as_string(hide_password=True)
            raise ConfigurationError(f"TERTULIA_DATABASE_URL: cannot open '{safe}': {reason(error)}") from error

    async def read(self, work: Work[T]) -> T:
        """Run a function that only reads."""
        return await self._run(self._reader, work)

    async def write(self, work: Work[T]) -> T:
        """Run a function as one transaction."""
        return await self._run(self._engine, work)

    async def _run(self, engine: AsyncEngine, work: Work[T]) -> T:
        try:
            async with engine.begin() as connection:
                return cast("T", await connection.run_sync(lambda sync: work(SqlTransaction(sync))))
        except (OSError, DBAPIError) as error:
            if isinstance(error, OSError) or error.connection_invalidated:
                raise storage_failed(error) from error
            raise

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
