"""Networks of `make bench-network` on which more is expected than that the meeting goes on: bounds, not figures."""

from __future__ import annotations

import pytest
from bench.chromium_meeting import ARGUMENTS, HTML
from bench.minimal_page import served
from bench.network import ROWS, figures_on
from playwright.async_api import async_playwright

from support.people import CHROMIUM

# media in real time: it runs alone
pytestmark = pytest.mark.measures_time


async def measured(name: str, behind: str) -> dict[str, float]:
    """Return the figures of a row over our server, `behind` being the side with that network."""
    async with served(HTML) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            return await figures_on(browser, address, "tertulia", ROWS[name], behind)
        finally:
            await browser.close()


async def test_the_picture_becomes_smaller_and_large_again() -> None:
    figures = await measured("narrow", "receiver")
    assert figures["smaller after, s"] < 3
    assert figures["frames a second while narrow"] > 13
    assert figures["frozen while narrow, s"] < 5
    assert figures["sound whole, %"] > 90
    assert figures["full again after, s"] < 12


# without anything against it 17 % of the tenths of seconds are whole, without copies 62, without the hold 83
@pytest.mark.parametrize(("behind", "whole"), [("sender", 88), ("receiver", 72)])
async def test_sound_is_whole_from_far_away_through_heavy_loss(behind: str, whole: float) -> None:
    figures = await measured("loss-30-far", behind)
    assert figures["sound whole, %"] > whole
    assert figures["frames a second"] > 3
