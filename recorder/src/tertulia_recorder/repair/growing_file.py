"""How much of a file that is being written is playable."""

from pathlib import Path
from typing import BinaryIO

from tertulia_recorder.repair.boxes import HEADER_BYTES, children, walk
from tertulia_recorder.units import AUDIO_BLOCK, SAMPLE_RATE_HZ


class GrowingFile:
    """A file that is being written, and how much of it is playable if its writer dies now. Reads only what is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._playable_s = 0.0

    def playable_s(self) -> float:
        """Return the end of the sound, which is complete, in the last whole fragment; 0 before there is one."""
        try:
            with self._path.open("rb") as file:
                self._read(file)
        except FileNotFoundError:
            pass
        return self._playable_s

    def _read(self, file: BinaryIO) -> None:
        index = b""
        for box in walk(file, self._at):
            if not box.is_whole:
                return
            if box.kind in {b"moov", b"moof"}:
                file.seek(box.start + HEADER_BYTES)
                index = file.read(box.end - box.start - HEADER_BYTES)
                continue
            if box.kind == b"mdat" and index:
                self._playable_s = max(self._playable_s, _sound_end_s(index))
            index, self._at = b"", box.end


def _sound_end_s(index: bytes) -> float:
    """Return when the last track of a fragment ends: it is the sound, in blocks of one length.

    The first fragment is described by the `moov` (ISO/IEC 14496-12, 8.4.2), the others by a `moof` each (8.8).
    """
    *_, track = (content for kind, content in children(index) if kind in {b"trak", b"traf"})
    begin = blocks = 0
    for kind, content in children(track):
        if kind == b"mdia":
            header = next(inner for name, inner in children(content) if name == b"mdhd")
            begin = int.from_bytes(header[24:32] if header[0] else header[16:20], "big")
        elif kind == b"tfdt":
            begin = int.from_bytes(content[4:12] if content[0] else content[4:8], "big")
        elif kind == b"trun":
            blocks += int.from_bytes(content[4:8], "big")
    return (begin + blocks * AUDIO_BLOCK) / SAMPLE_RATE_HZ
