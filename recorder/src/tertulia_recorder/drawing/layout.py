"""The layout: a pure function of the participants and the picture's size."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil
from typing import Final

from tertulia_recorder.ids import Identity
from tertulia_recorder.scene import Participant, TrackSid

MAX_TILES: Final = 25
_STRIP_ROWS: Final = 5
_ASPECT_W, _ASPECT_H = 16, 9


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    w: int
    h: int


@dataclass(frozen=True, slots=True)
class Rect:
    """A part of the picture in pixels; every number is even, so that it consists of whole chroma samples."""

    x: int
    y: int
    w: int
    h: int


class TileKind(Enum):
    """What a tile shows."""

    CAMERA = "camera"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True)
class Tile:
    """A participant's camera (or its placeholder, when `track` is None) or screen, and where it is."""

    identity: Identity
    kind: TileKind
    rect: Rect
    name: str
    track: TrackSid | None
    is_speaking: bool


def arrange(participants: Sequence[Participant], size: Size, max_tiles: int = MAX_TILES) -> tuple[Tile, ...]:
    """Lay out a meeting on a picture of `size` (even numbers).

    Each participant has a tile of equal size in a grid; a screen share (the newest, if there are several) takes the
    larger part, with the cameras in a strip at its right. Beyond `max_tiles` those who spoke last are shown, in order
    of joining.
    """
    shown = _last_speakers(participants, max_tiles)
    sharing = max((p for p in participants if p.screen), key=lambda p: (p.screen_since_s, p.identity), default=None)
    if sharing is None:
        return tuple(_camera(p, rect) for p, rect in zip(shown, _grid(len(shown), size), strict=True))
    main, cells = _strip_layout(len(shown), size)
    screen = Tile(sharing.identity, TileKind.SCREEN, main, sharing.name, sharing.screen, is_speaking=False)
    return (screen, *(_camera(p, rect) for p, rect in zip(shown, cells, strict=True)))


def contain(source: Size, into: Rect) -> Rect:
    """Return the largest even rectangle inside `into`, centred, with the aspect ratio of `source`."""
    scale = min(into.w / source.w, into.h / source.h)
    w = min(into.w, max(2, _nearest_even(source.w * scale)))
    h = min(into.h, max(2, _nearest_even(source.h * scale)))
    return Rect(into.x + _even((into.w - w) // 2), into.y + _even((into.h - h) // 2), w, h)


def _last_speakers(participants: Sequence[Participant], limit: int) -> list[Participant]:
    latest = sorted(participants, key=lambda p: (-p.last_spoke_at_s, p.join_order, p.identity))[:limit]
    return sorted(latest, key=lambda p: (p.join_order, p.identity))


def _camera(participant: Participant, rect: Rect) -> Tile:
    return Tile(
        participant.identity,
        TileKind.CAMERA,
        rect,
        participant.name,
        participant.camera,
        participant.is_speaking,
    )


def _grid(count: int, size: Size) -> list[Rect]:
    if count == 0:
        return []
    columns = max(range(1, count + 1), key=lambda c: (_cell(size, c, ceil(count / c)).w, c))
    rows = ceil(count / columns)
    cell = _cell(size, columns, rows)
    top = _even((size.h - rows * cell.h) // 2)
    rects = []
    for index in range(count):
        row, column = divmod(index, columns)
        in_row = min(columns, count - row * columns)
        left = _even((size.w - in_row * cell.w) // 2)
        rects.append(Rect(left + column * cell.w, top + row * cell.h, cell.w, cell.h))
    return rects


def _strip_layout(count: int, size: Size) -> tuple[Rect, list[Rect]]:
    if count == 0:
        return Rect(0, 0, size.w, size.h), []
    columns = 1
    strip_w = _even(size.w // _STRIP_ROWS)
    if count > _STRIP_ROWS:
        strip_w = _even(size.w // 4)
        columns = next(c for c in range(2, count + 2) if c * (size.h // _cell_h(_even(strip_w // c))) >= count)
    w = _even(strip_w // columns)
    h = _cell_h(w)
    top = max(0, _even((size.h - ceil(count / columns) * h) // 2))
    left = size.w - strip_w
    cells = [Rect(left + (i % columns) * w, top + (i // columns) * h, w, h) for i in range(count)]
    return Rect(0, 0, left, size.h), cells


def _cell(size: Size, columns: int, rows: int) -> Size:
    w = min(size.w / columns, size.h / rows * _ASPECT_W / _ASPECT_H)
    return Size(max(2, _even(int(w))), max(2, _even(int(min(size.h / rows, w * _ASPECT_H / _ASPECT_W)))))


def _cell_h(w: int) -> int:
    return max(2, _even(w * _ASPECT_H // _ASPECT_W))


def _even(n: int) -> int:
    return n - n % 2


def _nearest_even(value: float) -> int:
    return 2 * round(value / 2)
