"""The tables of the store, one repository a noun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tertulia.domain.chat import ChatMessage
from tertulia.domain.ids import Identity, MeetingId, Millis, RecordingId, RoomName, SessionId
from tertulia.domain.lobby import Guest
from tertulia.domain.participants import Membership
from tertulia.domain.recordings.recording import Lease, Recording, RecordingState
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences
from tertulia.services.ports.console import RecordingSearch, RoomSearch


@dataclass(frozen=True, slots=True)
class PageKey:
    """Where a page of a list starts: after this row, newest first."""

    created_at_ms: Millis
    id: str


class RoomRepository(Protocol):
    """Rooms, by their unique names."""

    def insert(self, room: Room) -> None:
        """Add a room."""
        ...

    def find(self, name: RoomName) -> Room | None:
        """Find a room, expired or not."""
        ...

    def lock(self, name: RoomName) -> Room | None:
        """Find a room and keep others from changing it until the transaction ends."""
        ...

    def page(self, *, now_ms: Millis, limit: int, after: PageKey | None) -> list[Room]:
        """List rooms that have not expired, newest first."""
        ...

    def search(self, wanted: RoomSearch, *, now_ms: Millis) -> list[Room]:
        """List rooms that have not expired and that are wanted, in the order that is wanted."""
        ...

    def expire(self, name: RoomName, *, now_ms: Millis) -> bool:
        """Let a room expire now; False when it has already. Its row is deleted when its meeting has ended."""
        ...

    def set_preferences(self, name: RoomName, preferences: RoomPreferences) -> None:
        """Replace the preferences of a room."""
        ...

    def set_locked(self, name: RoomName, *, locked: bool) -> None:
        """Change whether a room lets in new participants."""
        ...

    def set_secrets(self, name: RoomName, secrets: RoleSecrets) -> None:
        """Replace the secrets of a room's links."""
        ...

    def delete(self, name: RoomName) -> bool:
        """Delete a room and its memberships; False when there is none."""
        ...

    def delete_many(self, names: Sequence[RoomName]) -> None:
        """Delete rooms and their memberships."""
        ...

    def expired(self, *, now_ms: Millis, limit: int, offset: int = 0) -> list[RoomName]:
        """List rooms that have expired, the newest expiry first."""
        ...

    def next_expiry_ms(self) -> Millis | None:
        """Return when the next room expires."""
        ...


class MembershipRepository(Protocol):
    """What is kept of identities in rooms."""

    def find(self, room: RoomName, identity: Identity) -> Membership | None:
        """Find what is kept of an identity in a room."""
        ...

    def put(self, membership: Membership) -> None:
        """Insert or replace what is kept of an identity in a room."""
        ...

    def delete_idle(self, *, now_ms: Millis, older_than_ms: Millis, limit: int) -> int:
        """Delete rows that decide nothing any more: no reservation, no changed role, no token that could be valid."""
        ...


class LobbyRepository(Protocol):
    """Guests who wait to be let in."""

    def find(self, room: RoomName, identity: Identity) -> Guest | None:
        """Find the guest of that name."""
        ...

    def in_room(self, room: RoomName) -> list[Guest]:
        """List the guests of a room, whatever was decided about them, in the order in which they came."""
        ...

    def put(self, guest: Guest) -> None:
        """Insert or replace a guest."""
        ...

    def delete_idle(self, *, older_than_ms: Millis) -> None:
        """Delete guests who were last seen before that."""
        ...


class ChatRepository(Protocol):
    """Chat messages of running meetings: of a room, the newest ones within the bounds of `domain.chat`."""

    def add(self, message: ChatMessage) -> None:
        """Add a message of a room that the transaction has locked, unless its author has sent that id before."""
        ...

    def of_meeting(self, room: RoomName, meeting: MeetingId) -> list[ChatMessage]:
        """List the messages of a meeting, the oldest first."""
        ...

    def meetings(self) -> list[tuple[RoomName, MeetingId]]:
        """List the meetings that have messages."""
        ...

    def delete(self, room: RoomName, meeting: MeetingId | None = None) -> None:
        """Delete the messages of a room, or only those of one meeting."""
        ...


