"""Rooms: created, listed, changed, deleted; and the end of their meetings."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Protocol

import structlog

from tertulia.domain.events import EventKind, room_event
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
from tertulia.errors import Conflict, FieldProblem, InvalidInput, Unavailable, room_not_found
from tertulia.services.idempotency import remember, replayed, written_once
from tertulia.services.ports import Clock, IdempotencyKey, MediaServerClient, PageKey, Store, Transaction

_log = structlog.get_logger(__name__)
_SECRET_BYTES: Final = 24
_SUFFIX_RANDOM_BITS: Final = 144
_PAGE: Final = 500
ROOM_TOPIC: Final = "tertulia.room"
NOTICE_TOPIC: Final = "tertulia.notice"


@dataclass(frozen=True, slots=True)
class RoomOptions:
    """What an application asks for when it creates a room."""

    expires_at_ms: Millis
    prefix: str | None = None
    max_participants: int | None = None
    preferences: PreferencesChange = PreferencesChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomDefaults:
    """What a new room is where its creator does not say. `lifetime_s` is what the console offers."""

    max_participants: int | None = None
    lifetime_s: int | None = None
    preferences: PreferencesChange = PreferencesChange()

    def to_json(self) -> dict[str, Any]:
        """Return what differs from Tertulia's own defaults."""
        preferences = {name: value for name, value in asdict(self.preferences).items() if value is not None}
        made = {"max_participants": self.max_participants, "lifetime_s": self.lifetime_s, "preferences": preferences}
        return {name: value for name, value in made.items() if value is not None}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RoomDefaults:
        """Read what `to_json` returned. Raises TypeError for what is not known."""
        return cls(**{**value, "preferences": PreferencesChange(**value.get("preferences", {}))})


class RuleEnforcer(Protocol):
    """Applies a changed rule to a running meeting (`AdmissionService`)."""

    async def enforce(self, room: RoomName) -> None:
        """Apply the current rules to every participant of a room."""
        ...


def new_secrets() -> RoleSecrets:
    """Make one secret for each role: 192 bits each, not derivable from one another."""
    random = secrets.token_bytes(3 * _SECRET_BYTES)
    text = base64.urlsafe_b64encode(random).decode()
    length = len(text) // 3
    moderator, publisher, viewer = (text[start : start + length] for start in range(0, 3 * length, length))
    return RoleSecrets(moderator=moderator, publisher=publisher, viewer=viewer)


def new_suffix() -> str:
    """Make the random part of a room's name."""
    # one request for randomness; 64 bits more than the alphabet needs make the remainders even enough
    number = secrets.randbits(_SUFFIX_RANDOM_BITS)
    digits = []
    for _ in range(SUFFIX_LENGTH):
        number, digit = divmod(number, len(SUFFIX_ALPHABET))
        digits.append(SUFFIX_ALPHABET[digit])
    return "".join(digits)


def find_room(tx: Transaction, name: str, now_ms: Millis, *, lock: bool = False) -> Room:
    """Return a room that has not expired. Raises NotFound."""
    if could_be_room_name(name):
        room = tx.rooms.lock(RoomName(name)) if lock else tx.rooms.find(RoomName(name))
        if room is not None and not room.has_expired(now_ms):
            return room
    raise room_not_found(name)


