"""The tables of the store, one repository a noun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tertulia.domain.ids import Identity, Millis, RecordingId, RoomName, SessionId
from tertulia.domain.participants import Seat
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences


@dataclass(frozen=True, slots=True)
class PageKey:
    """Where a page of a list starts: after this row, newest first."""

    created_at_ms: Millis
    id: str


class RoomRepository(Protocol):
    """Rooms in the store. A room's name is unique for ever while it exists."""

    def insert(self, room: Room) -> None: ...  # noqa: D102
    def find(self, name: RoomName) -> Room | None: ...  # noqa: D102
    def lock(self, name: RoomName) -> Room | None:
        """Find a room and keep others from changing it until the transaction ends."""
        ...

    def page(self, *, now_ms: Millis, limit: int, after: PageKey | None) -> list[Room]:
        """List rooms that have not expired, newest first."""
        ...

    def expire(self, name: RoomName, *, now_ms: Millis) -> bool:
        """End a room's time now; False when it is over already. What is left of it goes when its meeting has ended."""
        ...

    def set_preferences(self, name: RoomName, preferences: RoomPreferences) -> None: ...  # noqa: D102
    def set_secrets(self, name: RoomName, secrets: RoleSecrets) -> None: ...  # noqa: D102
    def delete(self, name: RoomName) -> bool: ...  # noqa: D102
    def expired(self, *, now_ms: Millis, limit: int) -> list[RoomName]: ...  # noqa: D102
    def next_expiry_ms(self) -> Millis | None: ...  # noqa: D102


class SeatRepository(Protocol):
    """What is kept about names in rooms."""

    def find(self, room: RoomName, identity: Identity) -> Seat | None: ...  # noqa: D102
    def put(self, seat: Seat) -> None: ...  # noqa: D102
    def forget_idle(self, *, now_ms: Millis, older_than_ms: Millis, limit: int) -> int:
        """Drop rows that decide nothing any more: no reservation, no changed role, no token that could be alive."""
        ...


class RecordingRepository(Protocol):
    """Recordings in the store. A room has at most one active recording, by a partial unique index."""

    def insert(self, recording: Recording) -> bool:
        """Add a recording; False when the room has an active one already."""
        ...

    def find(self, recording_id: RecordingId) -> Recording | None: ...  # noqa: D102
    def find_many(self, ids: Sequence[RecordingId]) -> list[Recording]: ...  # noqa: D102
    def active_in(self, room: RoomName) -> Recording | None: ...  # noqa: D102
    def page(self, *, room: RoomName | None, limit: int, after: PageKey | None) -> list[Recording]: ...  # noqa: D102
    def update(self, recording: Recording, *, only_from: frozenset[RecordingState]) -> bool:
        """Write a recording whose stored state is one of `only_from`; False when it is not."""
        ...

    def mark_deleted(self, ids: Sequence[RecordingId], *, now_ms: Millis) -> None:
        """Hide recordings from every query except `deleted`."""
        ...

    def deleted(self, *, limit: int) -> list[Recording]:
        """List recordings that are marked as deleted and still have a row."""
        ...

    def delete(self, ids: Sequence[RecordingId]) -> None: ...  # noqa: D102
    def lock(self, recording_id: RecordingId) -> Recording | None:
        """Find a recording and keep others from changing it until the transaction ends."""
        ...

    def unclaimed(self) -> bool:
        """Return whether a recording waits for a worker."""
        ...

    def claim(self, *, owner: str, until_ms: Millis) -> Recording | None:
        """Lease the oldest recording that no worker has claimed yet to an owner."""
        ...

    def drop_unclaimed(self, recording_id: RecordingId) -> bool:
        """Delete a recording that no worker has claimed yet; False when one was faster."""
        ...

    def held(self, owner: str) -> list[Recording]:
        """List the running recordings of an owner, whether or not their leases have expired."""
        ...

    def renew(self, *, owner: str, until_ms: Millis) -> None:
        """Renew the leases of an owner's running recordings."""
        ...

    def held_by_others(self, owner: str) -> list[Recording]:
        """List the running recordings that are not an owner's: another's, or unclaimed."""
        ...

    def request_stop(self, *, room: RoomName, now_ms: Millis, details: str) -> None:
        """Request the end of the room's active recording, if there is one."""
        ...


@dataclass(frozen=True, slots=True)
class LoginSession:
    """A login. `refresh_id` names the one refresh token that is alive."""

    id: SessionId
    username: str
    refresh_id: str
    expires_at_ms: Millis


class AccountRepository(Protocol):
    """Hashes of credentials, and the sessions of the console."""

    def credential(self, name: str) -> str | None: ...  # noqa: D102
    def put_credential(self, name: str, value: str) -> None: ...  # noqa: D102
    def session(self, session_id: SessionId) -> LoginSession | None: ...  # noqa: D102
    def put_session(self, session: LoginSession) -> None: ...  # noqa: D102
    def delete_session(self, session_id: SessionId) -> None: ...  # noqa: D102
    def delete_sessions(self) -> None: ...  # noqa: D102
    def forget_expired(self, *, now_ms: Millis) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """An `Idempotency-Key` as it counts: scoped by path and credential, bound to one body."""

    scope: str
    key: str
    fingerprint: str


class IdempotencyKeyRepository(Protocol):
    """What was created under which key, for a day."""

    def find(self, once: IdempotencyKey, *, now_ms: Millis) -> tuple[str, str] | None:
        """Return (fingerprint, result) of an earlier request with that key."""
        ...

    def put(self, once: IdempotencyKey, result: str, *, expires_at_ms: Millis) -> bool:
        """Remember what a request created; False when another request with that key was faster."""
        ...

    def forget(self, once: IdempotencyKey) -> None:
        """Drop a key whose creation was taken back."""
        ...

    def forget_expired(self, *, now_ms: Millis) -> None: ...  # noqa: D102
