"""Rooms and the seats in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, tuple_, update

from tertulia.adapters.sql.statements import upsert
from tertulia.adapters.sql.tables import rooms, seats
from tertulia.domain.access import Role
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.participants import Seat
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences
from tertulia.services.ports import PageKey

_FIND: Final = select(rooms).where(rooms.c.name == bindparam("name"))
_FIND_AND_LOCK: Final = _FIND.with_for_update()
_NEWEST: Final = (
    select(rooms)
    .where(rooms.c.expires_at_ms > bindparam("now_ms"))
    .order_by(rooms.c.created_at_ms.desc(), rooms.c.name.desc())
)
_AFTER: Final = tuple_(rooms.c.created_at_ms, rooms.c.name) < tuple_(bindparam("after_ms"), bindparam("after_name"))
_SEAT: Final = select(seats).where(seats.c.room == bindparam("room"), seats.c.identity == bindparam("identity"))


def _room(row: Sequence[Any]) -> Room:
    name, prefix, created, expires, most, chat, recording, background, moderator, publisher, viewer = row
    return Room(
        name=name,
        prefix=None if prefix is None else json.loads(prefix),
        created_at_ms=created,
        expires_at_ms=expires,
        max_participants=most,
        preferences=RoomPreferences(chat, recording, background),
        secrets=RoleSecrets(moderator, publisher, viewer),
    )


class SqlRooms:
    """Rooms in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def insert(self, room: Room) -> None:
        """Add a room."""
        self._connection.execute(
            insert(rooms),
            {
                "name": room.name,
                "prefix_json": None if room.prefix is None else json.dumps(room.prefix),
                "created_at_ms": room.created_at_ms,
                "expires_at_ms": room.expires_at_ms,
                "max_participants": room.max_participants,
                **_preference_columns(room.preferences),
                **_secret_columns(room.secrets),
            },
        )

    def find(self, name: RoomName) -> Room | None:
        """Find a room by its name, expired or not."""
        row = self._connection.execute(_FIND, {"name": name}).one_or_none()
        return None if row is None else _room(row)

    def lock(self, name: RoomName) -> Room | None:
        """Find a room and lock its row (SQLite has one writer: nothing to lock)."""
        row = self._connection.execute(_FIND_AND_LOCK, {"name": name}).one_or_none()
        return None if row is None else _room(row)

    def page(self, *, now_ms: Millis, limit: int, after: PageKey | None) -> list[Room]:
        """List a page of rooms that have not expired, newest first."""
        statement: Select[Any] = _NEWEST.limit(limit)
        values: dict[str, int | str] = {"now_ms": now_ms}
        if after is not None:
            statement = statement.where(_AFTER)
            values |= {"after_ms": after.created_at_ms, "after_name": after.id}
        return [_room(row) for row in self._connection.execute(statement, values)]

    def expire(self, name: RoomName, *, now_ms: Millis) -> bool:
        """End a room's time now; False when it is over already."""
        statement = update(rooms).where(rooms.c.name == name, rooms.c.expires_at_ms > now_ms)
        return self._connection.execute(statement.values(expires_at_ms=now_ms)).rowcount > 0

    def set_preferences(self, name: RoomName, preferences: RoomPreferences) -> None:
        """Change what a room allows."""
        self._connection.execute(update(rooms).where(rooms.c.name == name).values(**_preference_columns(preferences)))

    def set_secrets(self, name: RoomName, secrets: RoleSecrets) -> None:
        """Give a room new links."""
        self._connection.execute(update(rooms).where(rooms.c.name == name).values(**_secret_columns(secrets)))

    def delete(self, name: RoomName) -> bool:
        """Delete a room and its seats; False when there was none."""
        return self._connection.execute(delete(rooms).where(rooms.c.name == name)).rowcount > 0

    def expired(self, *, now_ms: Millis, limit: int) -> list[RoomName]:
        """Name rooms whose time is over, the longest expired first."""
        statement = (
            select(rooms.c.name).where(rooms.c.expires_at_ms <= now_ms).order_by(rooms.c.expires_at_ms).limit(limit)
        )
        return [RoomName(name) for name in self._connection.execute(statement).scalars()]

    def next_expiry_ms(self) -> Millis | None:
        """Tell when the next room's time is over."""
        found = self._connection.execute(select(func.min(rooms.c.expires_at_ms))).scalar()
        return None if found is None else Millis(found)


def _preference_columns(preferences: RoomPreferences) -> dict[str, bool]:
    return {
        "chat_enabled": preferences.chat_enabled,
        "recording_enabled": preferences.recording_enabled,
        "virtual_background_enabled": preferences.virtual_background_enabled,
    }


def _secret_columns(secrets: RoleSecrets) -> dict[str, str]:
    return {
        "moderator_secret": secrets.moderator,
        "publisher_secret": secrets.publisher,
        "viewer_secret": secrets.viewer,
    }


class SqlSeats:
    """Seats in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, room: RoomName, identity: Identity) -> Seat | None:
        """Find what is kept about a name in a room."""
        row = self._connection.execute(_SEAT, {"room": room, "identity": identity}).mappings().one_or_none()
        if row is None:
            return None
        return Seat(
            room=row["room"],
            identity=row["identity"],
            role=None if row["role"] is None else Role(row["role"]),
            role_changed_at_ms=row["role_changed_at_ms"],
            reserved_until_ms=row["reserved_until_ms"],
            dead_before_ms=row["dead_before_ms"],
        )

    def put(self, seat: Seat) -> None:
        """Write what is kept about a name in a room."""
        upsert(
            self._connection,
            seats,
            {
                "room": seat.room,
                "identity": seat.identity,
                "role": seat.role,
                "role_changed_at_ms": seat.role_changed_at_ms,
                "reserved_until_ms": seat.reserved_until_ms,
                "dead_before_ms": seat.dead_before_ms,
            },
        )

    def forget_idle(self, *, now_ms: Millis, older_than_ms: Millis, limit: int) -> int:
        """Drop rows that decide nothing any more."""
        idle = (
            select(seats.c.room, seats.c.identity)
            .where(
                seats.c.reserved_until_ms < now_ms,
                seats.c.role.is_(None),
                seats.c.dead_before_ms < older_than_ms,
            )
            .order_by(seats.c.reserved_until_ms)
            .limit(limit)
        )
        return self._connection.execute(delete(seats).where(tuple_(seats.c.room, seats.c.identity).in_(idle))).rowcount
