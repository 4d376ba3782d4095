import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tertulia_recorder.drawing.compositor import BACKGROUND, PANEL, SPEAKING, Compositor
from tertulia_recorder.drawing.layout import Rect, Size, Tile, TileKind
from tertulia_recorder.drawing.pictures import Picture, picture_of
from tertulia_recorder.drawing.planes import Yuv, yuv
from tertulia_recorder.drawing.text import BUNDLED_FONT, TextPainter
from tertulia_recorder.ids import Identity
from tertulia_recorder.scene import TrackSid

SIZE = Size(640, 360)
RED = yuv(200, 30, 30)
BLUE = yuv(30, 30, 200)
FADE = 10


def flat_frame(colour: Yuv, w: int, h: int) -> av.VideoFrame:
    frame = av.VideoFrame(w, h, "yuv420p")
    for plane, value in zip(frame.planes, colour, strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return frame


def flat(colour: Yuv, w: int = 320, h: int = 180, time_us: int = 0) -> Picture:
    picture = picture_of(flat_frame(colour, w, h), 0, time_us)
    assert picture is not None
    return picture


def tile(name: str, rect: Rect, *, track: str | None = None, is_speaking: bool = False) -> Tile:
    return Tile(Identity(name), TileKind.CAMERA, rect, name, TrackSid(track) if track else None, is_speaking)


class Composition:
    """A compositor and the newest pictures of its tracks."""

    def __init__(self) -> None:
        self.compositor = Compositor(SIZE, TextPainter([BUNDLED_FONT]))
        self.pictures: dict[str, Picture] = {}

    def show(self, *tiles: Tile, frames: int = FADE) -> NDArray[np.uint8]:
        for _ in range(frames):
            frame = self.compositor.compose(tiles, self.pictures.get)  # type: ignore[arg-type]
        return frame.to_ndarray().copy()


def at(image: NDArray[np.uint8], x: int, y: int) -> Yuv:
    chroma = image[SIZE.h :].reshape(2, SIZE.h // 2, SIZE.w // 2)
    return Yuv(int(image[y, x]), int(chroma[0, y // 2, x // 2]), int(chroma[1, y // 2, x // 2]))


def near(found: Yuv, wanted: Yuv) -> bool:
    return max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= 3


LEFT, RIGHT, WHOLE = Rect(0, 90, 320, 180), Rect(320, 90, 320, 180), Rect(0, 0, 640, 360)


def test_each_picture_is_in_its_tile_and_the_rest_is_background():
    composition = Composition()
    composition.pictures = {"a": flat(RED), "b": flat(BLUE)}
    image = composition.show(tile("A", LEFT, track="a"), tile("B", RIGHT, track="b"))
    assert near(at(image, 160, 180), RED)
    assert near(at(image, 480, 180), BLUE)
    assert near(at(image, 160, 40), BACKGROUND)


def test_a_tall_picture_keeps_its_aspect():
    composition = Composition()
    composition.pictures = {"a": flat(RED, 90, 160)}
    image = composition.show(tile("A", WHOLE, track="a"))
    assert near(at(image, 320, 100), RED)
    assert near(at(image, 100, 100), PANEL)


def test_a_camera_that_is_off_shows_a_badge_and_no_old_picture():
    composition = Composition()
    composition.pictures = {"a": flat(RED)}
    composition.show(tile("A", WHOLE, track="a"))
    image = composition.show(tile("A", WHOLE))
    assert near(at(image, 40, 40), PANEL)
    assert not near(at(image, 260, 180), PANEL)
    assert not near(at(image, 260, 180), RED)


def test_a_speaker_has_a_ring_while_speaking():
    composition = Composition()
    composition.pictures = {"a": flat(RED)}
    assert near(at(composition.show(tile("A", WHOLE, track="a", is_speaking=True)), 1, 180), SPEAKING)
    assert near(at(composition.show(tile("A", WHOLE, track="a")), 1, 180), RED)


def test_a_new_track_shows_the_last_picture_until_its_own():
    composition = Composition()
    composition.pictures = {"a": flat(RED)}
    composition.show(tile("A", WHOLE, track="a"))
    assert near(at(composition.show(tile("A", WHOLE, track="another")), 320, 100), RED)


def test_a_change_of_layout_fades_and_never_flashes_black():
    composition = Composition()
    composition.pictures = {"a": flat(RED), "b": flat(RED)}
    composition.show(tile("A", WHOLE, track="a"))
    tiles = (tile("A", Rect(0, 0, 320, 360), track="a"), tile("B", Rect(320, 0, 320, 360), track="b"))
    images = [composition.show(*tiles, frames=1) for _ in range(FADE)]
    lightness = [int(image[20, 20]) for image in images]
    assert lightness[0] > lightness[3] > lightness[6] > PANEL.y - 3, "the upper edge goes from red to panel, gently"
    assert all(near(at(image, 160, 180), RED) for image in images)


@pytest.mark.parametrize("size", [(2, 2), (18, 16), (333, 187), (1920, 1080), (100, 2000)])
def test_any_picture_size_is_taken(size: tuple[int, int]):
    w, h = size
    picture = picture_of(flat_frame(RED, w, h), 0, 0)
    if w < 16:
        assert picture is None
        return
    composition = Composition()
    assert picture is not None
    composition.pictures = {"a": picture}
    assert near(at(composition.show(tile("A", WHOLE, track="a")), 320, 180), RED)
