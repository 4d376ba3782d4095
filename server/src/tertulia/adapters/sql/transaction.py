"""The repositories over one open transaction, for both databases."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from sqlalchemy import Connection

from tertulia.adapters.sql.accounts import SqlAccountRepository
from tertulia.adapters.sql.idempotency import SqlIdempotencyRepository
from tertulia.adapters.sql.lobby import SqlLobbyRepository
from tertulia.adapters.sql.participants import SqlMembershipRepository
from tertulia.adapters.sql.recordings import SqlRecordingRepository
from tertulia.adapters.sql.rooms import SqlRoomRepository
from tertulia.errors import Unavailable

T = TypeVar("T")


class SqlTransaction:
    """A `Transaction` over one connection, which the store has begun and commits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def rooms(self) -> SqlRoomRepository:
        return SqlRoomRepository(self._connection)

    @cached_property
    def memberships(self) -> SqlMembershipRepository:
        return SqlMembershipRepository(self._connection)

    @cached_property
    def lobby(self) -> SqlLobbyRepository:
        return SqlLobbyRepository(self._connection)

    @cached_property
    def recordings(self) -> SqlRecordingRepository:
        return SqlRecordingRepository(self._connection)

    @cached_property
    def accounts(self) -> SqlAccountRepository:
        return SqlAccountRepository(self._connection)

    @cached_property
    def idempotency(self) -> SqlIdempotencyRepository:
        return SqlIdempotencyRepository(self._connection)


Work = Callable[[SqlTransaction], T]


def storage_failed(error: Exception) -> Unavailable:
    """Return the error of a transaction that could not be run."""
    told = "The database cannot be used right now"
    return Unavailable("store_unavailable", f"{told}: {reason(error)}", told=told)


def reason(error: Exception) -> str:
    """Return the first line of what a database said."""
    original = getattr(error, "orig", None) or error
    return str(original).splitlines()[0] if str(original) else type(original).__name__
