"""The time."""

from __future__ import annotations

from typing import Protocol

from tertulia.domain.ids import Millis


class Clock(Protocol):
    """The wall clock."""

    def now_ms(self) -> Millis:
        """Return the time."""
        ...
