"""The store: transactions over the repositories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from tertulia.domain.ids import Millis
from tertulia.services.ports.console import ApiKeyRepository, EventRepository, InsightRepository, SettingRepository
from tertulia.services.ports.repositories import (
    AccountRepository,
    ChatRepository,
    IdempotencyRepository,
    LobbyRepository,
    MembershipRepository,
    RecordingRepository,
    RoomRepository,
)

T = TypeVar("T")


class Transaction(Protocol):
    """The repositories inside one transaction."""

    def now_ms(self) -> Millis:
        """Return the database's time, which all servers and workers share, however their own clocks differ."""
        ...

    @property
    def rooms(self) -> RoomRepository:
        """Rooms."""
        ...

    @property
    def memberships(self) -> MembershipRepository:
        """What is kept of identities in rooms."""
        ...

    @property
    def lobby(self) -> LobbyRepository:
        """Guests who wait to be let in."""
        ...

    @property
    def chat(self) -> ChatRepository:
        """Chat messages of running meetings."""
        ...

    @property
    def recordings(self) -> RecordingRepository:
        """Recordings."""
        ...

    @property
    def accounts(self) -> AccountRepository:
        """Credentials and login sessions."""
        ...

    @property
    def idempotency(self) -> IdempotencyRepository:
        """Idempotency keys."""
        ...

    @property
    def events(self) -> EventRepository:
        """The history of what changed."""
        ...

    @property
    def settings(self) -> SettingRepository:
        """Settings that were changed while servers run."""
        ...

    @property
    def api_keys(self) -> ApiKeyRepository:
        """Keys of applications."""
        ...

    @property
    def insight(self) -> InsightRepository:
        """How much went on, by steps of time."""
        ...


class Store(Protocol):
    """Runs functions as transactions. What a function raises rolls its transaction back and reaches the caller."""

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run a function that only reads."""
        ...

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run a function that writes; when this returns, what it wrote survives a crash."""
        ...

    async def check(self) -> None:
        """Raise Unavailable unless the database can be written right now."""
        ...
