"""Which of a database's errors are an outage, which a full disk, and which a defect of ours."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tertulia.adapters.sql.failures import outage


def wrapped(original: psycopg.Error | sqlite3.Error) -> SQLAlchemyError:
    """Return an error of a driver as SQLAlchemy raises it."""
    base = psycopg.Error if isinstance(original, psycopg.Error) else sqlite3.Error
    return DBAPIError.instance("SELECT secret", {}, original, base)  # type: ignore[return-value]


def full() -> sqlite3.Error:
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA max_page_count=2")
    with pytest.raises(sqlite3.OperationalError) as raised:
        connection.execute("CREATE TABLE a AS SELECT zeroblob(100000) AS x")
    connection.close()
    return raised.value


@pytest.mark.parametrize(
    ("original", "code"),
    [
        (psycopg.errors.DiskFull("no space"), "disk_full"),
        (psycopg.OperationalError("server closed the connection"), "store_unavailable"),
        (psycopg.InterfaceError("the connection is closed"), "store_unavailable"),
        (psycopg.errors.AdminShutdown("terminating"), "store_unavailable"),
        (psycopg.errors.QueryCanceled("statement timeout"), "store_unavailable"),
        (psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"), "store_unavailable"),
        (psycopg.errors.IdleInTransactionSessionTimeout("too long"), "store_unavailable"),
        (psycopg.errors.DeadlockDetected("deadlock"), "store_unavailable"),
        (psycopg.errors.TooManyConnections("too many"), "store_unavailable"),
        (sqlite3.OperationalError("unable to open database file"), "store_unavailable"),
        (psycopg.errors.UniqueViolation("duplicate key"), None),
        (psycopg.errors.SyntaxError("at or near"), None),
        (psycopg.errors.InFailedSqlTransaction("aborted"), None),
        (sqlite3.IntegrityError("UNIQUE constraint failed"), None),
    ],
)
def test_errors(original: psycopg.Error | sqlite3.Error, code: str | None):
    found = outage(wrapped(original))
    assert (found and found.code) == code
    if found is not None:
        assert str(original) in found.message
        assert str(original) not in found.told, "strangers are not told what the database said"


def test_a_full_disk_of_sqlite():
    found = outage(wrapped(full()))
    assert found is not None
    assert (found.code, found.told) == ("disk_full", "The disk of the database is full")


def test_a_pool_without_a_free_connection():
    found = outage(PoolTimeoutError("QueuePool limit"))
    assert found is not None
    assert found.code == "store_unavailable"
