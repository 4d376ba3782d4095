"""Participants: their tokens, and what a moderator does with them in a meeting.

The media server knows who is connected; the store keeps what must outlive a connection (`Membership`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from tertulia.domain.access import Role, grants_for
from tertulia.domain.addresses import address_key
from tertulia.domain.events import EventKind, participant_event
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.participants import RESERVATION_MS, LiveParticipant, Membership
from tertulia.domain.rooms import Room, could_be_room_name
from tertulia.errors import (
    Conflict,
    Forbidden,
    NotFound,
    TertuliaError,
    forbidden,
    name_taken,
    participant_not_found,
    room_not_found,
    unauthenticated,
)
from tertulia.services.admission import AdmissionService
from tertulia.services.events import EventLog
from tertulia.services.lobby import check_admitted
from tertulia.services.ports import Clock, MediaServerClient, Store, Transaction
from tertulia.services.rate_limits import RateLimit
from tertulia.services.rooms import find_room
from tertulia.services.tokens import ParticipantToken, ParticipantTokens

_WRONG_SECRETS: Final = 30
_WRONG_SECRETS_WINDOW_MS: Final = 60_000
MembershipChange = Callable[[Membership, Millis], Membership]


class ParticipantAuth(StrEnum):
    """Whose token request also needs a login."""

    NONE = "none"
    MODERATORS_ONLY = "moderators_only"
    ALL_USERS = "all_users"

    def needs_login(self, role: Role) -> bool:
        """Return whether a client that joins with that role must be logged in."""
        return self is ParticipantAuth.ALL_USERS or (self is ParticipantAuth.MODERATORS_ONLY and role is Role.MODERATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """A link that a client follows: a room and a secret."""

    room: str
    secret: str
    logged_in: bool = False
    address: str = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest(LinkRequest):
    """A request to join under a name. `presented_token` is a participant token that came with it."""

    identity: Identity
    presented_token: ParticipantToken | None = None
    lobby_ticket: str | None = None

    @property
    def own_token(self) -> ParticipantToken | None:
        """The presented token if it is one of the same room and identity, valid or not."""
        token = self.presented_token
        same = token is not None and (token.room, token.identity) == (self.room, self.identity)
        return token if same else None


class _WrongSecretError(Exception):
    """The room exists; the secret is none of its three."""


class _UnknownRoomError(Exception):
    """There is no such room (any more)."""


class ParticipantService:
    """Issues tokens for links, and changes participants of running meetings. `auth` says who must be logged in now."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        media: MediaServerClient,
        admission: AdmissionService,
        tokens: ParticipantTokens,
        auth: Callable[[], ParticipantAuth],
        events: EventLog,
    ) -> None:
        self._store = store
        self._clock = clock
        self._media = media
        self._admission = admission
        self._tokens = tokens
        self._auth = auth
        self._events = events
        self._wrong_secrets = RateLimit(count=_WRONG_SECRETS, window_ms=_WRONG_SECRETS_WINDOW_MS)

    # ── links and tokens ──

    async def role_of_link(self, request: LinkRequest) -> Role:
        """Return the role that a link gives. Raises Forbidden for a wrong secret."""
        with self._limit_wrong_secrets(request, _wrong_link()):
            return await self._check_link(request)

    async def token(self, request: TokenRequest) -> str:
        """Issue a token. A taken identity is not an error: the newer connection replaces the older one."""
        with self._limit_wrong_secrets(request, room_not_found(request.room)):
            return await self._issue(request, only_if_free=False)

    async def token_if_free(self, request: TokenRequest) -> str:
        """Issue a token. Raises Conflict when another participant of the room has the identity."""
        with self._limit_wrong_secrets(request, _wrong_link()):
            await self._check_link(request)
            presents_token = await self._presents_valid_token(request)
            if not presents_token and await self._is_connected(request):
                raise name_taken(request.identity)
            return await self._issue(request, only_if_free=not presents_token)

    async def refreshed_token(self, request: TokenRequest) -> str:
        """Issue a new token to a connected participant whose own has expired."""
        with self._limit_wrong_secrets(request, _wrong_link()):
            await self._check_link(request)
            if await self._presents_valid_token(request):
                raise Conflict("token_still_valid", "Participant token is still valid", name="Participant Error")
            if not await self._is_connected(request):
                raise participant_not_found(request.identity)
            if request.own_token is None:
                raise forbidden()
            return await self._issue(request, only_if_free=False)

    @contextmanager
    def _limit_wrong_secrets(self, request: LinkRequest, refusal: TertuliaError) -> Iterator[None]:
        """Refuse a wrong secret the way the base path wants it, and tell an address with too many wrong tries nothing.

        A right secret is always let in: it has 192 bits, and a whole office may share the guesser's address. Unknown
        rooms count as wrong tries, so that the limit does not tell which rooms exist.
        """
        try:
            yield
        except _WrongSecretError:
            self._count_wrong_try(request.address)
            raise refusal from None
        except _UnknownRoomError:
            self._count_wrong_try(request.address)
            raise room_not_found(request.room) from None

    def _count_wrong_try(self, address: str) -> None:
        key, now_ms = address_key(address), self._clock.now_ms()
        self._wrong_secrets.check(key, now_ms=now_ms)
        self._wrong_secrets.count(key, now_ms=now_ms)

    async def _presents_valid_token(self, request: TokenRequest) -> bool:
        token = request.own_token
        return token is not None and await self.role_of_token(token) is not None

    async def _is_connected(self, request: TokenRequest) -> bool:
        return await self._media.participant(RoomName(request.room), request.identity) is not None

    async def role_of_token(self, token: ParticipantToken) -> Role | None:
        """Return the current role of a token's holder; None when it expired, was revoked, or lost its room."""
        if token.expires_at_ms <= self._clock.now_ms():
            return None
        try:
            return await self._unrevoked_role(token)
        except NotFound:  # memberships are deleted with their room: without it, nothing says who was disconnected
            return None

    async def may_refresh(self, token: ParticipantToken) -> bool:
        """Return whether a token, expired or not, may ask for a new one.

        A token that ran out with its room may: the refusal is then that the room is gone.
        """
        try:
            return await self._unrevoked_role(token) is not None
        except NotFound:
            return token.expires_at_ms <= self._clock.now_ms()

    async def _unrevoked_role(self, token: ParticipantToken) -> Role | None:
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> Role | None:
            membership = tx.memberships.find(find_room(tx, token.room, now_ms).name, token.identity)
            if membership is None:
                return token.role
            revoked = membership.revokes(token.issued_at_ms)
            return None if revoked else membership.role_for(token.role, token.issued_at_ms)

        return await self._store.read(work)

    async def _check_link(self, request: LinkRequest) -> Role:
        now_ms = self._clock.now_ms()
        return await self._store.read(lambda tx: self._link_role(request, self._linked_room(tx, request, now_ms)))

    def _linked_room(self, tx: Transaction, request: LinkRequest, now_ms: Millis, *, lock: bool = False) -> Room:
        try:
            return find_room(tx, request.room, now_ms, lock=lock)
        except NotFound:
            raise _UnknownRoomError from None

    def _link_role(self, request: LinkRequest, room: Room) -> Role:
        role = room.secrets.role_of(request.secret)
        if role is None:
            raise _WrongSecretError
        if self._auth().needs_login(role) and not request.logged_in:
            raise unauthenticated()
        return role

    async def _issue(self, request: TokenRequest, *, only_if_free: bool) -> str:
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> str:
            room = self._linked_room(tx, request, now_ms, lock=True)
            link_role = self._link_role(request, room)
            membership = _membership(tx, room.name, request.identity)
            if only_if_free and membership.reserved_until_ms > now_ms:
                raise name_taken(request.identity)
            own_token = request.own_token
            presents_token = own_token is not None and not membership.revokes(own_token.issued_at_ms)
            if room.locked and not presents_token and link_role is not Role.MODERATOR:
                raise Forbidden("room_locked", "The room is locked: a moderator can open it", name="Room Error")
            if not presents_token:
                check_admitted(tx, room, membership, link_role, ticket=request.lobby_ticket)
            role = membership.role_for_new_token(link_role, presents_token=presents_token)
            tx.memberships.put(replace(membership, reserved_until_ms=Millis(now_ms + RESERVATION_MS)))
            issued_at_ms = membership.next_issued_at_ms(now_ms)
            return self._tokens.sign(room, request.identity, role, issued_at_ms=issued_at_ms)

        return await self._store.write(work)

    # ── participants of a meeting ──

    async def find(self, room_name: str, identity: Identity) -> LiveParticipant:
        """Return a connected participant. Raises NotFound, for hidden ones too."""
        room = await self._room(room_name)
        return await self._connected(room.name, identity)

    async def in_room(self, room_name: str) -> list[LiveParticipant]:
        """List the connected participants, without hidden ones."""
        room = await self._room(room_name)
        return [participant for participant in await self._media.participants(room.name) if not participant.hidden]

    async def disconnect(self, room_name: str, identity: Identity) -> None:
        """Remove a participant from a meeting and revoke the token that it joined with."""
        room = await self._room(room_name)
        participant = await self._connected(room.name, identity)

        def revoke(membership: Membership, now_ms: Millis) -> Membership:
            revoked_until_ms = max(now_ms, participant.issued_at_ms)
            return replace(membership, tokens_revoked_until_ms=revoked_until_ms, reserved_until_ms=Millis(0))

        await self._change_membership(room.name, identity, revoke)
        if not await self._media.remove(room.name, identity):
            raise participant_not_found(identity)

    async def change_role(self, room_name: str, identity: Identity, role: Role) -> LiveParticipant:
        """Change a participant's role, at once and for its next joins."""
        room = await self._room(room_name)
        participant = await self._connected(room.name, identity)

        def change(membership: Membership, now_ms: Millis) -> Membership:
            return replace(membership, role=role, role_changed_at_ms=max(now_ms, participant.issued_at_ms))

        await self._change_membership(room.name, identity, change)
        grants = grants_for(role, chat_enabled=room.preferences.chat_enabled)
        await self._media.set_role(room.name, participant, role, grants)
        changed = replace(participant, role=role, grants=grants)
        self.note_change(room.name, identity, role=role)
        await self._admission.enforce_reported(room.name, changed)  # the room's rules may have changed meanwhile
        return changed

    async def mute(self, room_name: str, identity: Identity) -> None:
        """Mute a participant's microphone; only the participant can unmute it."""
        participant = await self.find(room_name, identity)
        await self._media.mute(RoomName(room_name), participant)
        self.note_change(RoomName(room_name), identity)

    def note_change(self, room: RoomName, identity: Identity, *, role: Role | None = None) -> None:
        """Tell administrators that a participant is not as before."""
        self._events.note(participant_event(EventKind.PARTICIPANT_CHANGED, room, identity, role=role))

    async def left(self, room_name: RoomName, participant: LiveParticipant) -> None:
        """Release an identity whose holder has left. A report may be late: a newer token keeps the identity."""
        if not could_be_room_name(room_name):
            return
        identity, now_ms = participant.identity, self._clock.now_ms()

        def released(membership: Membership | None) -> Membership | None:
            if membership is None or membership.reserved_until_ms <= now_ms:
                return None
            if membership.reserved_since(participant.joined_at_ms):
                return None
            return replace(membership, reserved_until_ms=Millis(0))

        if released(await self._store.read(lambda tx: tx.memberships.find(room_name, identity))) is None:
            return

        def work(tx: Transaction) -> None:
            if tx.rooms.lock(room_name) is not None:
                membership = released(tx.memberships.find(room_name, identity))
                if membership is not None:
                    tx.memberships.put(membership)

        await self._store.write(work)

    async def _room(self, name: str) -> Room:
        now_ms = self._clock.now_ms()
        return await self._store.read(lambda tx: find_room(tx, name, now_ms))

    async def _connected(self, room: RoomName, identity: Identity) -> LiveParticipant:
        participant = await self._media.participant(room, identity)
        if participant is None or participant.hidden:
            raise participant_not_found(identity)
        return participant

    async def _change_membership(self, room: RoomName, identity: Identity, change: MembershipChange) -> None:
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> None:
            find_room(tx, room, now_ms, lock=True)
            tx.memberships.put(change(_membership(tx, room, identity), now_ms))

        await self._store.write(work)


def _membership(tx: Transaction, room: RoomName, identity: Identity) -> Membership:
    return tx.memberships.find(room, identity) or Membership(room, identity)


def _wrong_link() -> Forbidden:
    return Forbidden("wrong_secret", "This link is not valid for the room", name="Room Error")
