"""The page by keyboard, for screen readers, on a small screen and in dark mode; and its size."""

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


async def test_everything_works_by_keyboard(people: People, red_browser: Browser, room: RoomLinks) -> None:
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
    await expect(ana.end_screen("left")).to_be_visible()


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until that element has the focus, as a keyboard user does."""
    for _ in range(25):
        if await page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached with the Tab key")


async def test_joins_and_leaves_are_announced(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(red_browser, "Ben")
    await ana.join(room.publisher)
    live_region = ana.page.get_by_role("log")
    await ben.join(room.publisher)
    await expect(live_region).to_contain_text("Ben joined")
    await ben.press("Leave")
    await expect(live_region).to_contain_text("Ben left")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_axe_finds_no_violation(
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
    await people.screenshot(f"form-{scheme}-{width}")

    await ana.join(room.moderator)
    await expect(ana.tile_of("Ana")).to_be_visible()
    await ana.press("Chat")
    assert await violations(ana.page) == []
    assert not await overflows(ana.page)
    await people.screenshot(f"meeting-{scheme}-{width}")


async def test_the_page_is_small_and_has_a_strict_policy(product: Product, room: RoomLinks) -> None:
    async with aiohttp.ClientSession(auto_decompress=False, headers={"accept-encoding": "gzip"}) as http:
        async with http.get(room.publisher) as page:
            policy = page.headers["content-security-policy"]
            html = await page.read()
            assert page.headers["referrer-policy"] == "no-referrer"
        assert "unsafe" not in policy
        assert b"<style" not in html
        size_bytes = len(html)
        for address in await first_assets(product, room):
            async with http.get(address) as asset:
                assert asset.headers["content-encoding"] == "gzip"
                assert "immutable" in asset.headers["cache-control"]
                size_bytes += len(await asset.read())
    assert size_bytes <= FORM_BUDGET_BYTES


async def first_assets(product: Product, room: RoomLinks) -> list[str]:
    """Return what the form needs: the script and the style sheet that the HTML names."""
    async with aiohttp.ClientSession() as http, http.get(room.publisher) as page:
        html = await page.text()
    names = [part.split('"')[0] for part in html.split('="/assets/')[1:]]
    return [f"{product.url}/assets/{name}" for name in names if name.endswith((".js", ".css"))]
