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
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import SQLAlchemyError

from tertulia.adapters.sql.schema import bring_up_to_date
from tertulia.adapters.sql.transaction import SqlTransaction, T, Work, reason, storage_failed
from tertulia.errors import ConfigurationError

READERS: Final = 2
BUSY_TIMEOUT_S: Final = 10
BATCH: Final = 64
"""How many waiting writes share a commit at most."""


@dataclass(frozen=True, slots=True)
class _Write:
    work: Work[Any]
    done: Future[Any]


class SqliteStore:
    """SQLite: WAL, one writer, readers beside it, a commit is on the disk when it is answered."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._writer_thread: threading.Thread | None = None
        self._reader_threads = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-read")
        self._reader = _sqlite_engine(url, begin=None)
        self._writer = _sqlite_engine(url, begin="BEGIN IMMEDIATE")
        self._of_thread = threading.local()

    async def open(self) -> None:
        """Connect and migrate."""
        try:
            await asyncio.to_thread(self._migrate)
        except SQLAlchemyError as error:
            raise ConfigurationError(f"TERTULIA_DATABASE_URL: cannot open '{self._url}': {reason(error)}") from error
        self._writer_thread = threading.Thread(target=self._write_batches, name="sqlite-write", daemon=True)
        self._writer_thread.start()

    def _migrate(self) -> None:
        with self._writer.begin() as connection:
            bring_up_to_date(connection)

    async def read(self, work: Work[T]) -> T:
        """Run a function that only reads."""
        return await asyncio.get_running_loop().run_in_executor(self._reader_threads, self._read, work)

    def _read(self, work: Work[T]) -> T:
        transaction = getattr(self._of_thread, "transaction", None)
        if transaction is None:
            connection = self._reader.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("PRAGMA query_only=ON")
            transaction = self._of_thread.transaction = SqlTransaction(connection)
        return work(transaction)

    async def write(self, work: Work[T]) -> T:
        """Run a function that writes; when this returns, its changes are on the disk."""
        done: Future[T] = Future()
        self._writes.put(_Write(work, done))
        return await asyncio.wrap_future(done)

    def _write_batches(self) -> None:
        while (first := self._writes.get()) is not None:
            batch, last = [first], False
            while len(batch) < BATCH and not last:
                try:
                    more = self._writes.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    last = True
                else:
                    batch.append(more)
            self._write_batch([write for write in batch if write.done.set_running_or_notify_cancel()])
            if last:
                return

    def _write_batch(self, batch: list[_Write]) -> None:
        answers: list[tuple[Future[Any], Any]] = []
        try:
            with self._writer.begin() as connection:
                transaction = SqlTransaction(connection)
                savepoint = connection.connection.driver_connection
                assert isinstance(savepoint, sqlite3.Connection)  # noqa: S101 - the engine's own driver
                for write in batch:
                    savepoint.execute("SAVEPOINT one")
                    try:
                        answers.append((write.done, write.work(transaction)))
                    except Exception as error:  # noqa: BLE001 - it belongs to the caller, who gets it
                        savepoint.execute("ROLLBACK TO one")
                        write.done.set_exception(error)
                    savepoint.execute("RELEASE one")
        except Exception as error:  # noqa: BLE001 - nothing was committed: every caller of the batch hears of it
            for write in batch:
                if not write.done.done():
                    write.done.set_exception(storage_failed(error))
            return
        for done, answer in answers:
            done.set_result(answer)

    async def close(self) -> None:
        """Finish what was accepted, then close."""
        if self._writer_thread is not None:
            self._writes.put(None)
            await asyncio.to_thread(self._writer_thread.join)
        await asyncio.to_thread(self._reader_threads.shutdown)
        self._reader.dispose()
        self._writer.dispose()


def _sqlite_engine(url: URL, *, begin: str | None) -> Engine:
    # a connection never leaves its thread at work, but closing happens in another
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_S}, pool_size=READERS)

    @event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: sqlite3.Connection, _record: object) -> None:
        dbapi_connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_S * 1000}",
        ):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    if begin is not None:

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

    return engine
