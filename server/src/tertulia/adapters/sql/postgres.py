"""The store on PostgreSQL: SQLAlchemy's pools, one for reading and one for writing.

A transaction runs in a thread, one hop between threads for all its statements. A pool has as many threads as
connections, so no thread waits for one: transactions wait in the executor's queue (docs/decisions/0004).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tertulia.adapters.sql.failures import READ_ONLY, outage, reason, state_of
from tertulia.adapters.sql.postgres_connections import BoundedConnection, Deadline, bounded_engine
from tertulia.adapters.sql.schema import bring_up_to_date
from tertulia.adapters.sql.transaction import SqlTransaction, T, Work
from tertulia.errors import ConfigurationError, Unavailable

TEST_AFTER_IDLE_S: Final = 0.1
_GRACE_S: Final = 0.2
"""How much longer than the thread of a transaction its caller waits: the thread knows why it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresLimits:
    """How many connections there are, how long a transaction waits for one, and how long it may take with that."""

    pool_size: int
    pool_timeout_s: float
    timeout_s: float


class PostgresStore:
    """PostgreSQL: several servers may share it."""

    def __init__(self, url: URL, limits: PostgresLimits) -> None:
        self._url = url
        self._reading = _Transactions(url, limits, size=limits.pool_size - limits.pool_size // 2, is_reading=True)
        self._writing = _Transactions(url, limits, size=limits.pool_size // 2, is_reading=False)

    async def open(self) -> None:
        """Connect and migrate."""
        try:
            await asyncio.to_thread(self._migrate)
        except SQLAlchemyError as error:
            safe = self._url.render_as_string(hide_password=True)
            raise ConfigurationError(f"TERTULIA_DATABASE_URL: cannot open '{safe}': {reason(error)}") from error

    def _migrate(self) -> None:
        with self._writing.engine.begin() as connection:
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
            bring_up_to_date(connection)

    async def read(self, work: Work[T]) -> T:
        """Run a function in autocommit mode: PostgreSQL refuses what writes."""
        return await self._reading.run(work)

    async def write(self, work: Work[T]) -> T:
        """Run a function as one transaction of its own."""
        return await self._writing.run(work)

    async def check(self) -> None:
        """Ask where writes go whether they are allowed."""
        if await self.write(lambda tx: tx.is_read_only()):
            raise Unavailable("store_unavailable", "The database can only be read right now")

    async def close(self) -> None:
        """Finish what was accepted, then close every connection."""
        for transactions in (self._reading, self._writing):
            await asyncio.to_thread(transactions.close)


class _KeptConnection:
    """A connection that stays taken out of the pool between transactions that follow one another closely."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.transaction = SqlTransaction(connection)
        self.used_at_s = 0.0
        driver = connection.connection.driver_connection
        self.is_pooled = isinstance(driver, BoundedConnection) and driver.is_pooled


class _Transactions:
    """An engine, as many threads as its pool has connections, and the connections in use."""

    def __init__(self, url: URL, limits: PostgresLimits, *, size: int, is_reading: bool) -> None:
        self._deadline = Deadline()
        self._limits = limits
        self.engine: Engine = bounded_engine(
            url, size=size, deadline=self._deadline, statement_timeout_s=limits.timeout_s, is_reading=is_reading
        )
        self._is_reading = is_reading
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="postgres")
        self._kept: deque[_KeptConnection] = deque()

    async def run(self, work: Work[T]) -> T:
        """Run a function as one transaction. Raises Unavailable when the database cannot be used."""
        limits, loop = self._limits, asyncio.get_running_loop()
        # the thread's lines carry the id of the request
        result = self._threads.submit(copy_context().run, self._run, work, time.monotonic() + limits.timeout_s)
        answer = asyncio.wrap_future(result)
        refusal: list[str] = []
        timer: asyncio.TimerHandle

        def give_up_in_queue() -> None:
            nonlocal timer
            if result.cancel():  # no effect on a transaction that has started
                refusal.append(f"no free connection within {limits.pool_timeout_s:g} s")
            else:
                timer = loop.call_later(limits.timeout_s + _GRACE_S - limits.pool_timeout_s, give_up)

        def give_up() -> None:
            if answer.cancel():
                refusal.append(f"no answer within {limits.timeout_s:g} s")

        timer = loop.call_later(limits.pool_timeout_s, give_up_in_queue)
        try:
            return await answer
        except asyncio.CancelledError:
            if not refusal:
                raise
            message = f"The database cannot be used right now: {refusal[0]}"
            raise Unavailable("store_unavailable", message) from None
        finally:
            timer.cancel()

    # ── in a thread ──

    def _run(self, work: Work[T], deadline_s: float) -> T:
        self._deadline.end_s = self._deadline.at_s = deadline_s
        try:
            try:
                return self._attempt(work)
            except DBAPIError as error:
                # nothing depends on how often a read runs; a write may have been committed
                if not (self._is_reading and error.connection_invalidated) or time.monotonic() >= deadline_s:
                    raise
                return self._attempt(work)
        except SQLAlchemyError as error:
            failure = outage(error)
            if failure is None or (self._is_reading and state_of(error) == READ_ONLY):
                raise
            raise failure from error

    def _attempt(self, work: Work[T]) -> T:
        kept = self._taken()
        try:
            return work(kept.transaction) if self._is_reading else self._write(kept, work)
        except SQLAlchemyError:
            kept.connection.close()
            raise
        finally:
            if not kept.connection.closed:
                kept.used_at_s = time.monotonic()
                self._kept.append(kept)

    def _write(self, kept: _KeptConnection, work: Work[T]) -> T:
        with kept.connection.begin():
            if kept.is_pooled:
                kept.connection.exec_driver_sql(f"SET LOCAL statement_timeout = {self._limits.timeout_s * 1000:.0f}")
            return work(kept.transaction)

    def _taken(self) -> _KeptConnection:
        try:
            kept = self._kept.pop()
        except IndexError:
            return self._connected()
        if time.monotonic() - kept.used_at_s < TEST_AFTER_IDLE_S:
            return kept
        kept.connection.close()  # back to the pool, which tests it and looks at its age before it hands it out again
        return self._connected()

    def _connected(self) -> _KeptConnection:
        with self._deadline.testing():
            return _KeptConnection(self.engine.connect())

    def close(self) -> None:
        """Finish what was accepted, then close."""
        self._threads.shutdown()
        for kept in self._kept:
            kept.connection.close()
        self.engine.dispose()
