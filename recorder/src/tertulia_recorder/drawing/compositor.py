"""Draws the meeting: keeps one I420 canvas and draws only what has changed. Video is never converted to RGB."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from tertulia_recorder.drawing.layout import Rect, Size, Tile, TileKind, contain
from tertulia_recorder.drawing.pictures import Picture
from tertulia_recorder.drawing.planes import Bytes, Canvas, Overlay, yuv
from tertulia_recorder.drawing.text import TextPainter, initials
from tertulia_recorder.ids import Identity
from tertulia_recorder.scene import TrackSid

BACKGROUND: Final = yuv(24, 26, 31)
PANEL: Final = yuv(38, 41, 48)
SPEAKING_RGB: Final = (79, 224, 200)
"""The page's colour of who speaks, on dark ground."""
SPEAKING: Final = yuv(*SPEAKING_RGB)
_BADGE_COLOURS: Final = ((196, 78, 82), (76, 114, 176), (85, 138, 84), (140, 97, 160), (176, 120, 50), (60, 140, 150))
_RING_PX: Final = 4
_FADE_FRAMES: Final = 8

PictureOf = Callable[[TrackSid], Picture | None]
_Key = tuple[Identity, TileKind]


@dataclass(slots=True)
class _Drawn:
    tile: Tile
    picture: Picture | None
    content: Rect | None


