"""The store on PostgreSQL: SQLAlchemy's pools, one for reading and one for writing.

A transaction runs in a thread, one hop between threads for all its statements. A pool has as many threads as
connections, so no thread waits for one: transactions wait in the executor's queue (docs/decisions/0004).
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, InvalidatePoolError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from tertulia.adapters.sql.schema import bring_up_to_date
from tertulia.adapters.sql.transaction import SqlTransaction, T, Work, reason, storage_failed
from tertulia.errors import ConfigurationError, Unavailable

CONNECT_TIMEOUT_S: Final = 10
RECYCLE_S: Final = 1800
"""A connection is replaced after this time: proxies and firewalls drop old ones without a word."""
PING_AFTER_IDLE_S: Final = 0.1
_CHECKED_IN_AT_S: Final = "checked_in_at_s"


class PostgresStore:
    """PostgreSQL: several servers may share it."""

    def __init__(self, url: URL, *, pool_size: int, pool_timeout_s: float) -> None:
        self._url = url
        url = url.set(query={"connect_timeout": str(CONNECT_TIMEOUT_S), **url.query})
        writers = pool_size // 2
        readers = pool_size - writers
        self._reading = _ThreadedPool(_reading_engine(url, readers), readers, pool_timeout_s, autocommit=True)
        self._writing = _ThreadedPool(_engine(url, writers), writers, pool_timeout_s, autocommit=False)

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
        """Run a function in autocommit mode: PostgreSQL refuses what writes."""
        return await self._reading.run(work)

    async def write(self, work: Work[T]) -> T:
        """Run a function as one transaction of its own."""
        return await self._writing.run(work)

    async def close(self) -> None:
        """Finish what was accepted, then close every connection."""
        for pool in (self._reading, self._writing):
            await asyncio.to_thread(pool.close)


class _ThreadedPool:
    """An engine, and as many threads as its pool has connections."""

    def __init__(self, engine: Engine, size: int, timeout_s: float, *, autocommit: bool) -> None:
        self.engine = engine
        self._connected = engine.connect if autocommit else engine.begin
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="postgres")

    async def run(self, work: Work[T]) -> T:
        """Run a function as one transaction. Raises Unavailable when the database cannot be used."""
        gave_up = False

        def give_up() -> None:
            nonlocal gave_up
            gave_up = result.cancel()  # no effect on a transaction that has started

        # the thread's lines carry the id of the request
        result = self._threads.submit(copy_context().run, self._run, work)
        timer = asyncio.get_running_loop().call_later(self._timeout_s, give_up)
        try:
            return await asyncio.wrap_future(result)
        except asyncio.CancelledError:
            if not gave_up:
                raise
            message = f"The database cannot be used right now: no free connection within {self._timeout_s:g} s"
            raise Unavailable("store_unavailable", message) from None
        finally:
            timer.cancel()

    def _run(self, work: Work[T]) -> T:
        try:
            with self._connected() as connection:
                return work(SqlTransaction(connection))
        except (OperationalError, InterfaceError) as error:
            raise storage_failed(error) from error

    def close(self) -> None:
        """Finish what was accepted, then close."""
        self._threads.shutdown()
        self.engine.dispose()


def _reading_engine(url: URL, size: int) -> Engine:
    # a transaction around a single SELECT would be two more round trips
    engine = _engine(url, size, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)

    @event.listens_for(engine, "connect")
    def _refuse_writes(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.cursor().execute("SET default_transaction_read_only = on")

    return engine


def _engine(url: URL, size: int, **options: str | bool) -> Engine:
    engine = create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_recycle=RECYCLE_S,
        pool_use_lifo=True,
        pool_reset_on_return=None,  # `_run` has ended its transaction
        **options,
    )
    _ping_idle_connections(engine)
    return engine


def _ping_idle_connections(engine: Engine) -> None:
    """Test a connection before it is used, unless it was in use just now; a dead one empties the pool.

    `pool_pre_ping` would do so at every use: a round trip more, a fifth of the CPU time of a small read.
    """

    @event.listens_for(engine, "checkin")
    def _note_time(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info[_CHECKED_IN_AT_S] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        checked_in_at_s = entry.info.get(_CHECKED_IN_AT_S)
        if checked_in_at_s is None or time.monotonic() - checked_in_at_s < PING_AFTER_IDLE_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error
