"""Where finished recordings are kept: a folder, S3, Google Cloud Storage or Azure, all by obstore."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import obstore
import structlog
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import AzureStore, GCSStore, LocalStore, ObjectStore, S3Store, from_url

from tertulia.adapters.resumed_copy import copy_in_parts
from tertulia.adapters.s3_upload import S3Uploads
from tertulia.errors import ConfigurationError, NotFound, Unavailable, recordings_unavailable
from tertulia.services.ports import FileReader, Files

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

_log = structlog.get_logger(__name__)
_LOGGED_CHARACTERS: Final = 300
_CHUNK_BYTES: Final = 256 * 1024
_LINK_LIFETIME: Final = timedelta(minutes=10)
_PART_BYTES: Final = 8 * 1024 * 1024
_PARTS_AT_ONCE: Final = 2
_CONTENT_TYPE: Final = {".mp4": "video/mp4", ".json": "application/json"}
_CLIENT: Final[ClientConfig] = {
    "connect_timeout": timedelta(seconds=5),
    "timeout": timedelta(seconds=60),
    "allow_http": True,  # the endpoint's scheme is the operator's choice: a store on the same host needs no TLS
}
_RETRY: Final[RetryConfig] = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
"""Short: a request is refused soon, and the worker retries what must succeed for as long as it takes."""
_BUCKETS: Final = frozenset({"s3", "gs", "az"})


@dataclass(frozen=True, slots=True)
class BlobReader(FileReader):
    """A file in a folder or a bucket."""

    store: ObjectStore
    path: str
    size_bytes: int
    etag: str
    link: str | None = None

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Stream in chunks of `_CHUNK_BYTES`: never the whole file in memory."""
        if start >= end:
            return
        found = await obstore.get_async(self.store, self.path, options={"range": (start, end)})
        async for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
            yield bytes(chunk)


class Blobs(Files):
    """Files by path, in a folder or a bucket."""

    def __init__(self, store: ObjectStore, *, redirect: bool = False) -> None:
        self._store = store
        self._uploads = S3Uploads(store.config["bucket"], store.prefix or "") if isinstance(store, S3Store) else None
        self._redirect = redirect

    async def open(self, path: str) -> BlobReader | None:
        """Raises Unavailable when the store cannot be reached."""
        try:
            meta = await obstore.head_async(self._store, path)
            link = await self._link(path)
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error
        tag = (meta.get("e_tag") or f"{meta['size']:x}-{meta['last_modified'].timestamp():.0f}").strip('"')
        return BlobReader(self._store, path, meta["size"], f'"{tag}"', link)

    async def _link(self, path: str) -> str | None:
        if not self._redirect or not isinstance(self._store, S3Store | GCSStore | AzureStore):
            return None
        return str(await obstore.sign_async(self._store, "GET", path, _LINK_LIFETIME))

    async def links_origin(self) -> str | None:
        """Return the origin of the links that clients get; None where files come from us, or it cannot be found out."""
        link = None
        try:
            link = await self._link("any")
        except BaseError as error:
            _log.warning("the page's player will not reach the bucket", reason=_first_line(error))
        return None if link is None else "{0.scheme}://{0.netloc}".format(urlsplit(link))

    async def keep(self, path: str, source: Path, *, before_part: Callable[[], Awaitable[None]]) -> bool:
        """Return when the store has confirmed the size of the file."""
        size = await asyncio.to_thread(_size, source)
        if size is None:
            raise NotFound("recording_file_not_found", f"There is no file {source}")
        target = self._file(path)
        if await asyncio.to_thread(_is_same, target, source):
            return False
        try:
            if target is not None:
                await copy_in_parts(source, target, part_bytes=_PART_BYTES, before_part=before_part)
            else:
                await self._upload(path, source, size, before_part)
            stored = await obstore.head_async(self._store, path)
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error
        if stored["size"] != size:
            raise recordings_unavailable(f"the store has {stored['size']} of {size} bytes of {path}")
        return True

    async def _upload(self, path: str, source: Path, size: int, before_part: Callable[[], Awaitable[None]]) -> None:
        if self._uploads is not None and size > _PART_BYTES:
            await self._uploads.upload(
                path,
                source,
                part_bytes=_PART_BYTES,
                content_type=_CONTENT_TYPE[source.suffix],
                before_part=before_part,
            )
            return
        await before_part()
        await obstore.put_async(
            self._store,
            path,
            source,
            attributes={"Content-Type": _CONTENT_TYPE[source.suffix]},
            use_multipart=size > _PART_BYTES,
            chunk_size=_PART_BYTES,
            max_concurrency=_PARTS_AT_ONCE,
        )

    async def is_elsewhere(self, path: str, source: Path) -> bool:
        if await asyncio.to_thread(_is_same, self._file(path), source):
            return False
        stored, size = await self.open(path), await asyncio.to_thread(_size, source)
        return stored is not None and size in {None, stored.size_bytes}

    def _file(self, path: str) -> Path | None:
        """Return where a path is on this machine's disks; None in a bucket."""
        if isinstance(self._store, LocalStore) and self._store.prefix is not None:
            return Path(self._store.prefix, path)
        return None

    async def delete(self, path: str) -> None:
        """Raises Unavailable when the store cannot be reached."""
        folder = path.rpartition("/")[0]
        if not folder:
            raise ValueError(f"{path!r} is not in a folder")
        target = self._file(folder)
        try:
            if target is not None:  # parts of copies too, which the store would not list
                await asyncio.to_thread(_remove_folder, target)
                return
            if self._uploads is not None:
                await self._uploads.abort(folder)
            found = await obstore.list(self._store, prefix=folder).collect_async()
            await obstore.delete_async(self._store, [blob["path"] for blob in found])
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error


def _is_same(stored: Path | None, source: Path) -> bool:
    with suppress(FileNotFoundError):
        return stored is not None and stored.samefile(source)
    return False


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _remove_folder(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def open_blobs(url: str, *, default_folder: Path, redirect: bool = False) -> Blobs:
    """Open the folder or bucket of a setting; `redirect`: give links into the bucket. Raises ConfigurationError."""
    scheme = url.partition("://")[0] if "://" in url else ""
    try:
        if scheme in _BUCKETS:
            return Blobs(from_url(url, client_options=_CLIENT, retry_config=_RETRY), redirect=redirect)
        folder = Path(url.removeprefix("file://")) if url else default_folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Blobs(LocalStore(folder.absolute()))
    except (BaseError, OSError, ValueError) as error:
        raise ConfigurationError(f"TERTULIA_RECORDINGS_URL: '{url}' cannot be used: {error}") from error


def _unavailable(error: Exception) -> Unavailable:
    _log.warning("recordings cannot be reached", reason=_first_line(error))
    return recordings_unavailable(type(error).__name__)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:_LOGGED_CHARACTERS]