class Compositor:
    """Turns tiles and pictures into frames of `size`."""

    def __init__(self, size: Size, text: TextPainter) -> None:
        self._canvas = Canvas(size, BACKGROUND)
        self._faded = Canvas(size, BACKGROUND)
        self._text = text
        self._tiles: tuple[Tile, ...] = ()
        self._drawn: dict[_Key, _Drawn] = {}
        self._last: dict[_Key, Picture] = {}
        self._scalers: dict[_Key, VideoReformatter] = {}
        self._labels: dict[tuple[str, int, int], Overlay] = {}
        self._badges: dict[tuple[str, int, int], Overlay] = {}
        self._fade_from: Bytes | None = None
        self._fade_step = 0

    @property
    def size(self) -> Size:
        """The size of the frames."""
        return self._canvas.size

    def compose(self, tiles: tuple[Tile, ...], picture_of: PictureOf) -> av.VideoFrame:
        """Return the frame that shows `tiles`; valid until the next call (the encoder copies it)."""
        if tiles != self._tiles:
            self._change(tiles)
        for tile in tiles:
            picture = self._newest(tile, picture_of)
            before = self._drawn.get((tile.identity, tile.kind))
            if before is None or before.tile != tile or before.picture is not picture:
                self._draw(tile, picture, before)
        return av.VideoFrame.from_numpy_buffer(self._fading(), "yuv420p")

    def _newest(self, tile: Tile, picture_of: PictureOf) -> Picture | None:
        # A new track, or one that stalls, keeps the participant's last picture: nothing flickers.
        key = (tile.identity, tile.kind)
        if tile.track is None:
            self._last.pop(key, None)
            return None
        picture = picture_of(tile.track)
        if picture is not None:
            self._last[key] = picture
        return self._last.get(key)

    def _change(self, tiles: tuple[Tile, ...]) -> None:
        if _positions(tiles) != _positions(self._tiles):
            if self._tiles:
                self._fade_from, self._fade_step = self._fading().copy(), 0
            size = self._canvas.size
            self._canvas.fill(Rect(0, 0, size.w, size.h), BACKGROUND)
            self._drawn = {}
            keys = {(tile.identity, tile.kind) for tile in tiles}
            self._scalers = {key: scaler for key, scaler in self._scalers.items() if key in keys}
            self._last = {key: picture for key, picture in self._last.items() if key in keys}
            self._labels.clear()
            self._badges.clear()
        self._tiles = tiles

    def _fading(self) -> Bytes:
        if self._fade_from is None:
            return self._canvas.buffer
        self._fade_step += 1
        if self._fade_step >= _FADE_FRAMES:
            self._fade_from = None
            return self._canvas.buffer
        new = self._canvas.buffer.astype(np.uint16) * self._fade_step
        old = self._fade_from.astype(np.uint16) * (_FADE_FRAMES - self._fade_step)
        self._faded.buffer[:] = (new + old) // _FADE_FRAMES
        return self._faded.buffer

    def _draw(self, tile: Tile, picture: Picture | None, before: _Drawn | None) -> None:
        content = None if picture is None else contain(picture.size, tile.rect)
        covered = before is not None and before.content == content and before.tile.rect == tile.rect
        if picture is None or content is None:
            self._draw_placeholder(tile)
        else:
            if not covered or (before is not None and before.tile.is_speaking and not tile.is_speaking):
                self._canvas.fill(tile.rect, PANEL)
            scaler = self._scalers.setdefault((tile.identity, tile.kind), VideoReformatter())
            scaled = scaler.reformat(
                picture.frame, content.w, content.h, "yuv420p", interpolation="BILINEAR", threads=1
            )
            self._canvas.paste(content, scaled)
        self._draw_label(tile)
        if tile.is_speaking:
            self._canvas.frame_rect(tile.rect, _RING_PX, SPEAKING)
        self._drawn[tile.identity, tile.kind] = _Drawn(tile, picture, content)

    def _draw_placeholder(self, tile: Tile) -> None:
        rect = tile.rect
        self._canvas.fill(rect, PANEL)
        if rect.w > 2 * _RING_PX and rect.h > 2 * _RING_PX:
            self._canvas.frame_rect(rect, 2, BACKGROUND)
        if tile.kind is TileKind.CAMERA:
            diameter = max(8, min(rect.w, rect.h) // 2 // 2 * 2)
            colour = zlib.crc32(tile.identity.encode("utf-8", "surrogatepass")) % len(_BADGE_COLOURS)
            key = (initials(tile.name), diameter, colour)
            badge = self._badges.get(key) or self._badges.setdefault(key, self._badge(*key))
            x, y = rect.x + (rect.w - diameter) // 2, rect.y + (rect.h - diameter) // 2
            self._canvas.blend(x - x % 2, y - y % 2, badge)

    def _draw_label(self, tile: Tile) -> None:
        size_px = max(12, min(28, tile.rect.h // 16))
        max_width = tile.rect.w - 2 * _RING_PX - size_px
        if not tile.name.strip() or max_width < 2 * size_px:
            return
        key = (tile.name, size_px, max_width)
        label = self._labels.get(key) or self._labels.setdefault(key, self._label(*key))
        self._canvas.blend(tile.rect.x + _RING_PX, tile.rect.y + tile.rect.h - _RING_PX - label.size.h, label)

    def _label(self, name: str, size_px: int, max_width: int) -> Overlay:
        drawing = self._text.draw(name, size_px, max_width)
        pad = size_px // 2
        h, w = drawing.rgba.shape[:2]
        rgba = np.zeros((_even_up(h + pad // 2), _even_up(w + pad), 4), np.uint8)
        rgba[..., 3] = 150
        _blend(rgba, drawing.rgba, pad // 2, pad // 4)
        return Overlay.of_rgba(rgba)

    def _badge(self, letters: str, diameter: int, colour: int) -> Overlay:
        radius = diameter / 2
        rows, columns = np.ogrid[:diameter, :diameter]
        distance = np.hypot(rows - radius + 0.5, columns - radius + 0.5)
        rgba = np.zeros((diameter, diameter, 4), np.uint8)
        rgba[..., :3] = _BADGE_COLOURS[colour]
        rgba[..., 3] = np.clip((radius - distance) * 255, 0, 255)
        size_px = max(8, diameter * 2 // 5)
        drawing = self._text.draw(letters, size_px, diameter)
        x = (diameter - drawing.rgba.shape[1]) // 2
        y = diameter // 2 - drawing.baseline + round(size_px * 0.37)
        _blend(rgba, drawing.rgba, x, y)
        return Overlay.of_rgba(rgba)


def _positions(tiles: tuple[Tile, ...]) -> list[tuple[Identity, TileKind, Rect]]:
    return [(tile.identity, tile.kind, tile.rect) for tile in tiles]


def _even_up(n: int) -> int:
    return n + n % 2


def _blend(onto: Bytes, what: Bytes, x: int, y: int) -> None:
    top, left = max(0, y), max(0, x)
    bottom, right = min(onto.shape[0], y + what.shape[0]), min(onto.shape[1], x + what.shape[1])
    if top >= bottom or left >= right:
        return
    below = onto[top:bottom, left:right].astype(np.float32)
    above = what[top - y : bottom - y, left - x : right - x].astype(np.float32)
    alpha, under = above[..., 3:] / 255, below[..., 3:] / 255
    total = alpha + under * (1 - alpha)
    colour = (above[..., :3] * alpha + below[..., :3] * under * (1 - alpha)) / np.maximum(total, 1e-6)
    onto[top:bottom, left:right, :3] = np.rint(colour)
    onto[top:bottom, left:right, 3:] = np.rint(total * 255)
