"""Where finished recordings are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol


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
