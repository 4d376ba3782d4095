import av
import numpy as np
import pytest

from tertulia_recorder.drawing.layout import Rect, Size
from tertulia_recorder.drawing.planes import Canvas, Overlay, Yuv, yuv

SIZE = Size(64, 32)
BLACK, WHITE = yuv(0, 0, 0), yuv(255, 255, 255)


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [((0, 0, 0), (16, 128, 128)), ((255, 255, 255), (235, 128, 128)), ((255, 0, 0), (81, 90, 240))],
)
def test_colours_are_those_of_bt601(rgb: tuple[int, int, int], expected: tuple[int, int, int]):
    assert yuv(*rgb) == expected


def planes(canvas: Canvas) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frame = av.VideoFrame.from_numpy_buffer(canvas.buffer, "yuv420p").to_ndarray()
    chroma = frame[SIZE.h :].reshape(2, SIZE.h // 2, SIZE.w // 2)
    return frame[: SIZE.h], chroma[0], chroma[1]


def test_a_rectangle_is_filled_in_all_planes_and_nowhere_else():
    canvas, colour = Canvas(SIZE, BLACK), Yuv(200, 50, 60)
    canvas.fill(Rect(8, 4, 16, 8), colour)
    for plane, value, background, scale in zip(planes(canvas), colour, BLACK, (1, 2, 2), strict=True):
        inside = np.zeros(plane.shape, bool)
        inside[4 // scale : 12 // scale, 8 // scale : 24 // scale] = True
        assert (plane[inside] == value).all()
        assert (plane[~inside] == background).all()


def test_a_frame_is_pasted_without_the_padding_of_its_lines():
    canvas = Canvas(SIZE, BLACK)
    source = np.arange(18 * 3 // 2 * 26, dtype=np.uint8).reshape(18 * 3 // 2, 26)
    canvas.paste(Rect(2, 2, 26, 18), av.VideoFrame.from_ndarray(source, "yuv420p"))
    assert (planes(canvas)[0][2:20, 2:28] == source[:18]).all()


def test_an_overlay_is_blended_by_its_alpha():
    canvas = Canvas(SIZE, BLACK)
    rgba = np.full((4, 4, 4), 255, np.uint8)
    rgba[:2, :, 3], rgba[2:, :, 3] = 255, 127
    canvas.blend(10, 6, Overlay.of_rgba(rgba))
    luma = planes(canvas)[0]
    assert (luma[6:8, 10:14] == WHITE.y).all()
    assert np.abs(luma[8:10, 10:14].astype(int) - (WHITE.y + BLACK.y) // 2).max() <= 1
    assert (luma[:, :10] == BLACK.y).all()


def test_a_border_is_inside_its_rectangle():
    canvas = Canvas(SIZE, BLACK)
    canvas.frame_rect(Rect(4, 4, 20, 16), 2, WHITE)
    luma = planes(canvas)[0]
    assert (luma[4:20, 4:24] == WHITE.y).sum() == 20 * 16 - 16 * 12
    assert (luma == WHITE.y).sum() == 20 * 16 - 16 * 12
