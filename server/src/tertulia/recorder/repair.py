"""What is left to do after a crash: cut what is torn, and make a plain seekable file of what is whole."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import av

_HEADER: Final = 8
_LARGE_HEADER: Final = 16


class NothingRecordedError(Exception):
    """The file holds no whole piece of media."""


class _Box(NamedTuple):
    kind: bytes
    end: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class MediaSummary:
    """What a file holds."""

    duration_s: float
    bytes: int


def repair(source: Path, target: Path) -> MediaSummary:
    """Turn a recorder's file, whatever the instant it was left, into a plain seekable MP4 at `target`.

    `source` loses its torn tail and stays until `target` is on the disk under its name; then it is removed (both may be
    the same path). A target
    that is there already (killed between rename and report) is only measured. Packets are copied, never encoded again.
    Raises NothingRecordedError, or OSError when the disk refuses (then `source` is as playable as before).
    """
    if not source.exists() and target.exists():
        return measure(target)
    cut_torn_tail(source)
    if is_finalised(source):
        source.replace(target)
    else:
        scratch = target.with_name(target.name + ".repairing")
        try:
            _remux(source, scratch)
            _fsync(scratch)
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)
        _fsync(target.parent)
        if source != target:
            source.unlink()
    _fsync(target.parent)
    return measure(target)


def cut_torn_tail(path: Path) -> None:
    """Shorten a fragmented file to its last whole fragment (`moof` and its `mdat`).

    Raises NothingRecordedError when not even the first is whole.
    """
    try:
        with path.open("r+b") as file:
            keep = _whole_until(file)
            file.truncate(keep)
    except FileNotFoundError as error:
        raise NothingRecordedError(f"{path.name} was never written") from error
    if not keep:
        raise NothingRecordedError(f"{path.name} holds no whole fragment")


def holds_media(path: Path) -> bool:
    """Say whether there is something to play: the header and one whole fragment."""
    try:
        with path.open("rb") as file:
            return _whole_until(file) > 0
    except FileNotFoundError:
        return False


def is_finalised(path: Path) -> bool:
    """Say whether a file has one index for all of it (plays and seeks without reading it whole)."""
    with path.open("rb") as file:
        return b"moof" not in [box.kind for box in _boxes(file)]


def measure(path: Path) -> MediaSummary:
    """Give a file's duration (of the longest stream) and size; raises NothingRecordedError when it cannot be read."""
    try:
        with av.open(str(path), mode="r") as container:
            duration = container.duration
    except (av.FFmpegError, ValueError) as error:
        raise NothingRecordedError(f"{path.name} is not a media file") from error
    return MediaSummary((duration or 0) / 1_000_000, path.stat().st_size)


def _whole_until(file: BinaryIO) -> int:
    keep, media, pending_moof = 0, False, False
    for box in _boxes(file):
        if not box.is_whole:
            break
        if box.kind == b"mdat":
            media, pending_moof = True, False
        elif box.kind == b"moof":
            pending_moof = True
        if not pending_moof:
            keep = box.end
    return keep if media else 0


def _boxes(file: BinaryIO) -> Iterator[_Box]:
    """Walk the top-level boxes (ISO/IEC 14496-12, 4.2)."""
    length = os.fstat(file.fileno()).st_size
    at = 0
    while at < length:
        file.seek(at)
        header = file.read(_LARGE_HEADER)
        if len(header) < _HEADER:
            yield _Box(b"", length, is_whole=False)
            return
        size, kind = struct.unpack(">I4s", header[:_HEADER])
        if size == 1 and len(header) == _LARGE_HEADER:
            (size,) = struct.unpack(">Q", header[_HEADER:])
        if size < _HEADER:
            yield _Box(kind, length, is_whole=False)
            return
        at += size
        yield _Box(kind, at, is_whole=at <= length)


def _remux(source: Path, target: Path) -> None:
    try:
        with (
            av.open(str(source), mode="r") as reader,
            av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as writer,
        ):
            streams = {each.index: writer.add_stream_from_template(each) for each in reader.streams}
            if not streams:
                raise NothingRecordedError(f"{source.name} has no stream")
            for packet in reader.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream_index]
                    writer.mux(packet)
    except av.InvalidDataError as error:
        raise NothingRecordedError(f"{source.name} is not a media file") from error


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
