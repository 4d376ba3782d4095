"""Connections to PostgreSQL that never wait longer than they may, and that work behind a pooler too.

Nothing but the client can end a wait for a server that has stopped answering (a network that swallows packets, a frozen
machine, a pooler without a server), so each wait of psycopg gets what is left of its transaction's deadline.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Dialect, Engine, ExceptionContext
from sqlalchemy.pool import ConnectionPoolEntry

from tertulia.adapters.sql.failures import READ_ONLY

CONNECT_TIMEOUT_S: Final = 3
RECYCLE_S: Final = 1800
"""A connection is replaced after this time: proxies and firewalls drop old ones without a word."""
_LIBPQ_OPTIONS: Final = {
    "connect_timeout": str(CONNECT_TIMEOUT_S),
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""Defaults, which a URL may override. They also hold where no deadline does: while the schema is migrated."""
_TEST_TIMEOUT_S: Final = 1.0
_TOO_LATE: Final = "no answer in the time allowed"
_WAIT_INTERVAL_S: Final = 0.1
RV = TypeVar("RV")


class Deadline(threading.local):
    """Until when the transaction of a thread may take, and until when its next wait may; by the monotonic clock."""

    end_s: float = math.inf
    at_s: float = math.inf

    @contextmanager
    def testing(self) -> Iterator[None]:
        """Leave time for a new connection when a kept one does not answer; connecting ends this."""
        self.at_s = min(self.end_s, time.monotonic() + _TEST_TIMEOUT_S)
        try:
            yield
        finally:
            self.at_s = self.end_s


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when an answer does not come before the deadline."""

    deadline: Deadline
    is_pooled = False
    """Whether a pooler (PgBouncer) is in between, which may use another server's session for each transaction."""

    def wait(self, gen: PQGen[RV], interval: float = _WAIT_INTERVAL_S, timeout: float | None = None) -> RV:
        """Wait for the server. Raises OperationalError."""
        at_s = self.deadline.at_s
        if at_s == math.inf:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, max(0.0, at_s - time.monotonic()))
        except psycopg.OperationalError as error:
            if time.monotonic() < at_s:
                raise
            self.close()  # an answer that comes later would be taken for the next statement's
            raise psycopg.OperationalError(_TOO_LATE) from error


def bounded_engine(url: URL, *, size: int, deadline: Deadline, statement_timeout_s: float, is_reading: bool) -> Engine:
    """Return an engine whose pool tests a connection that it hands out, and replaces it when it is dead or old.

    `statement_timeout_s` is the server's own limit, so that it does not go on with what nobody waits for.
    """
    # a transaction around a single SELECT would be two more round trips
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True} if is_reading else {}
    engine = create_engine(
        url.set(query={**_LIBPQ_OPTIONS, **url.query}),
        pool_size=size,
        max_overflow=0,
        pool_recycle=RECYCLE_S,
        pool_pre_ping=True,
        pool_reset_on_return=None,  # `_Transactions` has ended its transaction
        **options,
    )

    @event.listens_for(engine, "do_connect")
    def _connect(
        _dialect: Dialect, _entry: ConnectionPoolEntry, arguments: list[Any], options: dict[str, Any]
    ) -> BoundedConnection:
        deadline.at_s = deadline.end_s
        if time.monotonic() >= deadline.end_s:
            raise psycopg.OperationalError(_TOO_LATE)
        connection = BoundedConnection.connect(*arguments, **options)
        connection.deadline = deadline
        return connection

    @event.listens_for(engine, "connect")
    def _prepare(connection: BoundedConnection, _entry: ConnectionPoolEntry) -> None:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        # a pooler gives clients a number of its own
        connection.is_pooled = row is None or row[0] != connection.info.backend_pid
        if connection.is_pooled:
            connection.prepare_threshold = None
        else:
            for statement in session_settings(statement_timeout_s, is_read_only=is_reading):
                connection.execute(statement)
        connection.commit()

    @event.listens_for(engine, "handle_error")
    def _leave_standby(context: ExceptionContext) -> None:
        # this server was another's standby, or has become one: the next connection may find the one that writes
        if getattr(context.original_exception, "sqlstate", None) == READ_ONLY and not is_reading:
            context.is_disconnect = True

    return engine


def session_settings(statement_timeout_s: float, *, is_read_only: bool) -> list[str]:
    """List what a session of ours sets, which would stay in a pooler's session for the client that has it next."""
    milliseconds = round(statement_timeout_s * 1000)
    return [
        f"SET statement_timeout = {milliseconds}",
        f"SET idle_in_transaction_session_timeout = {milliseconds}",
        *(["SET default_transaction_read_only = on"] if is_read_only else []),
    ]
