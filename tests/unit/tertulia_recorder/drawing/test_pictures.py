import av
import numpy as np
import pytest

from tertulia_recorder.drawing.layout import Size
from tertulia_recorder.drawing.pictures import picture_of


def frame(w: int, h: int, pixel_format: str = "yuv420p") -> av.VideoFrame:
    return av.VideoFrame(w, h, pixel_format)


def test_a_plain_frame_is_not_copied():
    plain = frame(320, 180)
    picture = picture_of(plain, 0, 7)
    assert picture is not None
    assert picture.frame is plain
    assert picture.time_us == 7


@pytest.mark.parametrize(("size", "turns", "expected"), [((65, 49), 0, (64, 48)), ((65, 49), 1, (48, 64))])
def test_odd_sides_lose_their_last_line(size: tuple[int, int], turns: int, expected: tuple[int, int]):
    picture = picture_of(frame(*size), turns, 0)
    assert picture is not None
    assert picture.size == Size(*expected)
    assert (picture.frame.width, picture.frame.height) == expected


def test_other_pixel_formats_become_i420():
    picture = picture_of(frame(64, 48, "yuv444p"), 0, 0)
    assert picture is not None
    assert picture.frame.format.name == "yuv420p"


@pytest.mark.parametrize("size", [(15, 480), (640, 15), (2, 2)])
def test_what_is_too_small_is_no_picture(size: tuple[int, int]):
    assert picture_of(frame(*size), 0, 0) is None


def test_a_turned_camera_is_upright():
    upper_white = np.full((20 * 3 // 2, 40), 128, np.uint8)
    upper_white[:10], upper_white[10:20] = 235, 16
    turned = picture_of(av.VideoFrame.from_ndarray(upper_white, "yuv420p"), 1, 0)
    assert turned is not None
    assert turned.size == Size(20, 40)
    luma = turned.frame.to_ndarray()[:40]
    assert luma[:, -1].min() == 235, "what was on top is at the right after a quarter turn clockwise"
    assert luma[:, 0].max() == 16