class RoomService:
    """The rooms of this installation. `defaults` says what a new one is where its creator does not."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        media: MediaServerClient,
        rules: RuleEnforcer,
        defaults: Callable[[], RoomDefaults] = RoomDefaults,
    ) -> None:
        self._defaults = defaults
        self._store = store
        self._clock = clock
        self._media = media
        self._rules = rules

    async def create(self, options: RoomOptions, *, idempotency_key: IdempotencyKey | None = None) -> Room:
        """Create a room. Raises InvalidInput when its expiry has passed, unless this repeats an earlier request."""
        now_ms = self._clock.now_ms()
        if not now_ms < options.expires_at_ms <= LATEST:
            earlier = await self._store.read(lambda tx: replayed(tx, idempotency_key, now_ms))
            if earlier is not None:
                return _room_from_json(earlier)
            raise InvalidInput("body", [FieldProblem("expirationDate", "must be in the future")])
        defaults = self._defaults()
        room = Room(
            name=room_name(options.prefix, new_suffix()),
            prefix=options.prefix,
            created_at_ms=now_ms,
            expires_at_ms=options.expires_at_ms,
            max_participants=options.max_participants or defaults.max_participants,
            preferences=options.preferences.applied_to(defaults.preferences.applied_to(RoomPreferences())),
            secrets=new_secrets(),
        )

        def work(tx: Transaction) -> Room:
            earlier = replayed(tx, idempotency_key, now_ms)
            if earlier is not None:
                return _room_from_json(earlier)
            tx.rooms.insert(room)
            tx.events.add(room_event(EventKind.ROOM_CREATED, room.name))
            if idempotency_key is not None:
                remember(tx, idempotency_key, json.dumps(asdict(room)), now_ms)
            return room

        return await written_once(self._store, work)

    async def get(self, name: str) -> Room:
        """Return a room. Raises NotFound when it is unknown, deleted or expired."""
        now_ms = self._clock.now_ms()
        return await self._store.read(lambda tx: find_room(tx, name, now_ms))

    async def page(self, *, limit: int, after: PageKey | None = None) -> list[Room]:
        """List rooms that have not expired, newest first."""
        now_ms = self._clock.now_ms()
        return await self._store.read(lambda tx: tx.rooms.page(now_ms=now_ms, limit=limit, after=after))

    async def all(self) -> AsyncIterator[list[Room]]:
        """List all rooms, page by page."""
        after: PageKey | None = None
        while page := await self.page(limit=_PAGE, after=after):
            yield page
            after = PageKey(page[-1].created_at_ms, page[-1].name)

    async def update(self, name: str, change: PreferencesChange) -> Room:
        """Change preferences, also in a running meeting."""
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> tuple[Room, Room]:
            room = find_room(tx, name, now_ms, lock=True)
            changed = room.with_preferences(change)
            if changed != room:
                tx.rooms.set_preferences(room.name, changed.preferences)
                tx.events.add(room_event(EventKind.ROOM_CHANGED, room.name))
            if not changed.preferences.chat_history_enabled:
                tx.chat.delete(room.name)
            return room, changed

        before, room = await self._store.write(work)
        await self._follow(before, room)
        return room

    async def set_locked(self, name: str, *, locked: bool) -> None:
        """Lock a room, or open it again. A lock ends with the meeting that a moderator or the application ends."""
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> Room:
            room = find_room(tx, name, now_ms, lock=True)
            tx.rooms.set_locked(room.name, locked=locked)
            tx.events.add(room_event(EventKind.ROOM_CHANGED, room.name))
            return room

        before = await self._store.write(work)
        await self._follow(before, replace(before, locked=locked))

    async def _follow(self, before: Room, room: Room) -> None:
        """Let a running meeting follow a change of its room, which counts whether or not the media server is there."""
        try:
            if room != before:
                await self._tell(room)
            if room.preferences.chat_enabled != before.preferences.chat_enabled:
                await self._rules.enforce(room.name)
        except Unavailable as error:
            _log.warning("the meeting follows when the media server is back", room=room.name, reason=error.message)

    async def _tell(self, room: Room) -> None:
        """Tell every page that the room has changed. Pages read the room again when they connect."""
        state = {
            "chat": room.preferences.chat_enabled,
            "chatHistory": room.preferences.chat_history_enabled,
            "chatFiles": room.preferences.chat_files_enabled,
            "recording": room.preferences.recording_enabled,
            "virtualBackground": room.preferences.virtual_background_enabled,
            "lobby": room.preferences.lobby_enabled,
            "locked": room.locked,
        }
        await self._media.send(room.name, ROOM_TOPIC, state)

    async def rotate_links(self, name: str) -> Room:
        """Replace the links of a room; the old ones are refused from now on."""
        now_ms, replacement = self._clock.now_ms(), new_secrets()

        def work(tx: Transaction) -> None:
            room = find_room(tx, name, now_ms, lock=True)
            tx.rooms.set_secrets(room.name, replacement)
            tx.events.add(room_event(EventKind.ROOM_CHANGED, room.name))

        await self._store.write(work)
        return await self.get(name)

    async def end_meeting(self, name: str) -> None:
        """Disconnect every participant because the meeting is over; the room stays."""
        room = await self.get(name)
        await self._media.end(room.name)
        await self._store.write(lambda tx: tx.chat.delete(room.name))
        if room.locked:
            await self.set_locked(name, locked=False)

    async def delete(self, name: str) -> None:
        """Delete a room: it expires now, and its meeting ends like that of every expired room."""
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> None:
            if not could_be_room_name(name) or not tx.rooms.expire(RoomName(name), now_ms=now_ms):
                raise room_not_found(name)
            tx.events.add(room_event(EventKind.ROOM_DELETED, RoomName(name)))

        await self._store.write(work)
        try:
            await self.close(RoomName(name), "room deleted")
        except Unavailable as error:
            _log.warning("meeting of a deleted room goes on for now", room=name, reason=error.message)

    async def delete_many(self, names: Sequence[str]) -> None:
        """Delete rooms: they expire now, and their meetings end like those of all expired rooms, within a second.

        Unknown names count as deleted.
        """
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> None:
            for name in dict.fromkeys(names):
                if could_be_room_name(name) and tx.rooms.expire(RoomName(name), now_ms=now_ms):
                    tx.events.add(room_event(EventKind.ROOM_DELETED, RoomName(name)))

        await self._store.write(work)

    async def send_notice(self, name: str, message: str) -> None:
        """Show a message of the administrator to all who are in a meeting. Raises Conflict when nobody is in it."""
        room = await self.get(name)
        if not (await self._media.participant_counts([room.name])).get(room.name):
            raise Conflict("room_empty", f"Nobody is in the room '{name}'", name="Room Error")
        await self._media.send(room.name, NOTICE_TOPIC, {"message": message})

    async def close(self, name: RoomName, reason: str) -> None:
        """End the meeting of an expired room and delete its row. Raises Unavailable; a repetition is harmless."""
        now_ms = self._clock.now_ms()

        def stop_recording(tx: Transaction) -> None:
            tx.recordings.request_stop(rooms=[name], now_ms=now_ms, details=reason)

        await self._store.write(stop_recording)
        await self._media.end(name)
        await self._store.write(lambda tx: tx.rooms.delete(name))


def _room_from_json(text: str) -> Room:
    value = json.loads(text)
    return Room(
        **value | {"preferences": RoomPreferences(**value["preferences"]), "secrets": RoleSecrets(**value["secrets"])}
    )
