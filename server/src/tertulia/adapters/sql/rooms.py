"""Rooms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, or_, select, tuple_, update

from tertulia.adapters.sql.searches import contains, sorted_page
from tertulia.adapters.sql.statements import pieces
from tertulia.adapters.sql.tables import rooms
from tertulia.domain.ids import Millis, RoomName
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences
from tertulia.services.ports import PageKey, RoomOrder, RoomRepository, RoomSearch

_INSERT: Final = insert(rooms)
_FIND: Final = select(rooms).where(rooms.c.name == bindparam("name"))
_FIND_AND_LOCK: Final = _FIND.with_for_update()
_NEWEST: Final = (
    select(rooms)
    .where(rooms.c.expires_at_ms > bindparam("now_ms"))
    .order_by(rooms.c.created_at_ms.desc(), rooms.c.name.desc())
)
_AFTER: Final = tuple_(rooms.c.created_at_ms, rooms.c.name) < tuple_(bindparam("after_ms"), bindparam("after_name"))

_ORDER: Final = {
    RoomOrder.CREATED: rooms.c.created_at_ms,
    RoomOrder.NAME: rooms.c.name,
    RoomOrder.EXPIRES: rooms.c.expires_at_ms,
}


class SqlRoomRepository(RoomRepository):
    """Rooms in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def insert(self, room: Room) -> None:
        row = {
            "name": room.name,
            "prefix_json": None if room.prefix is None else json.dumps(room.prefix),
            "created_at_ms": room.created_at_ms,
            "expires_at_ms": room.expires_at_ms,
            "max_participants": room.max_participants,
            "locked": room.locked,
            **_preference_columns(room.preferences),
            **_secret_columns(room.secrets),
        }
        self._connection.execute(_INSERT, row)

    def find(self, name: RoomName) -> Room | None:
        row = self._connection.execute(_FIND, {"name": name}).one_or_none()
        return None if row is None else _room(row)

    def lock(self, name: RoomName) -> Room | None:
        """Lock the row on PostgreSQL; SQLite has one writer and nothing to lock."""
        row = self._connection.execute(_FIND_AND_LOCK, {"name": name}).one_or_none()
        return None if row is None else _room(row)

    def page(self, *, now_ms: Millis, limit: int, after: PageKey | None) -> list[Room]:
        statement: Select[Any] = _NEWEST.limit(limit)
        values: dict[str, int | str] = {"now_ms": now_ms}
        if after is not None:
            statement = statement.where(_AFTER)
            values |= {"after_ms": after.created_at_ms, "after_name": after.id}
        return [_room(row) for row in self._connection.execute(statement, values)]

    def search(self, wanted: RoomSearch, *, now_ms: Millis) -> list[Room]:
        """Look into the prefix as JSON writes it, which has no letters beyond ASCII."""
        statement = select(rooms).where(rooms.c.expires_at_ms > now_ms)
        if wanted.text:
            statement = statement.where(
                or_(
                    contains(wanted.text, rooms.c.name),
                    contains(json.dumps(wanted.text)[1:-1], rooms.c.prefix_json),
                )
            )
        if wanted.names is not None:
            statement = statement.where(rooms.c.name.in_(wanted.names))
        statement = sorted_page(
            statement,
            _ORDER[wanted.order],
            rooms.c.name,
            descending=wanted.descending,
            limit=wanted.limit,
            after=wanted.after,
        )
        return [_room(row) for row in self._connection.execute(statement)]

    def expire(self, name: RoomName, *, now_ms: Millis) -> bool:
        statement = update(rooms).where(rooms.c.name == name, rooms.c.expires_at_ms > now_ms)
        return self._connection.execute(statement.values(expires_at_ms=now_ms)).rowcount > 0

    def set_preferences(self, name: RoomName, preferences: RoomPreferences) -> None:
        self._update(name, _preference_columns(preferences))

    def set_locked(self, name: RoomName, *, locked: bool) -> None:
        self._update(name, {"locked": locked})

    def set_secrets(self, name: RoomName, secrets: RoleSecrets) -> None:
        self._update(name, _secret_columns(secrets))

    def _update(self, name: RoomName, values: dict[str, Any]) -> None:
        self._connection.execute(update(rooms).where(rooms.c.name == name).values(values))

    def delete(self, name: RoomName) -> bool:
        """Delete the row; its memberships go by the foreign key."""
        return self._connection.execute(delete(rooms).where(rooms.c.name == name)).rowcount > 0

    def delete_many(self, names: Sequence[RoomName]) -> None:
        for piece in pieces(names):
            self._connection.execute(delete(rooms).where(rooms.c.name.in_(piece)))

    def expired(self, *, now_ms: Millis, limit: int, offset: int = 0) -> list[RoomName]:
        statement = select(rooms.c.name).where(rooms.c.expires_at_ms <= now_ms)
        statement = statement.order_by(rooms.c.expires_at_ms.desc()).limit(limit).offset(offset)
        return [RoomName(name) for name in self._connection.execute(statement).scalars()]

    def next_expiry_ms(self) -> Millis | None:
        found = self._connection.execute(select(func.min(rooms.c.expires_at_ms))).scalar()
        return None if found is None else Millis(found)


def _room(row: Row[Any]) -> Room:
    return Room(
        name=row.name,
        prefix=None if row.prefix_json is None else json.loads(row.prefix_json),
        created_at_ms=row.created_at_ms,
        expires_at_ms=row.expires_at_ms,
        max_participants=row.max_participants,
        preferences=RoomPreferences(
            chat_enabled=row.chat_enabled,
            recording_enabled=row.recording_enabled,
            virtual_background_enabled=row.virtual_background_enabled,
            lobby_enabled=row.lobby_enabled,
            chat_history_enabled=row.chat_history_enabled,
            chat_files_enabled=row.chat_files_enabled,
            codecs=row.codecs,
        ),
        locked=row.locked,
        secrets=RoleSecrets(moderator=row.moderator_secret, publisher=row.publisher_secret, viewer=row.viewer_secret),
    )


def _preference_columns(preferences: RoomPreferences) -> dict[str, bool | str]:
    return {
        "chat_enabled": preferences.chat_enabled,
        "recording_enabled": preferences.recording_enabled,
        "virtual_background_enabled": preferences.virtual_background_enabled,
        "lobby_enabled": preferences.lobby_enabled,
        "chat_history_enabled": preferences.chat_history_enabled,
        "chat_files_enabled": preferences.chat_files_enabled,
        "codecs": preferences.codecs,
    }


def _secret_columns(secrets: RoleSecrets) -> dict[str, str]:
    return {
        "moderator_secret": secrets.moderator,
        "publisher_secret": secrets.publisher,
        "viewer_secret": secrets.viewer,
    }
