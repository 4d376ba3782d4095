"""The page without a mouse, without eyes, on a small screen and in the dark; and what it weighs."""

from __future__ import annotations

from typing import Final

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from support.accessibility import overflows, violations
from support.people import People
from support.product import Product, RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORM_BUDGET_BYTES: Final = 60_000


async def test_the_keyboard_is_enough(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.open(room.publisher)
    name = ana.page.get_by_label("Your name")
    await tab_to(ana.page, "input#name")
    await expect(name).to_be_focused()
    await ana.page.keyboard.type("Ana")
    await ana.page.keyboard.press("Enter")
    await expect(ana.page.get_by_role("button", name="Leave")).to_be_visible()

    await tab_to(ana.page, '[data-control="microphone"]')
    await ana.page.keyboard.press("Space")
    await expect(ana.page.get_by_role("button", name="Unmute")).to_be_focused()

    await ana.page.keyboard.press("?")
    help_dialog = ana.page.get_by_role("dialog", name="Help")
    await expect(help_dialog).to_be_visible()
    await help_dialog.get_by_label("Use single-key shortcuts").uncheck()
    await ana.page.keyboard.press("Escape")
    await expect(help_dialog).to_have_count(0)
    await ana.page.keyboard.press("?")
    await expect(help_dialog).to_have_count(0)

    await tab_to(ana.page, '[data-control="leave"]')
    await ana.page.keyboard.press("Enter")
    await expect(ana.stop_page("left")).to_be_visible()


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until that element has the focus, as somebody without a mouse does."""
    for _ in range(25):
        if await page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached with the Tab key")


async def test_joins_and_leaves_are_said(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(red_browser, "Ben")
    await ana.join(room.publisher)
    spoken = ana.page.get_by_role("log")
    await ben.join(room.publisher)
    await expect(spoken).to_contain_text("Ben joined")
    await ben.press("Leave")
    await expect(spoken).to_contain_text("Ben left")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_nothing_stands_in_the_way_of_assistive_technology(
    people: People, red_browser: Browser, room: RoomLinks, scheme: str, width: int
) -> None:
    ana = await people.at(
        red_browser, "Ana", color_scheme=scheme, viewport={"width": width, "height": 700}, reduced_motion="reduce"
    )
    await ana.open(room.moderator)
    await ana.fill_in()
    await expect(ana.page.locator(".preview video")).to_be_visible()
    assert await violations(ana.page) == []
    assert not await overflows(ana.page)
    await people.photograph(f"form-{scheme}-{width}")

    await ana.join(room.moderator)
    await expect(ana.tile_of("Ana")).to_be_visible()
    await ana.press("Chat")
    assert await violations(ana.page) == []
    assert not await overflows(ana.page)
    await people.photograph(f"meeting-{scheme}-{width}")


async def test_the_page_is_light_and_locked_down(product: Product, room: RoomLinks) -> None:
    async with aiohttp.ClientSession(auto_decompress=False, headers={"accept-encoding": "gzip"}) as http:
        async with http.get(room.publisher) as page:
            policy = page.headers["content-security-policy"]
            html = await page.read()
            assert page.headers["referrer-policy"] == "no-referrer"
        assert "unsafe" not in policy
        assert b"<style" not in html
        weight = len(html)
        for address in await first_assets(product, room):
            async with http.get(address) as asset:
                assert asset.headers["content-encoding"] == "gzip"
                assert "immutable" in asset.headers["cache-control"]
                weight += len(await asset.read())
    assert weight <= FORM_BUDGET_BYTES


async def first_assets(product: Product, room: RoomLinks) -> list[str]:
    """Return what the form needs: the script and the style sheet that the page itself names."""
    async with aiohttp.ClientSession() as http, http.get(room.publisher) as page:
        html = await page.text()
    names = [part.split('"')[0] for part in html.split('="/assets/')[1:]]
    return [f"{product.url}/assets/{name}" for name in names if name.endswith((".js", ".css"))]
