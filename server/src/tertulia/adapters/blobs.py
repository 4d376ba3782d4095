"""Where finished recordings are kept: a folder, S3, Google Cloud Storage or Azure, all by obstore."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from tertulia.errors import ConfigurationError, Unavailable

_CHUNK_BYTES: Final = 256 * 1024
_BUCKETS: Final = frozenset({"s3", "gs", "az"})


@dataclass(frozen=True, slots=True)
class BlobReader:
    """A stored file."""

    store: ObjectStore
    path: str
    size_bytes: int
    etag: str

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Stream the bytes from `start` up to, not including, `end`; never the whole file in memory."""
        if start >= end:
            return
        found = await obstore.get_async(self.store, self.path, options={"range": (start, end)})
        async for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
            yield bytes(chunk)


class Blobs:
    """Files by path, in a folder or a bucket."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def open(self, path: str) -> BlobReader | None:
        """Find a file. Raises Unavailable when the store cannot be asked."""
        try:
            meta = await obstore.head_async(self._store, path)
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error
        tag = (meta.get("e_tag") or f"{meta['size']:x}-{meta['last_modified'].timestamp():.0f}").strip('"')
        return BlobReader(self._store, path, meta["size"], f'"{tag}"')

    async def delete(self, path: str) -> None:
        """Delete a file and what else is in its folder. Raises Unavailable."""
        folder = path.rpartition("/")[0]
        try:
            found = await obstore.list(self._store, prefix=folder).collect_async()
            await obstore.delete_async(self._store, [one["path"] for one in found])
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error
        if isinstance(self._store, LocalStore) and self._store.prefix is not None:
            await asyncio.to_thread(_remove_folder, Path(self._store.prefix, folder))


def _remove_folder(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def open_blobs(url: str, *, default_folder: Path) -> Blobs:
    """Open the place that a setting names. Raises ConfigurationError."""
    scheme = url.partition("://")[0] if "://" in url else ""
    try:
        if scheme in _BUCKETS:
            return Blobs(from_url(url))
        folder = Path(url.removeprefix("file://")) if url else default_folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Blobs(LocalStore(folder.absolute()))
    except (BaseError, OSError, ValueError) as error:
        raise ConfigurationError(f"TERTULIA_RECORDINGS_URL: '{url}' cannot be used: {error}") from error


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable("recordings_unavailable", f"The recordings cannot be reached right now: {type(error).__name__}")
