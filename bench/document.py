"""Writes figures into documents, between the marks of the command that measures them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PERFORMANCE: Final = Path(__file__).parents[1] / "docs/performance.md"


def write_figures(command: str, figures: str, document: Path = PERFORMANCE) -> None:
    """Replace what the document shows of this `make` target."""
    begin, end = f"<!-- figures: make {command} -->\n", f"<!-- end of figures: make {command} -->\n"
    before, _, rest = document.read_text().partition(begin)
    _, _, after = rest.partition(end)
    document.write_text(before + begin + figures + end + after)
