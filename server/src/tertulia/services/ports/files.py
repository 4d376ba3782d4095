"""Where finished recordings are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Protocol


class FileReader(Protocol):
    """A finished file that can be read in pieces."""

    @property
    def size_bytes(self) -> int:
        """The file's size."""
        ...

    @property
    def etag(self) -> str:
        """The file's entity tag, in quotes (RFC 9110, section 8.8.3)."""
        ...

    @property
    def link(self) -> str | None:
        """A URL where a client may read the file itself, for some minutes; None when it has to be read through us."""
        ...

    def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Stream the bytes from `start` up to, not including, `end`."""
        ...


class Files(Protocol):
    """Where finished recordings are kept: a folder or a bucket."""

    async def open(self, path: str) -> FileReader | None:
        """Find a file."""
        ...

    async def keep(self, path: str, source: Path, *, before_part: Callable[[], Awaitable[None]]) -> bool:
        """Store a file of this machine, in parts; return when the store has confirmed all of it.

        A call after one that failed goes on where that one stopped. What `before_part` raises ends the call.
        Raises Unavailable, and NotFound when there is no such file. True when `source` is not needed any more; False
        when it is itself the stored file.
        """
        ...

    async def is_elsewhere(self, path: str, source: Path) -> bool:
        """Return whether the store has all of a file, and not in `source`. Raises Unavailable."""
        ...

    async def delete(self, path: str) -> None:
        """Delete a file and what else is in its folder, parts included; one that does not exist is not an error.

        Raises Unavailable.
        """
        ...
