"""How the pages of an installation look: its name, its logo, its colours. Colours must be readable (WCAG 2.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LEAST_CONTRAST: Final = 3.0
"""Between a control and what is around it (WCAG 2.2, 1.4.11)."""
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}\Z")
_SURFACES: Final = {"accentLight": "#ffffff", "accentDark": "#1a2221"}
"""What is around the accent colour, in each theme (web/src/styles/theme.css)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What differs from how Tertulia looks; what is empty does not. `logo` is a `data:` URL of a picture."""

    name: str = ""
    logo: str = ""
    accent_light: str = ""
    accent_dark: str = ""


def is_colour(text: str) -> bool:
    """Return whether a text is a colour such as `#0f6b63`."""
    return _COLOUR.match(text) is not None


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def contrast_problem(theme: str, colour: str) -> str | None:
    """Return what is wrong with an accent colour in a theme (`accentLight`, `accentDark`), or None.

    Text on it is white or black, whichever is easier to read: one of both always has a contrast of 4.58 at least.
    """
    surface = _SURFACES[theme]
    found = contrast(colour, surface)
    if found >= LEAST_CONTRAST:
        return None
    return f"has a contrast of {found:.2f} to {surface}; it needs {LEAST_CONTRAST:g}"


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour, from 0 to 1 (WCAG 2.2)."""
    red, green, blue = (_linear(int(colour[start : start + 2], 16) / 255) for start in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB
