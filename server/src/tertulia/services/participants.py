"""Participants: tokens, the door of the media server, roles, disconnecting.

The media server knows who is in; we keep what must outlive a connection (see `domain.participants.Seat`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import structlog

from tertulia.domain.access import Grants, Role, grants_for
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.participants import RESERVATION_MS, LiveParticipant, Seat
from tertulia.domain.rooms import Room, could_be_room_name
from tertulia.errors import (
    Conflict,
    Forbidden,
    NotFound,
    TertuliaError,
    forbidden,
    participant_not_found,
    room_not_found,
    unauthenticated,
)
from tertulia.services.ports import Clock, MediaServerClient, Store, Transaction
from tertulia.services.rate_limits import FailureLimit
from tertulia.services.rooms import find_room
from tertulia.services.tokens import ParticipantToken, ParticipantTokens

_log = structlog.get_logger(__name__)
_LOOKS: Final = 5
_GUESSES: Final = 30
_GUESS_WINDOW_MS: Final = 60_000
SeatChange = Callable[[Seat, Millis], Seat]


class ParticipantAuth(StrEnum):
    """Whose token request also needs a login."""

    NONE = "none"
    MODERATORS_ONLY = "moderators_only"
    ALL_USERS = "all_users"

    def needs_login(self, role: Role) -> bool:
        """Tell whether who joins with that role must be logged in."""
        return self is ParticipantAuth.ALL_USERS or (self is ParticipantAuth.MODERATORS_ONLY and role is Role.MODERATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """Somebody comes with a link: a room and a secret."""

    room: str
    secret: str
    logged_in: bool = False
    address: str = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest(LinkRequest):
    """Somebody wants to join under a name. `shown` is a participant token that came along."""

    identity: Identity
    shown: ParticipantToken | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody may come in, with these grants. Without `role`, the grants of the token hold (a recorder, an agent)."""

    role: Role | None
    grants: Grants | None
    room_expires_at_ms: Millis


class _WrongSecretError(Exception):
    """The room is there, the secret is none of its three."""


class ParticipantService:
    """Who may be in which room, as what."""

    def __init__(
        self, *, store: Store, clock: Clock, media: MediaServerClient, tokens: ParticipantTokens, auth: ParticipantAuth
    ) -> None:
        self._store = store
        self._clock = clock
        self._media = media
        self._tokens = tokens
        self._auth = auth
        self._guesses = FailureLimit(failures=_GUESSES, window_ms=_GUESS_WINDOW_MS)

    # ── links and tokens ──

    async def role_of_link(self, request: LinkRequest) -> Role:
        """Tell what a link is good for, so that nobody is asked for a camera in vain."""
        with self._guesses_counted(request, _wrong_link()):
            return await self._check(request)

    async def token(self, request: TokenRequest) -> str:
        """Give a token to whoever holds a link. A taken name is no error: the newer connection wins."""
        with self._guesses_counted(request, room_not_found(request.room)):
            return await self._issue(request, only_if_free=False)

    async def token_if_free(self, request: TokenRequest) -> str:
        """Give a token unless the name is taken in the room by somebody else (Conflict)."""
        with self._guesses_counted(request, _wrong_link()):
            await self._check(request)
            same_person = await self.is_same_person(request)
            if not same_person and await self._media.participant(RoomName(request.room), request.identity) is not None:
                raise _name_taken(request.identity)
            return await self._issue(request, only_if_free=not same_person)

    async def refreshed_token(self, request: TokenRequest) -> str:
        """Give a new token to somebody in the room whose own has run out."""
        with self._guesses_counted(request, _wrong_link()):
            await self._check(request)
            if await self.is_same_person(request):
                raise Conflict("token_still_valid", "Participant token is still valid", name="Participant Error")
            if await self._media.participant(RoomName(request.room), request.identity) is None:
                raise participant_not_found(request.identity)
            shown = request.shown
            if shown is None or (shown.room, shown.identity) != (request.room, request.identity):
                raise forbidden()
            return await self._issue(request, only_if_free=False)

    @contextmanager
    def _guesses_counted(self, request: LinkRequest, refusal: TertuliaError) -> Iterator[None]:
        """Slow down an address that tries secrets, and refuse a wrong one the way the base path wants it."""
        self._guesses.check(request.address, now_ms=self._clock.now_ms())
        try:
            yield
        except _WrongSecretError:
            # of many guesses at once, too, only so many are answered
            self._guesses.check(request.address, now_ms=self._clock.now_ms())
            self._guesses.failed(request.address, now_ms=self._clock.now_ms())
            raise refusal from None

    async def is_same_person(self, request: TokenRequest) -> bool:
        """Tell whether the token that came along is a living one of the same room and name."""
        shown = request.shown
        if shown is None or (shown.room, shown.identity) != (request.room, request.identity):
            return False
        return await self.holder(shown) is not None

    async def holder(self, token: ParticipantToken) -> Role | None:
        """Tell the role of a token's holder; None when the token has expired or died."""
        if token.expires_at_ms <= self._clock.now_ms() or not could_be_room_name(token.room):
            return None
        seat = await self._store.read(lambda tx: tx.seats.find(token.room, token.identity))
        if seat is None:
            return token.role
        return None if seat.is_dead(token.issued_at_ms) else seat.role_for(token.role, token.issued_at_ms)

    async def _check(self, request: LinkRequest) -> Role:
        now_ms = self._clock.now_ms()
        return await self._store.read(lambda tx: self._link_role(request, find_room(tx, request.room, now_ms)))

    def _link_role(self, request: LinkRequest, room: Room) -> Role:
        role = room.secrets.role_of(request.secret)
        if role is None:
            raise _WrongSecretError
        if self._auth.needs_login(role) and not request.logged_in:
            raise unauthenticated()
        return role

    async def _issue(self, request: TokenRequest, *, only_if_free: bool) -> str:
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> str:
            room = find_room(tx, request.room, now_ms, lock=True)
            link_role = self._link_role(request, room)
            seat = tx.seats.find(room.name, request.identity) or Seat(room.name, request.identity)
            if only_if_free and seat.reserved_until_ms > now_ms:
                raise _name_taken(request.identity)
            shown = request.shown
            same_person = (
                shown is not None
                and (shown.room, shown.identity) == (room.name, request.identity)
                and not seat.is_dead(shown.issued_at_ms)
            )
            issued_at_ms = seat.next_issue(now_ms)
            role = seat.role_for_new_token(link_role, same_person=same_person)
            tx.seats.put(replace(seat, reserved_until_ms=Millis(now_ms + RESERVATION_MS)))
            return self._tokens.sign(room, request.identity, role, issued_at_ms=issued_at_ms)

        return await self._store.write(work)

    # ── the door ──

    async def admit(
        self, room_name: str, identity: Identity, token_role: Role | None, issued_at_ms: Millis
    ) -> Admitted:
        """Decide about somebody who connects with a valid token.

        Raises NotFound when the room is over, Forbidden when the token died with a disconnect.
        """
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> tuple[Room, Seat | None]:
            room = find_room(tx, room_name, now_ms)
            return room, tx.seats.find(room.name, identity)

        room, seat = await self._store.read(work)
        if seat is not None and seat.is_dead(issued_at_ms):
            raise Forbidden("token_dead", "You were removed from this meeting", name="Participant Error")
        if token_role is None:
            return Admitted(role=None, grants=None, room_expires_at_ms=room.expires_at_ms)
        role = seat.role_for(token_role, issued_at_ms) if seat is not None else token_role
        grants = grants_for(role, chat_enabled=room.preferences.chat_enabled)
        return Admitted(role, grants, room.expires_at_ms)

    async def settle(self, room: RoomName) -> None:
        """Bring everybody in a room to what holds now, until a look finds nothing to change.

        Others change preferences and roles at the same time: who looks again after writing cannot leave old rules.
        """
        for _ in range(_LOOKS):
            changed = [await self._settled(room, one) for one in await self._media.participants(room)]
            if not any(changed):
                return

    async def settle_reported(self, room: RoomName, reported: LiveParticipant) -> None:
        """Bring somebody to what holds now. A report may be old news: what it calls for is done to who is in now."""
        if await self._rule(room, reported) != (reported.role, reported.grants):
            current = await self._media.participant(room, reported.identity)
            if current is not None:
                await self._settled(room, current)

    async def _settled(self, room: RoomName, participant: LiveParticipant) -> bool:
        """Change what does not hold for somebody who is in; False when all does."""
        role, grants = await self._rule(room, participant)
        if (role, grants) == (participant.role, participant.grants):
            return False
        if role is None or grants is None:
            _log.info("in the meeting with a dead token: removed", room=room)
            await self._media.remove(room, participant.identity)
        else:
            await self._media.set_role(room, participant, role, grants)
        return True

    async def _rule(self, room: RoomName, participant: LiveParticipant) -> tuple[Role | None, Grants | None]:
        """Tell what holds for somebody who is in; (None, None) for those who must not be."""
        if participant.role is None:
            return None, participant.grants
        try:
            admitted = await self.admit(room, participant.identity, participant.role, participant.issued_at_ms)
        except (NotFound, Forbidden):
            return None, None
        return admitted.role, admitted.grants

    # ── people in a room ──

    async def in_room(self, room_name: str) -> list[LiveParticipant]:
        """List who is in, without hidden ones."""
        room = await self._room(room_name)
        return [participant for participant in await self._media.participants(room.name) if not participant.hidden]

    async def disconnect(self, room_name: str, identity: Identity) -> None:
        """Remove somebody from a meeting; the token they came with is dead."""
        room = await self._room(room_name)
        participant = await self._somebody(room.name, identity)

        def kill(seat: Seat, now_ms: Millis) -> Seat:
            dead_before_ms = max(now_ms, participant.issued_at_ms)
            return replace(seat, dead_before_ms=dead_before_ms, reserved_until_ms=Millis(0))

        await self._change_seat(room.name, identity, kill)
        if not await self._media.remove(room.name, identity):
            raise participant_not_found(identity)

    async def change_role(self, room_name: str, identity: Identity, role: Role) -> LiveParticipant:
        """Make somebody in the room something else, at once and for when they come back."""
        room = await self._room(room_name)
        participant = await self._somebody(room.name, identity)

        def change(seat: Seat, now_ms: Millis) -> Seat:
            return replace(seat, role=role, role_changed_at_ms=max(now_ms, participant.issued_at_ms))

        await self._change_seat(room.name, identity, change)
        grants = grants_for(role, chat_enabled=room.preferences.chat_enabled)
        await self._media.set_role(room.name, participant, role, grants)
        changed = replace(participant, role=role, grants=grants)
        await self.settle_reported(room.name, changed)  # the room's rules may have changed meanwhile
        return changed

    async def mute(self, room_name: str, identity: Identity) -> None:
        """Switch off the microphone of somebody in the room; only they can switch it on again."""
        room = await self._room(room_name)
        await self._media.mute(room.name, await self._somebody(room.name, identity))

    async def left(self, room_name: RoomName, participant: LiveParticipant) -> None:
        """Free a name whose holder has gone. A report may be old news: a newer token keeps the name."""
        if not could_be_room_name(room_name):
            return
        identity, now_ms = participant.identity, self._clock.now_ms()

        def freed(seat: Seat | None) -> Seat | None:
            held = seat is not None and seat.reserved_until_ms > now_ms
            if seat is None or not held or seat.reserved_since(participant.joined_at_ms):
                return None
            return replace(seat, reserved_until_ms=Millis(0))

        if freed(await self._store.read(lambda tx: tx.seats.find(room_name, identity))) is None:
            return

        def work(tx: Transaction) -> None:
            if tx.rooms.lock(room_name) is not None:
                seat = freed(tx.seats.find(room_name, identity))
                if seat is not None:
                    tx.seats.put(seat)

        await self._store.write(work)

    async def _room(self, name: str) -> Room:
        now_ms = self._clock.now_ms()
        return await self._store.read(lambda tx: find_room(tx, name, now_ms))

    async def _somebody(self, room: RoomName, identity: Identity) -> LiveParticipant:
        participant = await self._media.participant(room, identity)
        if participant is None or participant.hidden:
            raise participant_not_found(identity)
        return participant

    async def _change_seat(self, room: RoomName, identity: Identity, change: SeatChange) -> None:
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> None:
            find_room(tx, room, now_ms, lock=True)
            tx.seats.put(change(tx.seats.find(room, identity) or Seat(room, identity), now_ms))

        await self._store.write(work)


def _wrong_link() -> Forbidden:
    return Forbidden("wrong_secret", "This link is not valid for the room", name="Room Error")


def _name_taken(identity: Identity) -> Conflict:
    return Conflict(
        "participant_exists", f"Participant '{identity}' already exists in the room", name="Participant Error"
    )
