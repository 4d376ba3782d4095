"""The lobby: guests wait without any media token until a moderator lets them in."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Final

import structlog

from tertulia.domain.access import Role
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.lobby import MAX_WAITING, Guest, LobbyState
from tertulia.domain.participants import Membership
from tertulia.domain.rooms import Room
from tertulia.errors import Conflict, Forbidden, NotFound, TooManyRequests, Unavailable, name_taken
from tertulia.services.ports import Clock, MediaServerClient, Store, Transaction
from tertulia.services.rooms import find_room

_log = structlog.get_logger(__name__)
LOBBY_TOPIC: Final = "tertulia.lobby"
_TICKET_BYTES: Final = 24
_WRITE_SEEN_EVERY_MS: Final = 4_000


def check_admitted(tx: Transaction, room: Room, membership: Membership, role: Role, *, ticket: str | None) -> None:
    """Raise Forbidden when a guest of a room with a lobby has not been let in (since it was last removed)."""
    if not room.preferences.lobby_enabled or role is Role.MODERATOR:
        return
    guest = tx.lobby.find(room.name, membership.identity)
    if guest is None or guest.state is not LobbyState.ADMITTED or not _is_theirs(guest, ticket):
        raise Forbidden("lobby", "A moderator has to let you in: wait in the lobby", name="Room Error")
    if membership.revokes(guest.entered_at_ms):
        raise Forbidden("lobby", "You were removed from this meeting: ask to be let in again", name="Room Error")


class LobbyService:
    """The lobbies of rooms."""

    def __init__(self, *, store: Store, clock: Clock, media: MediaServerClient) -> None:
        self._store = store
        self._clock = clock
        self._media = media

    async def enter(self, room_name: str, identity: Identity) -> Guest:
        """Let a guest wait, whose link was checked. Raises Conflict when the name is taken, or there is no lobby."""
        now_ms, ticket = self._clock.now_ms(), secrets.token_urlsafe(_TICKET_BYTES)

        def work(tx: Transaction) -> Guest:
            room = find_room(tx, room_name, now_ms, lock=True)
            if not room.preferences.lobby_enabled:
                raise Conflict("no_lobby", "This room has no lobby: ask for a token", name="Room Error")
            guests = [guest for guest in tx.lobby.in_room(room.name) if guest.waits(now_ms)]
            if any(guest.identity == identity for guest in guests):
                raise name_taken(identity)
            if len(guests) >= MAX_WAITING:
                raise TooManyRequests("The lobby is full: try again later", retry_after_s=30)
            guest = Guest(room.name, identity, ticket, LobbyState.WAITING, now_ms, now_ms)
            tx.lobby.put(guest)
            return guest

        if await self._media.participant(RoomName(room_name), identity) is not None:
            raise name_taken(identity)
        guest = await self._store.write(work)
        await self._tell_moderators(guest.room)
        return guest

    async def state(self, room_name: str, identity: Identity, ticket: str) -> LobbyState:
        """Return what was decided about a guest, who says by asking that it is still there. Raises NotFound."""
        now_ms = self._clock.now_ms()

        def look(tx: Transaction) -> Guest:
            guest = tx.lobby.find(find_room(tx, room_name, now_ms).name, identity)
            if guest is None or not _is_theirs(guest, ticket):
                raise _guest_not_found(identity)
            return guest

        guest = await self._store.read(look)
        if guest.state is LobbyState.WAITING and now_ms - guest.seen_at_ms >= _WRITE_SEEN_EVERY_MS:
            came_back = not guest.waits(now_ms)
            await self._store.write(lambda tx: _see(tx, guest, now_ms))
            if came_back:
                await self._tell_moderators(guest.room)
        return guest.state

    async def waiting(self, room_name: str) -> list[Guest]:
        """List the guests who wait, in the order in which they came."""
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> list[Guest]:
            return tx.lobby.in_room(find_room(tx, room_name, now_ms).name)

        return [guest for guest in await self._store.read(work) if guest.waits(now_ms)]

    async def decide(self, room_name: str, state: LobbyState, identity: Identity | None = None) -> None:
        """Admit or refuse a guest, or everyone who waits. Raises NotFound when that guest does not wait."""
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> RoomName:
            room = find_room(tx, room_name, now_ms, lock=True)
            guests = [guest for guest in tx.lobby.in_room(room.name) if guest.waits(now_ms)]
            chosen = guests if identity is None else [guest for guest in guests if guest.identity == identity]
            if identity is not None and not chosen:
                raise _guest_not_found(identity)
            for guest in chosen:
                tx.lobby.put(replace(guest, state=state, seen_at_ms=now_ms))
            return room.name

        await self._tell_moderators(await self._store.write(work))

    async def _tell_moderators(self, room: RoomName) -> None:
        """Tell the pages of moderators to look again; names of guests are for them alone."""
        try:
            connected = await self._media.participants(room)
            moderators = [each.identity for each in connected if each.role is Role.MODERATOR]
            if moderators:
                await self._media.send(room, LOBBY_TOPIC, {}, to=moderators)
        except Unavailable as error:
            _log.warning("moderators are not told of the lobby", room=room, reason=error.message)


def _is_theirs(guest: Guest, ticket: str | None) -> bool:
    return ticket is not None and secrets.compare_digest(guest.ticket.encode(), ticket.encode())


def _see(tx: Transaction, seen: Guest, now_ms: Millis) -> None:
    """Note that a guest is there, unless something was decided meanwhile."""
    tx.rooms.lock(seen.room)
    if tx.lobby.find(seen.room, seen.identity) == seen:
        tx.lobby.put(replace(seen, seen_at_ms=now_ms))


def _guest_not_found(identity: Identity) -> NotFound:
    return NotFound("guest_not_found", f"'{identity}' does not wait in the lobby", name="Room Error")
