"""The store: functions run as transactions, on SQLite or PostgreSQL.

A unit of work is a plain function over an open transaction; it cannot await anything while the transaction is open.
"""

from __future__ import annotations

from typing import Final, Protocol

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tertulia.adapters.sql.sqlite import SqliteStore
from tertulia.adapters.sql.transaction import T, Work
from tertulia.errors import ConfigurationError

_ANSWER_TIMEOUT_S: Final = 1.0


class SqlStore(Protocol):
    """What both stores can do, beside the port that services use."""

    async def open(self) -> None:
        """Connect and bring the schema up to date; raises ConfigurationError when that cannot be done."""
        ...

    async def read(self, work: Work[T]) -> T: ...
    async def write(self, work: Work[T]) -> T: ...
    async def check(self) -> None: ...
    async def close(self) -> None: ...


def open_store(database_url: str, *, pool_size: int = 2, pool_timeout_s: float = 3) -> SqlStore:
    """Return the store of a URL: `sqlite:///<file>` or `postgresql://…` (with or without the driver's name).

    On PostgreSQL it opens at most `pool_size` connections (2: what a command needs), a transaction waits at most
    `pool_timeout_s` for one, and has ended a second later. Raises ConfigurationError when the URL names neither
    database.
    """
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise ConfigurationError("TERTULIA_DATABASE_URL: it is no URL such as sqlite:///<file>") from error
    backend = url.get_backend_name()
    if backend == "sqlite":
        return SqliteStore(url.set(drivername="sqlite"))
    if backend == "postgresql":
        # its driver takes as long to import as the rest: SQLite need not wait for it
        from tertulia.adapters.sql.postgres import PostgresLimits, PostgresStore  # noqa: PLC0415

        limits = PostgresLimits(
            pool_size=pool_size, pool_timeout_s=pool_timeout_s, timeout_s=pool_timeout_s + _ANSWER_TIMEOUT_S
        )
        return PostgresStore(url.set(drivername="postgresql+psycopg"), limits)
    raise ConfigurationError(
        f"TERTULIA_DATABASE_URL: '{backend}' is no database that is supported: sqlite or postgresql"
    )
