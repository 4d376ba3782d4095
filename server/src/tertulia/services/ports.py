"""What services need from outside: the store, the media server, files, the clock.

Store: runs a function as one transaction. Transaction: the tables, by noun. MediaServerClient: the live state, which
belongs to it alone. The rest is small.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from tertulia.domain.access import Grants, Role
from tertulia.domain.ids import Identity, Millis, RecordingId, RoomName, SessionId
from tertulia.domain.participants import LiveParticipant, Seat
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences
from tertulia_recorder.job import RecorderJob, RecorderState

T = TypeVar("T")


class Clock(Protocol):
    """The wall clock."""

    def now_ms(self) -> Millis:
        """Tell the time."""
        ...


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
    """Recordings in the store. At most one active recording a room: a partial unique index holds it."""

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
        """Let recordings be found by nobody any more but `deleted`."""
        ...

    def deleted(self, *, limit: int) -> list[Recording]:
        """List what is marked as deleted and still has a row."""
        ...

    def delete(self, ids: Sequence[RecordingId]) -> None: ...  # noqa: D102
    def lock(self, recording_id: RecordingId) -> Recording | None:
        """Find a recording and keep others from changing it until the transaction ends."""
        ...

    def unclaimed(self) -> bool:
        """Tell whether a recording waits for a worker."""
        ...

    def claim(self, *, owner: str, until_ms: Millis) -> Recording | None:
        """Take the oldest recording that no worker has had yet; it is the owner's from now on."""
        ...

    def drop_unclaimed(self, recording_id: RecordingId) -> bool:
        """Take back a recording that no worker has had yet; False when one was faster."""
        ...

    def held(self, owner: str) -> list[Recording]:
        """List what runs and is an owner's, whether or not its lease has run out."""
        ...

    def renew(self, *, owner: str, until_ms: Millis) -> None:
        """Keep the leases of all that an owner runs."""
        ...

    def held_by_others(self, owner: str) -> list[Recording]:
        """List what runs by its row and is not an owner's: another's, or nobody's yet."""
        ...

    def request_stop(self, *, room: RoomName, now_ms: Millis, details: str) -> None:
        """Ask that the room's active recording, if any, is brought to its end."""
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


class Transaction(Protocol):
    """The tables inside one transaction."""

    @property
    def rooms(self) -> RoomRepository: ...  # noqa: D102
    @property
    def seats(self) -> SeatRepository: ...  # noqa: D102
    @property
    def recordings(self) -> RecordingRepository: ...  # noqa: D102
    @property
    def accounts(self) -> AccountRepository: ...  # noqa: D102
    @property
    def idempotency(self) -> IdempotencyKeyRepository: ...  # noqa: D102


class Store(Protocol):
    """Runs functions as transactions. What a function raises rolls its transaction back and reaches the caller."""

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run a function that only reads."""
        ...

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run a function that writes; when this returns, what it wrote survives a crash."""
        ...


class MediaServerClient(Protocol):
    """The media server by its public API. Raises `Unavailable` when it cannot be reached."""

    async def rooms(self) -> list[RoomName]:
        """List the rooms that live right now."""
        ...

    async def participants(self, room: RoomName) -> list[LiveParticipant]:
        """List who is in, hidden participants too; nobody when the room does not live."""
        ...

    async def participant(self, room: RoomName, identity: Identity) -> LiveParticipant | None:
        """Look for one participant."""
        ...

    async def remove(self, room: RoomName, identity: Identity) -> bool:
        """Disconnect somebody; False when nobody of that name is in."""
        ...

    async def end(self, room: RoomName) -> None:
        """Tell everybody and disconnect them; a room that does not live is no error."""
        ...

    async def set_role(self, room: RoomName, participant: LiveParticipant, role: Role, grants: Grants) -> None:
        """Change what somebody may do, at once; somebody who has just left is no error."""
        ...

    async def mute(self, room: RoomName, participant: LiveParticipant) -> None:
        """Switch off somebody's microphone; somebody who has just left is no error."""
        ...


class FileReader(Protocol):
    """A finished file that can be read in pieces."""

    @property
    def size_bytes(self) -> int: ...  # noqa: D102
    @property
    def etag(self) -> str: ...  # noqa: D102
    @property
    def link(self) -> str | None:
        """Tell where a client may read the file itself, for some minutes; None when it has to be read through us."""
        ...

    def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Stream the bytes from `start` up to, not including, `end`."""
        ...


class Files(Protocol):
    """Where finished recordings are kept: a folder or a bucket."""

    async def open(self, path: str) -> FileReader | None:
        """Find a file."""
        ...

    async def keep(self, path: str, source: Path) -> bool:
        """Store a file of this machine; returns when the store has confirmed all of it.

        Raises Unavailable, and NotFound when there is no such file. True when `source` is not needed any more; False
        when it is itself the stored file.
        """
        ...

    async def is_elsewhere(self, path: str, source: Path) -> bool:
        """Tell whether the store has all of a file, and not in `source`. Raises Unavailable."""
        ...

    async def delete(self, path: str) -> None:
        """Delete a file and what else is in its folder; one that is gone is no error."""
        ...


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """What is known of a recorder from outside: its folder, its process, and the state that it wrote last."""

    exists: bool
    is_alive: bool
    state: RecorderState | None


class Recorders(Protocol):
    """The recorder processes of this machine, one for each recording, each with a folder. They outlive the server."""

    def folder(self, recording_id: RecordingId) -> Path:
        """Return the folder in which a recording is made."""
        ...

    async def start(self, job: RecorderJob, token: str) -> None:
        """Make the folder and start the recorder. Raises Unavailable."""
        ...

    async def status(self, recording_id: RecordingId) -> RecorderStatus:
        """Return whether a recorder lives, and its last state."""
        ...

    async def request_stop(self, recording_id: RecordingId) -> None:
        """Ask a recorder to finish its file; one that has exited is not an error."""
        ...

    async def kill(self, recording_id: RecordingId) -> None:
        """Kill a recorder that does not answer; `recover` finishes its file."""
        ...

    async def recover(self, recording_id: RecordingId) -> RecorderState | None:
        """Finish the file that a recorder left; None when it left nothing at all. Raises Unavailable on failure."""
        ...

    async def log_tail(self, recording_id: RecordingId) -> str:
        """Return the end of a recorder's log."""
        ...

    async def delete_folder(self, recording_id: RecordingId) -> None:
        """Delete a recording's folder with all that is in it."""
        ...

    async def recording_ids(self) -> list[RecordingId]:
        """List the recordings that have a folder on this machine."""
        ...

    async def free_bytes(self) -> int:
        """Return how much space is left on the disk of the folders."""
        ...
