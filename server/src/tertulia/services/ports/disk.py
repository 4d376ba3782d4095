"""The disk of this machine."""

from __future__ import annotations

from typing import Protocol


class Disk(Protocol):
    """The disk of the data directory, and of recordings while they are made."""

    async def free_bytes(self) -> int:
        """Return how much is left; where they are two disks, of the fuller one. Raises OSError."""
        ...

    async def total_bytes(self) -> int:
        """Return how much the disk that has least left holds. Raises OSError."""
        ...
