"""Checks for assistive technology and for small screens."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.async_api import Frame, Page

AXE: Final = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


async def violations(page: Page | Frame) -> list[str]:
    """Return what axe-core finds against WCAG 2.2 A and AA."""
    await page.evaluate(AXE.read_text())
    result = await page.evaluate(
        "() => axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
    )
    return [
        f"{found['id']}: {found['help']} at {[node['target'] for node in found['nodes']]}"
        for found in result["violations"]
    ]


async def overflows(page: Page) -> bool:
    """Tell whether the page scrolls horizontally."""
    found: bool = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return found
