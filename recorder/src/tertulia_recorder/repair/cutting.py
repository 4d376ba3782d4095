"""Drops the end of a finished file."""

import os
from pathlib import Path
from typing import Final

import av

from tertulia_recorder.repair.mp4 import measure

_TOLERANCE_S: Final = 0.1
"""The last block of sound and the last picture may end a little later than the recording."""


class NothingBeforeEndError(Exception):
    """Raised for a file that holds only media after the recording's end."""


def cut_end(path: Path, until_s: float) -> None:
    """Drop what a file holds after `until_s`, if that is more than a block of sound or a picture.

    Packets are copied, never encoded again. Raises NothingBeforeEndError, or OSError when the disk refuses.
    """
    if measure(path).duration_s <= until_s + _TOLERANCE_S:
        return
    if until_s <= 0:
        path.unlink()
        raise NothingBeforeEndError(f"{path.name} begins after the end")
    scratch = path.with_name(path.name + ".cutting")
    try:
        _copy(path, scratch, until_s)
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _copy(source: Path, target: Path, until_s: float) -> None:
    with (
        av.open(str(source), mode="r") as reader,
        av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as writer,
    ):
        streams = {each.index: writer.add_stream_from_template(each) for each in reader.streams}
        for packet in reader.demux():
            if packet.dts is not None and packet.dts * packet.time_base < until_s:
                packet.stream = streams[packet.stream_index]
                writer.mux(packet)
