"""People for the recording benchmark, in a process of their own: moving, grainy pictures and murmuring sound.

    python -m bench.recording_people <url> <room> <people> <width> <height> [screen]

They send the size that the recorder would pick out of 720p simulcast: encoding three layers of nine people takes more
cores than the recorder and the media server together. Ends when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from recording.media_server import MediaServer
from recording.publisher import RATE, Look, Publisher

LOOP_FRAMES = 50


def footage(width: int, height: int, seed: int) -> list[bytes]:
    """A loop of I420 frames with what costs an encoder and a decoder work: gradients, a moving shape, grain."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    still = 90 + 50 * np.sin(columns / width * 5 + seed) + 40 * np.cos(rows / height * 4)
    grain = random.normal(0, 3, (4, height, width))
    half_rows, half_columns = rows[::2, ::2], columns[::2, ::2]
    frames = []
    for number in range(LOOP_FRAMES):
        phase = 2 * np.pi * number / LOOP_FRAMES
        x, y = width * (0.5 + 0.15 * np.cos(phase)), height * (0.5 + 0.1 * np.sin(phase))
        head = ((columns - x) / width * 5) ** 2 + ((rows - y) / height * 3) ** 2 < 1
        luma = np.clip(np.where(head, 170, still) + grain[number % 4], 16, 235)
        u = 118 + 20 * np.sin(half_columns / width * 6 + phase)
        v = 138 + 15 * np.cos(half_rows / height * 6)
        frames.append(b"".join(np.rint(plane).astype(np.uint8).tobytes() for plane in (luma, u, v)))
    return frames


@dataclass
class Footage(Look):
    """A look that plays a loop."""

    frames: tuple[bytes, ...] = ()

    def draw(self, number: int, now_s: float) -> bytearray:
        return bytearray(self.frames[number % len(self.frames)])


def slides(width: int, height: int) -> bytes:
    """A page of something like text: sharp edges, no motion."""
    random = np.random.default_rng(7)
    luma = np.full((height, width), 230, np.uint8)
    for top in range(40, height - 40, 24):
        for left in range(60, width - 60, 12):
            if random.random() < 0.7:
                luma[top : top + 14, left : left + int(random.integers(3, 10))] = 30
    return luma.tobytes() + bytes([128]) * (width * height // 2)


def murmur(seed: int):
    random = np.random.default_rng(seed)
    noise = np.convolve(random.normal(0, 0.3, RATE * 2), np.ones(40) / 40, "same")
    return lambda start, count: noise[np.arange(start, start + count) % len(noise)]


async def main() -> None:
    url, room, count, width, height, *screen = sys.argv[1:]
    server = MediaServer(port=int(url.rsplit(":", 1)[1]))
    size = int(width), int(height)
    people = []
    for number in range(int(count)):
        look = Footage(size=size, frames=tuple(footage(*size, number)))
        people.append(Publisher(server, room, f"person-{number}", look=look, sound=murmur(number), fps=25))
    await asyncio.gather(*(each.join() for each in people))
    if screen:
        await people[0].publish_screen(Footage(size=(1280, 720), frames=(slides(1280, 720),)))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await asyncio.gather(*(each.leave() for each in people))


if __name__ == "__main__":
    asyncio.run(main())
