"""The tables over one open transaction, for both databases."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from sqlalchemy import Connection

from tertulia.adapters.sql.accounts import SqlAccounts, SqlIdempotencyKeys
from tertulia.adapters.sql.recordings import SqlRecordings
from tertulia.adapters.sql.rooms import SqlRooms, SqlSeats
from tertulia.errors import Unavailable

T = TypeVar("T")


class SqlTransaction:
    """The tables over one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def rooms(self) -> SqlRooms:
        """Rooms."""
        return SqlRooms(self._connection)

    @cached_property
    def seats(self) -> SqlSeats:
        """What is kept about names in rooms."""
        return SqlSeats(self._connection)

    @cached_property
    def recordings(self) -> SqlRecordings:
        """Recordings."""
        return SqlRecordings(self._connection)

    @cached_property
    def accounts(self) -> SqlAccounts:
        """Credentials and sessions."""
        return SqlAccounts(self._connection)

    @cached_property
    def idempotency(self) -> SqlIdempotencyKeys:
        """Idempotency keys."""
        return SqlIdempotencyKeys(self._connection)


Work = Callable[[SqlTransaction], T]


def storage_failed(error: Exception) -> Unavailable:
    """Say that a transaction could not be run."""
    return Unavailable("store_unavailable", f"The database cannot be used right now: {reason(error)}")


def reason(error: Exception) -> str:
    """Tell the first line of what a database said."""
    original = getattr(error, "orig", None) or error
    return str(original).splitlines()[0] if str(original) else type(original).__name__
