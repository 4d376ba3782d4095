"""The box structure of an MP4 (ISO/IEC 14496-12, section 4.2), as far as fragments need it."""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

HEADER_BYTES: Final = 8
_LARGE_HEADER_BYTES: Final = 16


class Box(NamedTuple):
    """One box of a file, by offsets; `is_whole` is False for a box that the file ends in."""

    kind: bytes
    start: int
    end: int
    is_whole: bool


def walk(file: BinaryIO, at: int = 0) -> Iterator[Box]:
    """Yield the top-level boxes from offset `at`."""
    length = os.fstat(file.fileno()).st_size
    while at < length:
        start = at
        file.seek(at)
        header = file.read(_LARGE_HEADER_BYTES)
        if len(header) < HEADER_BYTES:
            yield Box(b"", start, length, is_whole=False)
            return
        size, kind = struct.unpack(">I4s", header[:HEADER_BYTES])
        if size == 1 and len(header) == _LARGE_HEADER_BYTES:
            (size,) = struct.unpack(">Q", header[HEADER_BYTES:])
        if size < HEADER_BYTES:
            yield Box(kind, start, length, is_whole=False)
            return
        at += size
        yield Box(kind, start, at, is_whole=at <= length)


def children(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of the boxes inside a box."""
    at = 0
    while at + HEADER_BYTES <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        yield kind, content[at + HEADER_BYTES : at + size]
        at += max(size, HEADER_BYTES)
