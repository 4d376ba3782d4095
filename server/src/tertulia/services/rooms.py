"""Rooms: made, listed, changed, ended."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Final, Protocol

import structlog

from tertulia.domain.ids import LATEST, Millis, RoomName
from tertulia.domain.rooms import (
    SUFFIX_ALPHABET,
    SUFFIX_LENGTH,
    PreferencesChange,
    RoleSecrets,
    Room,
    RoomPreferences,
    could_be_room_name,
    room_name,
)
from tertulia.errors import FieldProblem, InvalidInput, NotFound, Unavailable, room_not_found
from tertulia.services.idempotency import remember, replayed, written_once
from tertulia.services.ports import Clock, IdempotencyKey, MediaServerClient, PageKey, Store, Transaction

_log = structlog.get_logger(__name__)
_SECRET_BYTES: Final = 24
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class RoomOptions:
    """What an application asks for."""

    expires_at_ms: Millis
    prefix: str | None = None
    max_participants: int | None = None
    preferences: PreferencesChange = PreferencesChange()


class LiveRules(Protocol):
    """Brings a changed rule into a running meeting."""

    async def settle(self, room: RoomName) -> None:
        """Bring everybody in a room to what holds now."""
        ...


def new_secrets() -> RoleSecrets:
    """Make one secret a role: 192 bits each, not derivable from one another."""
    random = secrets.token_bytes(3 * _SECRET_BYTES)
    texts = base64.urlsafe_b64encode(random).decode()
    length = len(texts) // 3
    return RoleSecrets(*(texts[start : start + length] for start in range(0, 3 * length, length)))


def new_suffix() -> str:
    """Make the random part of a room's name."""
    # one request for randomness; 64 bits more than needed make the remainders even enough
    number = secrets.randbits(18 * 8)
    digits = []
    for _ in range(SUFFIX_LENGTH):
        number, digit = divmod(number, len(SUFFIX_ALPHABET))
        digits.append(SUFFIX_ALPHABET[digit])
    return "".join(digits)


def find_room(tx: Transaction, name: str, now_ms: Millis, *, lock: bool = False) -> Room:
    """Find a room that has not expired, or raise NotFound."""
    if could_be_room_name(name):
        room = tx.rooms.lock(RoomName(name)) if lock else tx.rooms.find(RoomName(name))
        if room is not None and not room.has_expired(now_ms):
            return room
    raise room_not_found(name)


class RoomService:
    """The rooms of this installation."""

    def __init__(self, *, store: Store, clock: Clock, media: MediaServerClient, live: LiveRules) -> None:
        self._store = store
        self._clock = clock
        self._media = media
        self._live = live

    async def create(self, options: RoomOptions, *, once: IdempotencyKey | None = None) -> Room:
        """Make a room. Raises InvalidInput when its expiry has passed."""
        now_ms = self._clock.now_ms()
        if not now_ms < options.expires_at_ms <= LATEST:
            raise InvalidInput("body", [FieldProblem("expirationDate", "must be in the future")])
        room = Room(
            name=room_name(options.prefix, new_suffix()),
            prefix=options.prefix,
            created_at_ms=now_ms,
            expires_at_ms=options.expires_at_ms,
            max_participants=options.max_participants,
            preferences=options.preferences.applied_to(RoomPreferences()),
            secrets=new_secrets(),
        )

        def work(tx: Transaction) -> Room:
            earlier = replayed(tx, once, now_ms)
            if earlier is not None:
                return _room_from_json(earlier)
            tx.rooms.insert(room)
            if once is not None:
                remember(tx, once, json.dumps(asdict(room)), now_ms)
            return room

        return await written_once(self._store, work)

    async def get(self, name: str) -> Room:
        """Find a room; NotFound when it is unknown, deleted or expired."""
        now_ms = self._clock.now_ms()
        return await self._store.read(lambda tx: find_room(tx, name, now_ms))

    async def page(self, *, limit: int, after: PageKey | None = None) -> list[Room]:
        """List rooms that have not expired, newest first."""
        now_ms = self._clock.now_ms()
        return await self._store.read(lambda tx: tx.rooms.page(now_ms=now_ms, limit=limit, after=after))

    async def all(self) -> AsyncIterator[list[Room]]:
        """List all rooms, in pieces."""
        after: PageKey | None = None
        while piece := await self.page(limit=_PAGE, after=after):
            yield piece
            after = PageKey(piece[-1].created_at_ms, piece[-1].name)

    async def update(self, name: str, change: PreferencesChange) -> Room:
        """Change preferences; a running meeting follows at once."""
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> tuple[Room, bool]:
            room = find_room(tx, name, now_ms, lock=True)
            changed = room.with_preferences(change)
            if changed != room:
                tx.rooms.set_preferences(room.name, changed.preferences)
            return changed, changed.preferences.chat_enabled != room.preferences.chat_enabled

        room, chat_changed = await self._store.write(work)
        if chat_changed:
            try:
                await self._live.settle(room.name)
            except Unavailable as error:
                _log.warning("a meeting follows when the media server is back", room=name, reason=error.message)
        return room

    async def rotate_links(self, name: str) -> Room:
        """Give a room new links; the old ones are worth nothing from now on."""
        now_ms, fresh = self._clock.now_ms(), new_secrets()

        def work(tx: Transaction) -> None:
            tx.rooms.set_secrets(find_room(tx, name, now_ms, lock=True).name, fresh)

        await self._store.write(work)
        return await self.get(name)

    async def end_meeting(self, name: str) -> None:
        """Tell everybody in the room that the meeting is over, and disconnect them; the room stays."""
        room = await self.get(name)
        await self._media.end(room.name)

    async def delete(self, name: str) -> None:
        """Delete a room: its time is over now, and its meeting ends as that of every room whose time is over."""
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> None:
            if not could_be_room_name(name) or not tx.rooms.expire(RoomName(name), now_ms=now_ms):
                raise room_not_found(name)

        await self._store.write(work)
        try:
            await self.close(RoomName(name), "room deleted")
        except Unavailable as error:
            _log.warning("meeting of a deleted room goes on for now", room=name, reason=error.message)

    async def close(self, name: RoomName, reason: str) -> None:
        """End what is left of a room whose time is over. Raises Unavailable; trying again is harmless."""
        now_ms = self._clock.now_ms()

        def stop_recording(tx: Transaction) -> None:
            tx.recordings.request_stop(room=name, now_ms=now_ms, details=reason)

        await self._store.write(stop_recording)
        await self._media.end(name)
        await self._store.write(lambda tx: tx.rooms.delete(name))

    async def close_expired(self) -> None:
        """End the meetings of rooms whose time is over."""
        now_ms = self._clock.now_ms()
        for name in await self._store.read(lambda tx: tx.rooms.expired(now_ms=now_ms, limit=_PAGE)):
            try:
                await self.close(name, "room expired")
            except (Unavailable, NotFound) as error:
                _log.warning("meeting of an expired room goes on for now", room=name, reason=error.message)


def _room_from_json(text: str) -> Room:
    value = json.loads(text)
    return Room(
        **value | {"preferences": RoomPreferences(**value["preferences"]), "secrets": RoleSecrets(**value["secrets"])}
    )