class RecordingRepository(Protocol):
    """Recordings in the store. A room has at most one active recording, by a partial unique index."""

    def insert(self, recording: Recording) -> bool:
        """Add a recording; False when the room has an active one already."""
        ...

    def find(self, recording_id: RecordingId) -> Recording | None:
        """Find a recording that is not marked as deleted."""
        ...

    def find_many(self, ids: Sequence[RecordingId]) -> list[Recording]:
        """Find those of some recordings that are not marked as deleted."""
        ...

    def active_in(self, room: RoomName) -> Recording | None:
        """Find the recording that occupies a room."""
        ...

    def active_in_rooms(self, rooms: Sequence[RoomName]) -> dict[RoomName, RecordingId]:
        """Find the recordings that occupy some rooms."""
        ...

    def page(self, *, room: RoomName | None, limit: int, after: PageKey | None) -> list[Recording]:
        """List recordings, of one room or of all, newest first."""
        ...

    def search(self, wanted: RecordingSearch) -> list[Recording]:
        """List the recordings that are wanted, in the order that is wanted."""
        ...

    def update(self, recording: Recording, *, only_from: frozenset[RecordingState]) -> bool:
        """Write a recording whose stored state is one of `only_from`; False when it is not."""
        ...

    def mark_deleted(self, ids: Sequence[RecordingId], *, now_ms: Millis) -> None:
        """Hide recordings from every query except `deleted`."""
        ...

    def marked_deleted(self, ids: Sequence[RecordingId]) -> list[RecordingId]:
        """Find those of some recordings that are marked as deleted, whether or not they still have a row."""
        ...

    def deleted(self, *, limit: int) -> list[Recording]:
        """List recordings that are marked as deleted and still have a row."""
        ...

    def delete(self, ids: Sequence[RecordingId]) -> None:
        """Delete the rows of recordings; the marks of those that are marked as deleted stay."""
        ...

    def delete_old_marks(self, *, before_ms: Millis) -> None:
        """Delete the marks of recordings without a row that were deleted before a time."""
        ...

    def lock(self, recording_id: RecordingId) -> Recording | None:
        """Find a recording and keep others from changing it until the transaction ends."""
        ...

    def unclaimed(self) -> bool:
        """Return whether a recording waits for a worker."""
        ...

    def claim(self, *, owner: str, until_ms: Millis) -> Recording | None:
        """Lease the oldest recording that no worker has claimed yet to an owner."""
        ...

    def take(self, recording: Recording, *, owner: str, until_ms: Millis) -> Recording:
        """Lease a recording that the transaction has locked to an owner, by a higher epoch than any before."""
        ...

    def drop_unclaimed(self, recording_id: RecordingId) -> bool:
        """Delete a recording that no worker has claimed yet; False when one was faster."""
        ...

    def stopping(self) -> list[Recording]:
        """List the running recordings whose end was requested."""
        ...

    def held(self, owner: str) -> list[Recording]:
        """List the running recordings of an owner, whether or not their leases have expired."""
        ...

    def renew(self, leases: Sequence[Lease], *, until_ms: Millis) -> None:
        """Renew leases of running recordings; those that have been lost stay as they are."""
        ...

    def held_by_others(self, owner: str) -> list[Recording]:
        """List the running recordings that are not an owner's: another's, or unclaimed."""
        ...

    def request_stop(self, *, rooms: Sequence[RoomName], now_ms: Millis, details: str) -> None:
        """Request the end of the active recordings of some rooms."""
        ...


@dataclass(frozen=True, slots=True)
class LoginSession:
    """An administrator's login. `refresh_id` names its one valid refresh token."""

    id: SessionId
    username: str
    refresh_id: str
    expires_at_ms: Millis


class AccountRepository(Protocol):
    """Hashes of credentials, and login sessions."""

    def credential(self, name: str) -> str | None:
        """Return what is stored for a credential: a hash, never the secret."""
        ...

    def lock_credential(self, name: str) -> str | None:
        """Return what is stored for a credential, and keep others from changing it until the transaction ends."""
        ...

    def add_credential(self, name: str, value: str) -> bool:
        """Store a credential; False when there is one already."""
        ...

    def put_credential(self, name: str, value: str) -> None:
        """Insert or replace what is stored for a credential."""
        ...

    def session(self, session_id: SessionId) -> LoginSession | None:
        """Find a login that was not revoked."""
        ...

    def lock_session(self, session_id: SessionId) -> LoginSession | None:
        """Find a login that was not revoked, and keep others from changing it until the transaction ends."""
        ...

    def add_session(self, session: LoginSession) -> None:
        """Add a login."""
        ...

    def prolong_session(self, session: LoginSession) -> None:
        """Change the refresh token and the end of a login; one that was revoked stays so."""
        ...

    def delete_session(self, session_id: SessionId) -> None:
        """Revoke a login."""
        ...

    def delete_sessions(self, *, but: SessionId | None = None) -> None:
        """Revoke every login, or every other one."""
        ...

    def delete_expired_sessions(self, *, now_ms: Millis) -> None:
        """Delete logins whose refresh token has expired."""
        ...


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A request's `Idempotency-Key`, scoped by path and credential, and the fingerprint of its body."""

    scope: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """What a request with an idempotency key created, and the fingerprint of its body."""

    fingerprint: str
    result: str


class IdempotencyRepository(Protocol):
    """What was created under which idempotency key."""

    def find(self, key: IdempotencyKey, *, now_ms: Millis) -> IdempotencyRecord | None:
        """Find what an earlier request with that key created, whatever its body."""
        ...

    def insert(self, key: IdempotencyKey, result: str, *, expires_at_ms: Millis) -> bool:
        """Store what a request created; False when another request with that key was faster."""
        ...

    def delete(self, key: IdempotencyKey) -> None:
        """Delete a key whose creation was taken back."""
        ...

    def delete_expired(self, *, now_ms: Millis) -> None:
        """Delete keys that have expired."""
        ...
