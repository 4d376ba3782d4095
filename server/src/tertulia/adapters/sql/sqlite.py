"""The store on SQLite.

A transaction runs in a thread: one writer, a few readers, one hop a transaction instead of one a statement. Waiting
writers share one commit (each inside its own savepoint): what was answered is on the disk, and the disk is not asked
once for each of many writes that come together.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from tertulia.adapters.sql.failures import is_disk_full, outage, reason
from tertulia.adapters.sql.schema import bring_up_to_date
from tertulia.adapters.sql.transaction import SqlTransaction, T, Work
from tertulia.errors import ConfigurationError

READERS: Final = 2
BUSY_TIMEOUT_S: Final = 10
BATCH: Final = 64
"""How many waiting writes share a commit at most."""
_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={BUSY_TIMEOUT_S * 1000}",
)


@dataclass(frozen=True, slots=True)
class _Write:
    work: Work[Any]
    done: Future[Any]
    context: Context  # so that what is logged meanwhile carries the id of the request


class SqliteStore:
    """SQLite: WAL, one writer, readers beside it, a commit is on the disk when it is answered."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._reader = _engine(url, "query_only=ON", isolation_level="AUTOCOMMIT")
        self._reader_threads = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-read")
        self._of_thread = threading.local()
        self._writer = _engine(url)
        self._writer_thread: threading.Thread | None = None
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()

    async def open(self) -> None:
        """Connect and migrate."""
        try:
            await asyncio.to_thread(self._migrate)
        except SQLAlchemyError as error:
            raise ConfigurationError(f"TERTULIA_DATABASE_URL: cannot open '{self._url}': {reason(error)}") from error
        self._writer_thread = threading.Thread(target=self._write_batches, name="sqlite-write", daemon=True)
        self._writer_thread.start()

    def _migrate(self) -> None:
        with _immediate_transaction(self._writer) as connection:
            bring_up_to_date(connection)
        self._shorten_log()

    def _shorten_log(self) -> None:
        """Move what the write-ahead log holds into the database's own file, and give its room on the disk back.

        On a full disk each commit finds a little less room than the one before, until none finds any: most of the log
        is older versions of pages.
        """
        with suppress(SQLAlchemyError), self._writer.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    async def read(self, work: Work[T]) -> T:
        """Run a function in autocommit mode: SQLite refuses what writes."""
        return await asyncio.get_running_loop().run_in_executor(
            self._reader_threads, copy_context().run, self._read, work
        )

    def _read(self, work: Work[T]) -> T:
        if not hasattr(self._of_thread, "transaction"):
            self._of_thread.transaction = SqlTransaction(self._reader.connect())
        try:
            return work(self._of_thread.transaction)
        except SQLAlchemyError as error:
            raise _told(error) from error

    async def write(self, work: Work[T]) -> T:
        """Queue a function for the writer's next commit."""
        done: Future[T] = Future()
        self._writes.put(_Write(work, done, copy_context()))
        return await asyncio.wrap_future(done)

    async def check(self) -> None:
        """Take the lock for writing, and write nothing."""
        await self.write(lambda _tx: None)

    def _write_batches(self) -> None:
        while batch := self._next_batch():
            self._write_batch([write for write in batch if write.done.set_running_or_notify_cancel()])

    def _next_batch(self) -> list[_Write]:
        """Wait for a write and take those that wait beside it; return nothing when the store closes."""
        batch: list[_Write] = []
        write = self._writes.get()
        while write is not None:
            batch.append(write)
            if len(batch) == BATCH or self._writes.empty():
                return batch
            write = self._writes.get()
        if batch:
            self._writes.put(None)  # for the next call
        return batch

    def _write_batch(self, batch: list[_Write]) -> None:
        results: list[tuple[Future[Any], Any]] = []
        was_full = False
        try:
            with _immediate_transaction(self._writer) as connection:
                transaction, driver = SqlTransaction(connection), _driver(connection)
                for write in batch:
                    driver.execute("SAVEPOINT one")
                    try:
                        results.append((write.done, write.context.run(write.work, transaction)))
                    except Exception as error:
                        if not driver.in_transaction:  # SQLite has undone the whole batch (a full disk)
                            raise
                        driver.execute("ROLLBACK TO one")
                        was_full |= is_disk_full(error)
                        write.done.set_exception(_told(error))
                    driver.execute("RELEASE one")
        except Exception as error:  # noqa: BLE001 - nothing was committed: every caller of the batch is told
            was_full |= is_disk_full(error)
            for write in batch:
                if not write.done.done():
                    write.done.set_exception(_told(error))
        else:
            for done, result in results:
                done.set_result(result)
        if was_full:
            self._shorten_log()

    async def close(self) -> None:
        """Finish what was accepted, then close."""
        if self._writer_thread is not None:
            self._writes.put(None)
            await asyncio.to_thread(self._writer_thread.join)
        await asyncio.to_thread(self._reader_threads.shutdown)
        self._reader.dispose()
        self._writer.dispose()


def _told(error: Exception) -> Exception:
    """Return what a caller is told: that the database cannot be used right now, or the error itself."""
    if isinstance(error, SQLAlchemyError | sqlite3.Error):
        return outage(error) or error
    return error


def _engine(url: URL, *pragmas: str, **options: str | bool) -> Engine:
    # a connection never leaves its thread at work, but closing happens in another
    arguments = {"check_same_thread": False, "timeout": BUSY_TIMEOUT_S, "isolation_level": None}
    engine = create_engine(url, connect_args=arguments, pool_size=READERS, **options)

    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        for pragma in (*_PRAGMAS, *pragmas):
            connection.cursor().execute(f"PRAGMA {pragma}")

    return engine


@contextmanager
def _immediate_transaction(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def _driver(connection: Connection) -> sqlite3.Connection:
    # for savepoints: SQLAlchemy's `begin_nested` takes four times as long as a small write
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the engine's own driver
    return driver
