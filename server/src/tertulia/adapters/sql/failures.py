"""What a database's errors mean: the disk is full, the database cannot be used right now, or a defect of ours."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tertulia.errors import Unavailable

READ_ONLY: Final = "25006"
_DISK_FULL: Final = "53100"
_OUTAGE_STATES: Final = frozenset({READ_ONLY, "25P03", "25P04", "40001", "40P01", "55P03"})
"""A read-only server, transactions ended by a timeout, or by others: of classes that hold defects too."""
_OUTAGE_CLASSES: Final = frozenset({"08", "53", "57", "58"})
"""Lost connections, no resources, an operator's work, the system's errors (PostgreSQL, appendix A)."""


def outage(error: SQLAlchemyError | sqlite3.Error) -> Unavailable | None:
    """Return what clients are told; None where the statement is what was wrong."""
    if is_disk_full(error):
        told = "The disk of the database is full"
        return Unavailable("disk_full", f"{told}: {reason(error)}", told=told)
    return storage_failed(error) if _is_outage(error) else None


def storage_failed(error: Exception) -> Unavailable:
    """Return the error of a transaction that could not be run."""
    told = "The database cannot be used right now"
    return Unavailable("store_unavailable", f"{told}: {reason(error)}", told=told)


def is_disk_full(error: Exception) -> bool:
    """Return whether a database found no room to write."""
    original = getattr(error, "orig", None) or error
    if isinstance(original, sqlite3.Error):
        return getattr(original, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return state_of(error) == _DISK_FULL


def state_of(error: Exception) -> str:
    """Return the SQLSTATE of an error of PostgreSQL; empty where there is none."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def _is_outage(error: SQLAlchemyError | sqlite3.Error) -> bool:
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError | sqlite3.OperationalError):
        return True
    state = state_of(error)
    return (
        (isinstance(error, DBAPIError) and error.connection_invalidated)
        or state in _OUTAGE_STATES
        or state[:2] in _OUTAGE_CLASSES
    )


def reason(error: Exception) -> str:
    """Return the first line of what a database said."""
    original = getattr(error, "orig", None) or error
    return str(original).splitlines()[0] if str(original) else type(original).__name__
