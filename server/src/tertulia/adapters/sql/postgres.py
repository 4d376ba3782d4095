"""The store on PostgreSQL.

As on SQLite, a transaction runs in a thread that keeps its connection: one hop a transaction, and the statements that
PostgreSQL has prepared for a connection stay with it. Several threads write; who commits at the same moment shares the
disk by PostgreSQL's own means.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from tertulia.adapters.sql.schema import bring_up_to_date
from tertulia.adapters.sql.transaction import SqlTransaction, T, Work, reason, storage_failed
from tertulia.errors import ConfigurationError

READERS: Final = 8
WRITERS: Final = 8
CONNECT_TIMEOUT_S: Final = 10


class PostgresStore:
    """PostgreSQL: several servers may share it."""

    def __init__(self, url: URL) -> None:
        self._url = url
        waiting = url.set(query={"connect_timeout": str(CONNECT_TIMEOUT_S), **url.query})
        self._reading = _Connections(_reading_engine(waiting), READERS, "postgres-read")
        self._writing = _Connections(create_engine(waiting, poolclass=NullPool), WRITERS, "postgres-write")

    async def open(self) -> None:
        """Connect and migrate."""
        try:
            await asyncio.to_thread(self._migrate)
        except SQLAlchemyError as error:
            safe = self._url.render_as_string(hide_password=True)
            raise ConfigurationError(f"TERTULIA_DATABASE_URL: cannot open '{safe}': {reason(error)}") from error

    def _migrate(self) -> None:
        with self._writing.engine.begin() as connection:
            bring_up_to_date(connection)

    async def read(self, work: Work[T]) -> T:
        """Run a function that only reads."""
        return await self._reading.run(work)

    async def write(self, work: Work[T]) -> T:
        """Run a function as one transaction; when this returns, it is committed."""
        return await self._writing.run(work)

    async def close(self) -> None:
        """Finish what was accepted, then close every connection."""
        await asyncio.to_thread(self._reading.close)
        await asyncio.to_thread(self._writing.close)


class _Connections:
    """Threads, and the connection that each of them keeps."""

    def __init__(self, engine: Engine, threads: int, name: str) -> None:
        self.engine = engine
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._kept: dict[int, Connection] = {}

    async def run(self, work: Work[T]) -> T:
        """Run a function as one transaction. Raises Unavailable when the database cannot be used."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)

    def _run(self, work: Work[T], *, again: bool = True) -> T:
        committing = False
        try:
            connection = self._connection()
            with connection.begin():
                answer = work(SqlTransaction(connection))
                committing = True
        except DBAPIError as error:
            self._forget()
            if not isinstance(error, OperationalError | InterfaceError):
                raise
            if committing or not again:
                raise storage_failed(error) from error
        else:
            return answer
        # Nothing was committed. Mostly the database was restarted while this connection rested: a new one will do
        return self._run(work, again=False)

    def _connection(self) -> Connection:
        thread = threading.get_ident()
        if thread not in self._kept:
            self._kept[thread] = self.engine.connect()
        return self._kept[thread]

    def _forget(self) -> None:
        """Close what something failed on: the next transaction of this thread connects anew."""
        connection = self._kept.pop(threading.get_ident(), None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Finish what was accepted, then close."""
        self._threads.shutdown()
        for connection in self._kept.values():
            connection.close()


def _reading_engine(url: URL) -> Engine:
    # a transaction around a single SELECT would be two more round trips
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)

    @event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: psycopg.Connection[Any], _record: object) -> None:
        dbapi_connection.execute("SET default_transaction_read_only = on")

    return engine
