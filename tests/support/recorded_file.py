"""Files as the recorder's muxer writes them, in simulated time."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from tertulia_recorder.drawing.layout import Rect, Size
from tertulia_recorder.drawing.planes import Canvas, yuv
from tertulia_recorder.pipeline.formats import Format
from tertulia_recorder.pipeline.muxer import Muxer
from tertulia_recorder.units import AUDIO_BLOCK

SMALL = Format(Size(160, 90), 30)


def write(muxer: Muxer, seconds: float, *, video: bool = True) -> None:
    """Write a moving picture and noise."""
    canvas = Canvas(Size(160, 90), yuv(0, 0, 0))
    noise = np.random.default_rng(1)
    sample = 0
    for tick in range(round(seconds * 30)):
        if video:
            canvas.fill(Rect(tick * 2 % 150, 10, 8, 8), yuv(255, 0, 0))
            muxer.write_video(av.VideoFrame.from_numpy_buffer(canvas.buffer, "yuv420p"), tick)
        while sample + AUDIO_BLOCK <= (tick + 1) * 1600:
            muxer.write_audio(noise.integers(-3000, 3000, (AUDIO_BLOCK, 2), np.int16), sample)
            sample += AUDIO_BLOCK


def unfinished_file(path: Path, seconds: float, form: Format = SMALL) -> bytes:
    """Return the bytes of a file that is still being written."""
    muxer = Muxer(path, form)
    write(muxer, seconds, video=form.picture is not None)
    data = path.read_bytes()
    muxer.close()
    return data


def decoded_seconds(path: Path) -> float:
    """Return the length of all pictures that can be decoded."""
    with av.open(str(path), mode="r") as container:
        return len(list(container.decode(video=0))) / 30
