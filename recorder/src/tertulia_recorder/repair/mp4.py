"""What is left to do after a crash: cut what is torn, and make a plain seekable file of what is whole."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import av

from tertulia_recorder.units import AUDIO_BLOCK, SAMPLE_RATE_HZ

_HEADER: Final = 8
_LARGE_HEADER: Final = 16


class NothingRecordedError(Exception):
    """The file holds no whole piece of media."""


class _Box(NamedTuple):
    kind: bytes
    start: int
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


class GrowingFile:
    """How much of a file that is being written could be played if its writer died now. Reads only what is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._playable_s = 0.0

    def playable_s(self) -> float:
        """Give the end of the sound, which is never left out, in the last whole fragment; 0 before there is one."""
        try:
            with self._path.open("rb") as file:
                self._read(file)
        except FileNotFoundError:
            pass
        return self._playable_s

    def _read(self, file: BinaryIO) -> None:
        index = b""
        for box in _boxes(file, self._at):
            if not box.is_whole:
                return
            if box.kind in {b"moov", b"moof"}:
                file.seek(box.start + _HEADER)
                index = file.read(box.end - box.start - _HEADER)
                continue
            if box.kind == b"mdat" and index:
                self._playable_s = max(self._playable_s, _sound_end_s(index))
            index, self._at = b"", box.end


def _sound_end_s(index: bytes) -> float:
    """Read when the last track of a piece ends: it is the sound, in blocks of one length.

    The first piece is described by the `moov` (ISO/IEC 14496-12, 8.4.2), the others by a `moof` each (8.8).
    """
    *_, track = (content for kind, content in _children(index) if kind in {b"trak", b"traf"})
    begin = blocks = 0
    for kind, content in _children(track):
        if kind == b"mdia":
            header = next(inner for name, inner in _children(content) if name == b"mdhd")
            begin = int.from_bytes(header[24:32] if header[0] else header[16:20], "big")
        elif kind == b"tfdt":
            begin = int.from_bytes(content[4:12] if content[0] else content[4:8], "big")
        elif kind == b"trun":
            blocks += int.from_bytes(content[4:8], "big")
    return (begin + blocks * AUDIO_BLOCK) / SAMPLE_RATE_HZ


def _children(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + _HEADER <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        yield kind, content[at + _HEADER : at + size]
        at += max(size, _HEADER)


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


def _boxes(file: BinaryIO, at: int = 0) -> Iterator[_Box]:
    """Walk the top-level boxes from offset `at` (ISO/IEC 14496-12, 4.2)."""
    length = os.fstat(file.fileno()).st_size
    while at < length:
        start = at
        file.seek(at)
        header = file.read(_LARGE_HEADER)
        if len(header) < _HEADER:
            yield _Box(b"", start, length, is_whole=False)
            return
        size, kind = struct.unpack(">I4s", header[:_HEADER])
        if size == 1 and len(header) == _LARGE_HEADER:
            (size,) = struct.unpack(">Q", header[_HEADER:])
        if size < _HEADER:
            yield _Box(kind, start, length, is_whole=False)
            return
        at += size
        yield _Box(kind, start, at, is_whole=at <= length)


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
