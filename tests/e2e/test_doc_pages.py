"""The documentation in a browser: its search, under its own policy; and the page of the quickstart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, ConsoleMessage, Request, expect

from support.host_site import host_site
from support.people import People
from support.product import Product, RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICKSTART: Final = Path(__file__).resolve().parents[2] / "docs/api/quickstart.md"


async def test_search(red_browser: Browser, product: Product) -> None:
    page = await red_browser.new_page()
    refused: list[str] = []
    asked: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            refused.append(message.text)

    def on_request(request: Request) -> None:
        asked.append(request.url)

    page.on("console", on_console)
    page.on("request", on_request)
    await page.goto(f"{product.url}/docs/", wait_until="networkidle")  # its script has come, and its index
    await expect(page.get_by_role("heading", name="Tertulia", level=1)).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("webhooks")
    await expect(page.get_by_text(re.compile(r"\d+ results"))).to_be_visible()
    # not that of the letters so far
    await expect(page.get_by_role("option", name="Webhooks", selected=True, exact=True)).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    assert refused == []
    assert [url for url in asked if not url.startswith((product.url, "data:", "blob:"))] == []
    await page.close()


async def test_the_page_of_the_quickstart(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    sample = QUICKSTART.read_text().partition("```html\n")[2].partition("```")[0]
    sample = sample.replace("http://localhost:6080/meet/…", room.publisher)
    ana = await people.at(red_browser, "Ana")
    async with host_site("localhost") as site:
        await ana.page.goto(site.show("/quickstart", sample.replace("http://localhost:6080", product.url)))
        await expect(ana.page.frame_locator("iframe").locator("input#name")).to_have_value("Ana")
