"""Text as a coverage mask: shaped and drawn by HarfBuzz, with font fallback, right-to-left runs and colour emoji.

Names are hostile text: control and direction characters are dropped, runs of combining marks are cut, and what is too
long ends in an ellipsis. DejaVu Sans is part of the package; fonts of the system (Noto) add the scripts it lacks. A
character that no font has is drawn as a box.
"""

import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Final

import av
import numpy as np
import uharfbuzz as hb  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

BUNDLED_FONT: Final = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
SYSTEM_FONT_FOLDERS: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_SYSTEM_FONTS: Final = (
    "NotoColorEmoji.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoNaskhArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansBengali-Regular.ttf",
    "NotoSansTamil-Regular.ttf",
    "NotoSansTelugu-Regular.ttf",
    "NotoSansKannada-Regular.ttf",
    "NotoSansMalayalam-Regular.ttf",
    "NotoSansGujarati-Regular.ttf",
    "NotoSansGurmukhi-Regular.ttf",
    "NotoSansSinhala-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansLao-Regular.ttf",
    "NotoSansKhmer-Regular.ttf",
    "NotoSansMyanmar-Regular.ttf",
    "NotoSansEthiopic-Regular.ttf",
)

_SUBPIXELS: Final = 64
_MAX_MARKS: Final = 4
_ELLIPSIS: Final = "…"
_LETTERS: Final = {"L": True, "R": False, "AL": False}
_NUMBERS: Final = frozenset({"EN", "AN"})
_JOINERS: Final = "\u200c\u200d\ufe0e\ufe0f"

