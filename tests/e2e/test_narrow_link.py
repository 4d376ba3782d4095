"""A receiver whose link becomes narrow for a while: a smaller picture that moves, sound, and the large one again."""

from __future__ import annotations

import pytest
from bench.chromium_meeting import ARGUMENTS, HTML
from bench.minimal_page import served
from bench.network import ROWS, two_pages
from playwright.async_api import async_playwright

from support.media_server_process import MediaServerProcess
from support.people import CHROMIUM

# media in real time: it runs alone
pytestmark = pytest.mark.measures_time


async def test_the_picture_becomes_smaller_and_large_again() -> None:
    row, server = ROWS["narrow"], MediaServerProcess("tertulia")
    async with served(HTML) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        await server.start()
        try:
            async with two_pages(browser, address, server, row, "receiver") as pair:
                figures = await row.measure(pair)
        finally:
            await server.kill()
            await browser.close()
    assert figures["smaller after, s"] < 3
    assert figures["frames a second while narrow"] > 13
    assert figures["frozen while narrow, s"] < 5
    assert figures["sound whole, %"] > 90
    assert figures["full again after, s"] < 12
