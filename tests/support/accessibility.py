"""Checks for assistive technology, for the keyboard and for small screens."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.async_api import Frame, Page

AXE: Final = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
FOCUSED: Final = "document.activeElement?.dataset.control ?? document.activeElement?.tagName ?? ''"


async def violations(page: Page | Frame, *only: str) -> list[str]:
    """Return what axe-core finds against WCAG 2.2 A and AA; of some rules, if they are named."""
    if not await page.evaluate("'axe' in globalThis"):
        await page.evaluate(AXE.read_text())
    wanted = {"type": "rule", "values": only} if only else {"type": "tag", "values": RULES}
    result = await page.evaluate("(runOnly) => axe.run({ runOnly })", wanted)
    return [
        f"{found['id']}: {found['help']} at {[(node['target'], node['failureSummary']) for node in found['nodes']]}"
        for found in result["violations"]
    ]


async def overflows(page: Page) -> bool:
    """Tell whether the page scrolls horizontally."""
    found: bool = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return found


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until that element has the focus, as a keyboard user does."""
    for _ in range(40):
        if await page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached with the Tab key")


async def is_focused(page: Page, name: str) -> bool:
    """Tell whether a control, by its name, or an element, by its tag, has the focus."""
    return bool(await page.evaluate(FOCUSED) == name)
