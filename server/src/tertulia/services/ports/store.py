"""The store: transactions over the repositories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from tertulia.services.ports.repositories import (
    AccountRepository,
    IdempotencyKeyRepository,
    RecordingRepository,
    RoomRepository,
    SeatRepository,
)

T = TypeVar("T")


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
