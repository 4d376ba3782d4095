import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tertulia.domain.ids import Identity
from tertulia_recorder.drawing.compositor import BACKGROUND, PANEL, SPEAKING, Compositor
from tertulia_recorder.drawing.gallery import Gallery, Picture, picture_of
from tertulia_recorder.drawing.layout import Rect, Size, Tile, TileKind
from tertulia_recorder.drawing.planes import Yuv, yuv
from tertulia_recorder.drawing.text import BUNDLED_FONT, TextPainter
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


def tile(name: str, rect: Rect, *, track: str | None = None, speaking: bool = False) -> Tile:
    return Tile(Identity(name), TileKind.CAMERA, rect, name, TrackSid(track) if track else None, speaking)


class Stage:
    """A compositor with the pictures that tracks show now."""

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
    stage = Stage()
    stage.pictures = {"a": flat(RED), "b": flat(BLUE)}
    image = stage.show(tile("A", LEFT, track="a"), tile("B", RIGHT, track="b"))
    assert near(at(image, 160, 180), RED)
    assert near(at(image, 480, 180), BLUE)
    assert near(at(image, 160, 40), BACKGROUND)


def test_a_tall_picture_keeps_its_aspect():
    stage = Stage()
    stage.pictures = {"a": flat(RED, 90, 160)}
    image = stage.show(tile("A", WHOLE, track="a"))
    assert near(at(image, 320, 100), RED)
    assert near(at(image, 100, 100), PANEL)


def test_a_camera_that_is_off_shows_a_badge_and_no_old_picture():
    stage = Stage()
    stage.pictures = {"a": flat(RED)}
    stage.show(tile("A", WHOLE, track="a"))
    image = stage.show(tile("A", WHOLE))
    assert near(at(image, 40, 40), PANEL)
    assert not near(at(image, 260, 180), PANEL)
    assert not near(at(image, 260, 180), RED)


def test_one_who_speaks_has_a_ring_that_goes_again():
    stage = Stage()
    stage.pictures = {"a": flat(RED)}
    assert near(at(stage.show(tile("A", WHOLE, track="a", speaking=True)), 1, 180), SPEAKING)
    assert near(at(stage.show(tile("A", WHOLE, track="a")), 1, 180), RED)


def test_a_new_track_goes_on_with_the_last_picture():
    stage = Stage()
    stage.pictures = {"a": flat(RED)}
    stage.show(tile("A", WHOLE, track="a"))
    assert near(at(stage.show(tile("A", WHOLE, track="another")), 320, 100), RED)


def test_a_change_of_places_fades_and_never_flashes_black():
    stage = Stage()
    stage.pictures = {"a": flat(RED), "b": flat(RED)}
    stage.show(tile("A", WHOLE, track="a"))
    tiles = (tile("A", Rect(0, 0, 320, 360), track="a"), tile("B", Rect(320, 0, 320, 360), track="b"))
    images = [stage.show(*tiles, frames=1) for _ in range(FADE)]
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
    stage = Stage()
    assert picture is not None
    stage.pictures = {"a": picture}
    assert near(at(stage.show(tile("A", WHOLE, track="a")), 320, 180), RED)


def test_a_turned_camera_stands_upright():
    upper_white = np.full((20 * 3 // 2, 40), 128, np.uint8)
    upper_white[:10], upper_white[10:20] = 235, 16
    turned = picture_of(av.VideoFrame.from_ndarray(upper_white, "yuv420p"), 1, 0)
    assert turned is not None
    assert turned.size == Size(20, 40)
    luma = turned.frame.to_ndarray()[:40]
    assert luma[:, -1].min() == 235, "what was on top is at the right after a quarter turn clockwise"
    assert luma[:, 0].max() == 16


def test_the_gallery_gives_the_newest_picture_of_a_moment():
    gallery, track = Gallery(), TrackSid("t")
    pictures = [flat(RED, time_us=n * 40) for n in range(5)]
    for picture in pictures:
        gallery.add(track, picture)
    assert gallery.at(track, -1) is None
    assert gallery.at(track, 85) is pictures[2]
    assert gallery.at(track, 85) is pictures[2]
    assert gallery.at(track, 1000) is pictures[4]
    gallery.remove(track)
    assert gallery.at(track, 1000) is None


def test_the_gallery_does_not_grow():
    gallery, track = Gallery(), TrackSid("t")
    for n in range(1000):
        gallery.add(track, flat(RED, 16, 16, time_us=n))
    newest = gallery.at(track, 10_000)
    assert newest is not None
    assert newest.time_us == 999
