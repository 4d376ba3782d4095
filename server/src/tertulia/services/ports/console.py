"""The tables behind the console, one repository a noun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tertulia.domain.api_keys import ApiKey
from tertulia.domain.events import Event, StoredEvent
from tertulia.domain.ids import ApiKeyId, Millis, RoomName
from tertulia.domain.insight import Step
from tertulia.domain.recordings.recording import RecordingState


@dataclass(frozen=True, slots=True)
class SortKey:
    """Where a page of a sorted list starts: after the row with this value of what it is sorted by, and this id."""

    value: int | float | str
    id: str


class RoomOrder(StrEnum):
    """What rooms are sorted by."""

    CREATED = "created"
    NAME = "name"
    EXPIRES = "expires"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSearch:
    """Which rooms are wanted: those with `text` in their names or prefixes, and of `names` if those are given."""

    text: str = ""
    names: Sequence[RoomName] | None = None
    order: RoomOrder = RoomOrder.CREATED
    descending: bool = True
    limit: int = 100
    after: SortKey | None = None


class RecordingOrder(StrEnum):
    """What recordings are sorted by."""

    CREATED = "created"
    DURATION = "duration"
    SIZE = "size"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSearch:
    """Which recordings are wanted: those with `text` in their ids, which begin with the room's name."""

    text: str = ""
    states: frozenset[RecordingState] = frozenset(RecordingState)
    order: RecordingOrder = RecordingOrder.CREATED
    descending: bool = True
    limit: int = 100
    after: SortKey | None = None


class EventRepository(Protocol):
    """The history of what changed, of which the end is kept."""

    def add(self, event: Event) -> None:
        """Add an event; it counts when the transaction is committed."""
        ...

    def after(self, event_id: int, *, limit: int) -> list[StoredEvent]:
        """List events with higher ids, the oldest first. A lower one may still come: its transaction was longer."""
        ...

    def newest(self, *, limit: int) -> list[StoredEvent]:
        """List the newest events, the oldest of them first."""
        ...

    def forget_all_but(self, *, newest: int) -> None:
        """Delete all but about so many of the newest events."""
        ...


class SettingRepository(Protocol):
    """Settings that were changed while servers run: JSON by name."""

    def all(self) -> Mapping[str, str]:
        """Return all that are stored."""
        ...

    def find(self, name: str) -> str | None:
        """Return one; None when what is configured counts."""
        ...

    def put(self, name: str, value: str) -> None:
        """Insert or replace one."""
        ...

    def delete(self, name: str) -> None:
        """Forget one; it need not be there."""
        ...


class ApiKeyRepository(Protocol):
    """The keys of applications."""

    def all(self) -> list[ApiKey]:
        """List what is kept, the oldest first."""
        ...

    def lock(self, key_id: ApiKeyId) -> ApiKey | None:
        """Find one, and keep others from changing it until the transaction ends."""
        ...

    def put(self, key: ApiKey) -> None:
        """Insert or replace one."""
        ...

    def delete(self, key_id: ApiKeyId) -> None:
        """Delete one; it need not be there."""
        ...

    def note_use(self, key_id: ApiKeyId, *, now_ms: Millis, older_than_ms: Millis) -> None:
        """Write when a key was last used, unless another server has written it since `older_than_ms`."""
        ...


class InsightRepository(Protocol):
    """How much went on: fine steps of each server, which become coarse steps of all."""

    def add(self, source: str, step: Step) -> None:
        """Add to a server's fine step, with which it begins if it is not there."""
        ...

    def fine(self, *, since_ms: Millis) -> list[Step]:
        """List the fine steps of all servers from an instant on, in any order."""
        ...

    def take_fine(self, *, before_ms: Millis) -> list[Step]:
        """Delete the fine steps of all servers before an instant, and list them: each is given to one caller."""
        ...

    def add_coarse(self, step: Step) -> None:
        """Add to a coarse step, with which it begins if it is not there."""
        ...

    def coarse(self, *, since_ms: Millis) -> list[Step]:
        """List the coarse steps from an instant on, in order."""
        ...

    def forget_coarse(self, *, before_ms: Millis) -> None:
        """Delete the coarse steps before an instant."""
        ...