Rgba = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Drawn text. `rgba`: uint8, shape (height, width, 4), straight alpha; the baseline is `baseline` rows down."""

    rgba: Rgba
    baseline: int


@dataclass(frozen=True, slots=True)
class _Run:
    text: str
    font: "_Font"
    rightward: bool


class _Font:
    def __init__(self, path: Path) -> None:
        self.face = hb.Face(hb.Blob.from_file_path(str(path)))
        self.is_colour = bool(self.face.has_color_png)
        self._font = hb.Font(self.face)

    def has(self, character: str) -> bool:
        return self._font.get_nominal_glyph(ord(character)) is not None

    def at(self, size_px: int) -> hb.Font:
        font = hb.Font(self.face)
        font.scale = (size_px * _SUBPIXELS, size_px * _SUBPIXELS)
        return font


class TextPainter:
    """Draws single lines of text."""

    def __init__(self, fonts: Sequence[Path] | None = None) -> None:
        self._paths = list(find_fonts() if fonts is None else fonts)
        self._fonts: dict[Path, _Font] = {}

    def draw(self, text: str, size_px: int, max_width: int) -> Drawing:
        """Draw `text` in white, at most `max_width` pixels wide (then it ends in an ellipsis)."""
        line = clean(text)
        drawing = self._draw(line, size_px)
        if drawing.rgba.shape[1] <= max_width:
            return drawing
        clusters = graphemes(line)
        low, high = 0, len(clusters) - 1
        while low < high:
            middle = (low + high + 1) // 2
            fits = self._draw("".join(clusters[:middle]) + _ELLIPSIS, size_px).rgba.shape[1] <= max_width
            low, high = (middle, high) if fits else (low, middle - 1)
        drawing = self._draw("".join(clusters[:low]) + _ELLIPSIS, size_px)
        return Drawing(drawing.rgba[:, :max_width], drawing.baseline)

    def _draw(self, line: str, size_px: int) -> Drawing:
        parts = [self._draw_run(run, size_px) for run in self._visual_runs(line)]
        ascent, descent = round(size_px * 1.0), round(size_px * 0.32)
        width = sum(part.shape[1] for part in parts)
        rgba = np.zeros((ascent + descent, max(1, width), 4), np.uint8)
        x = 0
        for part in parts:
            rgba[:, x : x + part.shape[1]] = part
            x += part.shape[1]
        return Drawing(rgba, ascent)

    def _draw_run(self, run: _Run, size_px: int) -> Rgba:
        font = run.font.at(size_px)
        buffer = hb.Buffer()
        buffer.add_str(run.text)
        buffer.guess_segment_properties()
        buffer.direction = "ltr" if run.rightward else "rtl"
        hb.shape(font, buffer)
        ascent, descent = round(size_px * 1.0), round(size_px * 0.32)
        width = max(1, round(sum(int(p.x_advance) for p in buffer.glyph_positions) / _SUBPIXELS))
        rgba = np.zeros((ascent + descent, width, 4), np.uint8)
        draw = _draw_emoji if run.font.is_colour else _draw_outlines
        draw(font, buffer, rgba, ascent)
        return rgba

    def _visual_runs(self, line: str) -> list[_Run]:
        clusters = [self._fitted(each) for each in graphemes(line)]
        levels = directions([each for each, _ in clusters])
        rightward_line = next((level for level in levels if level is not None), True)
        runs: list[_Run] = []
        for (_, rightward), group in groupby(
            zip(clusters, levels, strict=True),
            key=lambda item: (id(item[0][1]), rightward_line if item[1] is None else item[1]),
        ):
            members = list(group)
            runs.append(_Run("".join(text for (text, _), _ in members), members[0][0][1], rightward))
        return _reorder(runs, rightward_line=rightward_line)

    def _fitted(self, cluster: str) -> tuple[str, "_Font"]:
        """Return a cluster and a font for it; marks that no font can put on its base are dropped."""
        font = self._font_for(cluster)
        if font is None and len(cluster) > 1:
            font, cluster = self._font_for(cluster[0]), cluster[0]
        return cluster, font or self._fonts[self._paths[0]]

    def _font_for(self, cluster: str) -> _Font | None:
        visible = [c for c in cluster if c not in _JOINERS]
        candidates = self._paths
        if _is_emoji(cluster):
            candidates = sorted(self._paths, key=lambda path: "Emoji" not in path.name)
        for path in candidates:
            if path not in self._fonts:
                self._fonts[path] = _Font(path)
            if all(self._fonts[path].has(c) for c in visible):
                return self._fonts[path]
        return None


def find_fonts(folders: Iterable[Path] = SYSTEM_FONT_FOLDERS) -> list[Path]:
    """Return the bundled font, then those of the system that are known and installed."""
    there = {path.name: path for folder in folders if folder.is_dir() for path in folder.rglob("Noto*")}
    return [BUNDLED_FONT, *(there[name] for name in _SYSTEM_FONTS if name in there)]


def clean(text: str) -> str:
    """Return any string as one harmless line: no control or direction characters, no stacks of combining marks."""
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if category.startswith("M") and character not in _JOINERS:
            marks += 1
            if marks > _MAX_MARKS:
                continue
        elif category in {"Cc", "Zl", "Zp", "Zs"}:
            marks, character = 0, " "  # noqa: PLW2901 - every kind of space is one space
        elif category.startswith("C") and character not in _JOINERS and not _is_tag(character):
            continue
        else:
            marks = 0
        kept.append(character)
    return " ".join("".join(kept).split())


def graphemes(text: str) -> list[str]:
    """Split into graphemes: base and marks, emoji sequences, flags (a part of UAX #29)."""
    clusters: list[str] = []
    for character in text:
        previous = clusters[-1] if clusters else ""
        joins = (
            character in _JOINERS
            or unicodedata.category(character).startswith("M")
            or _is_tag(character)
            or "\U0001f3fb" <= character <= "\U0001f3ff"
            or previous.endswith("\u200d")
            or (_is_flag(character) and len(previous) == 1 and _is_flag(previous))
        )
        if joins and clusters:
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def directions(clusters: Sequence[str]) -> list[bool | None]:
    """Return for each cluster whether it runs to the right; None where its neighbours differ (UAX #9, one line).

    Numbers run to the right; spaces and signs take the direction around them.
    """
    letters: list[bool | None] = []
    for cluster in clusters:
        kind = unicodedata.bidirectional(cluster[0])
        last = next((each for each in reversed(letters) if each is not None), None)
        # Among right-to-left letters a number counts as one of them for the signs around it (rules W7 and N1).
        letters.append(last if kind in _NUMBERS else _LETTERS.get(kind))
    resolved: list[bool | None] = []
    before: bool | None = None
    for index, cluster in enumerate(clusters):
        after = next((each for each in letters[index:] if each is not None), None)
        before = letters[index] if letters[index] is not None else before
        around = before if before == after else None
        resolved.append(True if unicodedata.bidirectional(cluster[0]) in _NUMBERS else around)
    return resolved


def initials(name: str) -> str:
    """Return one or two characters that stand for a name."""
    words = (graphemes(word) for word in clean(name).split())
    first = [
        word for word in (next((g for g in word if g[0].isalnum() or _is_emoji(g)), None) for word in words) if word
    ]
    if not first:
        return "?"
    return "".join([first[0], first[-1]][: len(first)]).upper()


def _reorder(runs: list[_Run], *, rightward_line: bool) -> list[_Run]:
    ordered: list[_Run] = []
    for rightward, group in groupby(runs, key=lambda run: run.rightward):
        members = list(group)
        block = members if rightward else members[::-1]
        ordered = ordered + block if rightward_line else block + ordered
    return ordered


def _is_emoji(cluster: str) -> bool:
    return "\ufe0f" in cluster or any("\U0001f000" <= c <= "\U0001faff" for c in cluster)


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_tag(character: str) -> bool:
    return "\U000e0020" <= character <= "\U000e007f"


def _draw_outlines(font: hb.Font, buffer: hb.Buffer, rgba: Rgba, ascent: int) -> None:
    raster = hb.RasterDraw()
    raster.scale_factor = (_SUBPIXELS, _SUBPIXELS)
    pen = 0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        raster.transform = (1.0, 0.0, 0.0, 1.0, float(pen + position.x_offset), float(position.y_offset))
        raster.draw_glyph(font, info.codepoint)
        pen += position.x_advance
    image = raster.render()
    extents = image.extents
    if not extents.width or not extents.height:
        return
    rows = np.frombuffer(bytes(image.buffer), np.uint8).reshape(extents.height, extents.stride)
    mask = rows[::-1, : extents.width]
    top = ascent - (extents.y_origin + extents.height)
    _paste(rgba, np.dstack([np.full((*mask.shape, 3), 255, np.uint8), mask]), extents.x_origin, top)


def _draw_emoji(font: hb.Font, buffer: hb.Buffer, rgba: Rgba, ascent: int) -> None:
    pen = 0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        blob = font.get_glyph_color_png(info.codepoint)
        w = max(1, round(position.x_advance / _SUBPIXELS))
        if blob.data:
            bitmap = _decode_png(bytes(blob.data), w)
            _paste(rgba, bitmap, round(pen / _SUBPIXELS), ascent - round(bitmap.shape[0] * 0.82))
        pen += position.x_advance


@lru_cache(maxsize=256)
def _decode_png(data: bytes, width: int) -> Rgba:
    with av.open(io.BytesIO(data), mode="r", format="png_pipe") as container:
        frame = next(container.decode(video=0))
    height = max(1, round(frame.height * width / frame.width))
    rgba = frame.reformat(format="rgba").reformat(width=width, height=height, interpolation="AREA")
    return rgba.to_ndarray().astype(np.uint8, copy=False)


def _paste(onto: Rgba, what: Rgba, x: int, y: int) -> None:
    top, left = max(0, y), max(0, x)
    bottom, right = min(onto.shape[0], y + what.shape[0]), min(onto.shape[1], x + what.shape[1])
    if top < bottom and left < right:
        onto[top:bottom, left:right] = what[top - y : bottom - y, left - x : right - x]
