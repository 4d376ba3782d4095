"""Copying a large file into another folder in parts, so that a copy that was cut off goes on where it stopped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_MARK: Final = ".part"


async def copy_in_parts(
    source: Path, target: Path, *, part_bytes: int, before_part: Callable[[], Awaitable[None]]
) -> None:
    """Copy a file that does not change any more; the target appears when it is whole and on the disk. Raises OSError.

    What is copied so far is beside the target, under a name that only the same source has.
    """
    size, partial = await asyncio.to_thread(_prepare, source, target)
    # the last part may be of an instant before a power cut: its size was written then, and perhaps not its content
    done = max(0, (await asyncio.to_thread(_size, partial) // part_bytes - 1) * part_bytes)
    while done < size:
        await before_part()
        done += await asyncio.to_thread(_copy_part, source, partial, done, part_bytes)
    await before_part()
    await asyncio.to_thread(_publish, partial, target)


def _prepare(source: Path, target: Path) -> tuple[int, Path]:
    found = source.stat()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{found.st_size:x}-{found.st_mtime_ns:x}{_MARK}")
    for other in target.parent.glob(f".{target.name}.*{_MARK}"):
        if other != partial:
            other.unlink(missing_ok=True)
    return found.st_size, partial


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _copy_part(source: Path, partial: Path, start: int, length: int) -> int:
    with source.open("rb") as reading, partial.open("r+b" if partial.exists() else "wb") as writing:
        reading.seek(start)
        content = reading.read(length)
        writing.seek(start)
        writing.write(content)
        writing.truncate()
        writing.flush()
        os.fsync(writing.fileno())
    if not content:
        raise OSError(f"{source} has become shorter")
    return len(content)


def _publish(partial: Path, target: Path) -> None:
    partial.touch()  # a source without content has no parts
    partial.replace(target)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
