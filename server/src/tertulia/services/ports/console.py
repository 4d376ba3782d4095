"""The tables behind the console, one repository a noun."""

from __future__ import annotations

from typing import Protocol

from tertulia.domain.events import Event, StoredEvent


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
