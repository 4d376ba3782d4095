"""Guests who wait in lobbies."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, select

from tertulia.adapters.sql.statements import upsert
from tertulia.adapters.sql.tables import lobby
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.lobby import Guest, LobbyState
from tertulia.services.ports import LobbyRepository

_IN_ROOM: Final = select(lobby).where(lobby.c.room == bindparam("room")).order_by(lobby.c.entered_at_ms)
_FIND: Final = _IN_ROOM.where(lobby.c.identity == bindparam("identity"))


class SqlLobbyRepository(LobbyRepository):
    """Lobbies in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, room: RoomName, identity: Identity) -> Guest | None:
        row = self._connection.execute(_FIND, {"room": room, "identity": identity}).one_or_none()
        return None if row is None else _guest(row)

    def in_room(self, room: RoomName) -> list[Guest]:
        return [_guest(row) for row in self._connection.execute(_IN_ROOM, {"room": room})]

    def put(self, guest: Guest) -> None:
        upsert(
            self._connection,
            lobby,
            {
                "room": guest.room,
                "identity": guest.identity,
                "ticket": guest.ticket,
                "state": guest.state,
                "entered_at_ms": guest.entered_at_ms,
                "seen_at_ms": guest.seen_at_ms,
            },
        )

    def delete_idle(self, *, older_than_ms: Millis) -> None:
        self._connection.execute(delete(lobby).where(lobby.c.seen_at_ms < older_than_ms))


def _guest(row: Row[Any]) -> Guest:
    return Guest(row.room, row.identity, row.ticket, LobbyState(row.state), row.entered_at_ms, row.seen_at_ms)
