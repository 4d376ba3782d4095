"""Repairs and measures recorded files: cuts a torn tail and remuxes what is whole into a plain, seekable MP4."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av

from tertulia_recorder.repair.boxes import walk


class NothingRecordedError(Exception):
    """Raised for a file without a whole fragment."""


@dataclass(frozen=True, slots=True)
class MediaSummary:
    """Length and size of a file."""

    duration_s: float
    bytes: int


def repair(source: Path, target: Path) -> MediaSummary:
    """Turn a recorder's file, at whatever instant it was left, into a plain, seekable MP4 at `target`.

    `source` loses its torn tail and stays until `target` is on the disk under its name; then it is removed (both may be
    the same path). A target that exists already (killed between rename and report) is only measured. Packets are
    copied, never encoded again. Of a damaged one the beginning is copied, and all of it is kept beside it under another
    name. Raises NothingRecordedError, or OSError when the disk refuses (then `source` is as
    playable as before).
    """
    if not source.exists() and target.exists():
        return measure(target)
    cut_torn_tail(source)
    if is_finalised(source):
        source.replace(target)
    else:
        scratch = target.with_name(target.name + ".repairing")
        try:
            if not _remux(source, scratch):
                _keep_damaged(source)
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


def is_finalised(path: Path) -> bool:
    """Return whether a file has one index for all of it (plays and seeks without being read whole)."""
    with path.open("rb") as file:
        return b"moof" not in [box.kind for box in walk(file)]


def measure(path: Path) -> MediaSummary:
    """Return a file's duration (of the longest stream) and size. Raises NothingRecordedError if it is not readable."""
    try:
        with av.open(str(path), mode="r") as container:
            duration = container.duration
    except (av.FFmpegError, ValueError) as error:
        raise NothingRecordedError(f"{path.name} is not a media file") from error
    return MediaSummary((duration or 0) / 1_000_000, path.stat().st_size)


def _whole_until(file: BinaryIO) -> int:
    keep, media, pending_moof = 0, False, False
    for box in walk(file):
        if not box.is_whole:
            break
        if box.kind == b"mdat":
            media, pending_moof = True, False
        elif box.kind == b"moof":
            pending_moof = True
        if not pending_moof:
            keep = box.end
    return keep if media else 0


def _keep_damaged(source: Path) -> None:
    kept = source.with_name(source.name + ".damaged")
    kept.unlink(missing_ok=True)
    kept.hardlink_to(source)


class _DamagedError(Exception):
    """Raised for a file, or a beginning of one, that cannot be copied to its end."""


def _remux(source: Path, target: Path) -> bool:
    """Copy a file, or the longest beginning of whole fragments that can be. Return whether that is all of it."""
    if _is_copied(str(source), target):
        return True
    with source.open("rb") as file:
        ends = [box.end for box in walk(file) if box.kind == b"mdat"]
        good, bad = 0, len(ends)
        while bad - good > 1:
            middle = (good + bad) // 2
            if _is_copied(_Beginning(file, ends[middle - 1]), target):
                good = middle
            else:
                bad = middle
        if not good or not _is_copied(_Beginning(file, ends[good - 1]), target):
            raise NothingRecordedError(f"{source.name} is not a media file")
    return False


def _is_copied(source: "str | _Beginning", target: Path) -> bool:
    try:
        _copy(source, target)
    except _DamagedError:
        return False
    return True


def _copy(source: "str | _Beginning", target: Path) -> None:
    try:
        with (
            av.open(source, mode="r") as reader,
            av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as writer,
        ):
            streams = {each.index: writer.add_stream_from_template(each) for each in reader.streams}
            if not streams:
                raise _DamagedError
            for packet in reader.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream_index]
                    writer.mux(packet)
    except (av.FFmpegError, ValueError, MemoryError, KeyError) as error:
        if isinstance(error, OSError):  # the disk's, not the file's
            raise
        raise _DamagedError from error


class _Beginning:
    """A file that ends earlier, for FFmpeg to read."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file = file
        self._end = end
        file.seek(0)

    def read(self, size: int) -> bytes:
        """Read at most so many bytes."""
        return self._file.read(max(0, min(size, self._end - self._file.tell())))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, as in a file of that length."""
        if whence == os.SEEK_END:
            return self._file.seek(self._end + offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
