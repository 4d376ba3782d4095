"""The page for screen readers, on a small screen and in forced colours; and its size."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

import tertulia
from support.accessibility import is_focused, overflows, violations
from support.crowd import crowd
from support.people import People, Person
from support.product import Product, RoomLinks
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORM_BUDGET_BYTES: Final = 60_000
FORM_SCRIPTS_BUDGET_BYTES: Final = 40_000
SCRIPTS_BUDGET_BYTES: Final = 200_000
LANGUAGE_BUDGET_BYTES: Final = 8_000
WEB_ASSETS: Final = Path(tertulia.__file__).parent / "web_dist" / "assets"


async def test_joins_and_leaves_are_announced(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(red_browser, "Ben")
    await ana.join(room.publisher)
    live_region = ana.page.get_by_role("log")
    await ben.join(room.publisher)
    await expect(live_region).to_contain_text("Ben joined")
    await ben.press("Leave")
    await expect(live_region).to_contain_text("Ben left")


async def test_many_joins_are_two_announcements(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.publisher)
    await ana.page.evaluate(
        """() => {
          globalThis.said = [];
          new MutationObserver((changes) => {
            for (const { addedNodes } of changes) for (const node of addedNodes) said.push(node.textContent);
          }).observe(document.querySelector('[role=log]'), { childList: true });
        }"""
    )
    count = ana.page.get_by_test_id("count")
    async with crowd(product, room, 20):
        await expect(count).to_have_attribute("data-count", "21")
        await until(
            "a crowd is announced", lambda: ana.page.evaluate("said.some((text) => /others joined/.test(text))")
        )
        joins = await ana.page.evaluate("said.filter((text) => /joined/.test(text))")
        # they take some seconds to join on a busy machine
        assert len(joins) <= 6, joins


SIZES: Final = {"phone": (375, 667), "lying phone": (667, 375), "small phone": (320, 568), "zoomed": (640, 400)}


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("size", SIZES)
async def test_on_small_screens_all_controls_are_in_reach(
    people: People, red_browser: Browser, room: RoomLinks, size: str, direction: str
) -> None:
    width, height = SIZES[size]
    look = {"viewport": {"width": width, "height": height}, "reduced_motion": "reduce"}
    ana = await people.at(red_browser, "Ana", **look)
    await ana.join(room.moderator)
    await ana.page.evaluate("(direction) => { document.documentElement.dir = direction }", direction)
    await expect(ana.tile_of("Ana").locator("video")).to_be_visible()
    await expect(ana.page.locator('[data-control="recordings"]')).to_be_attached()
    await people.screenshot(f"small-{size}-{direction}")
    assert await in_one_row(ana.page)
    assert not await overflows(ana.page)
    more = ana.page.locator('[data-control="more"]')
    assert await more.is_visible() == (width < 608)
    if await more.is_visible():
        await menu_is_in_reach(people, ana, f"small-more-{size}-{direction}")
    await ana.press("Chat")
    await expect(ana.page.locator(".chat-panel")).to_be_visible()
    await people.screenshot(f"small-chat-{size}-{direction}")
    assert not await overflows(ana.page)
    assert await covered(ana.page) == []
    assert await violations(ana.page) == []


async def in_one_row(page: Page) -> bool:
    """Tell whether all controls are inside the window, side by side."""
    tops = await page.locator(".controls button").evaluate_all(
        """(buttons) => buttons.filter((button) => button.checkVisibility()).map((button) => {
          const { top, left, right, bottom, width } = button.getBoundingClientRect();
          const isInside = left >= 0 && top >= 0 && right <= innerWidth + 0.5 && bottom <= innerHeight + 0.5;
          return isInside && width >= 40 ? top : -1;
        })"""
    )
    return len(set(tops)) == 1 and tops[0] >= 0


async def menu_is_in_reach(people: People, person: Person, title: str) -> None:
    """Go through the menu of a phone by keyboard."""
    page = person.page
    await page.locator('[data-control="more"]').press("Enter")
    await until("the menu has the focus", lambda: is_focused(page, "reactions"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Thumbs up")).to_be_visible()
    await people.screenshot(title)
    assert not await overflows(page)
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await until("the menu gives the focus back", lambda: is_focused(page, "more"))
    await page.keyboard.press("Enter")
    await page.locator('[data-control="help"]').press("Enter")
    await expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    await page.keyboard.press("Escape")
    await until("the dialog gives the focus back", lambda: is_focused(page, "more"))


async def covered(page: Page) -> list[str]:
    """Return what can be focused and lies under something else."""
    found: list[str] = await page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, [tabindex="0"]')]
          .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled)
          .filter((element) => {
            const { left, top, width, height } = element.getBoundingClientRect();
            const at = document.elementFromPoint(left + width / 2, top + height / 2);
            return !element.contains(at) && !at?.contains(element);
          })
          .map((element) => element.outerHTML.slice(0, 100))"""
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_forced_colours_tell_the_speaker_and_what_is_off(
    people: People, red_browser: Browser, room: RoomLinks, scheme: str
) -> None:
    ana = await people.at(red_browser, "Ana", forced_colors="active", color_scheme=scheme, reduced_motion="reduce")
    await ana.open(room.publisher)
    await expect(ana.page.get_by_role("heading", level=1)).to_be_visible()
    assert await violations(ana.page) == []
    await ana.join(room.publisher)
    await ana.press("Stop camera")
    await ana.press("Chat")
    await expect(ana.page.locator(".chat-panel")).to_be_visible()
    tile = ana.tile_of("Ana")
    await expect(tile).to_have_attribute("data-speaking", "true")
    ring = "(tile) => getComputedStyle(tile, '::after').borderTopColor"
    while_speaking = await tile.evaluate(ring)
    await people.screenshot(f"forced-colours-{scheme}")
    assert await violations(ana.page) == []
    await ana.press("Mute")
    await expect(tile).to_have_attribute("data-speaking", "false")
    assert await tile.evaluate(ring) != while_speaking
    off, on = ana.page.locator(".control.microphone .control-icon"), ana.page.locator(".control.devices .control-icon")
    background = "(icon) => getComputedStyle(icon).backgroundColor"
    assert await off.evaluate(background) != await on.evaluate(background)


async def test_the_page_is_small_and_has_a_strict_policy(product: Product, room: RoomLinks) -> None:
    async with aiohttp.ClientSession(auto_decompress=False, headers={"accept-encoding": "gzip"}) as http:
        async with http.get(room.publisher) as page:
            policy = page.headers["content-security-policy"]
            html = await page.read()
            assert page.headers["referrer-policy"] == "no-referrer"
        assert "unsafe" not in policy
        assert b"<style" not in html
        size_bytes, scripts_bytes = len(html), 0
        for address in await first_assets(product, room):
            async with http.get(address) as asset:
                assert asset.headers["content-encoding"] == "gzip"
                assert "immutable" in asset.headers["cache-control"]
                asset_bytes = len(await asset.read())
                size_bytes += asset_bytes
                scripts_bytes += asset_bytes if address.endswith(".js") else 0
    assert size_bytes <= FORM_BUDGET_BYTES
    assert scripts_bytes <= FORM_SCRIPTS_BUDGET_BYTES


async def test_what_is_loaded_to_meet_is_small(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "Ana", locale="ar")
    await ana.page.goto(room.moderator)
    await ana.page.locator("input#name").fill("Ana")
    await ana.page.keyboard.press("Enter")
    await expect(ana.page.locator('[data-control="leave"]')).to_be_visible()
    await expect(ana.tile_of("Ana").locator("video")).to_be_visible()
    loaded = await ana.page.evaluate(
        "performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.endsWith('.js'))"
    )
    sizes = {name: (WEB_ASSETS / f"{Path(name).name}.gz").stat().st_size for name in loaded}
    assert sum(sizes.values()) <= SCRIPTS_BUDGET_BYTES, sizes
    # a panel is loaded when it is opened
    assert not [name for name in sizes if "Panel" in name or "Dialog" in name]
    languages = [size for name, size in sizes.items() if Path(name).name.startswith("ar-")]
    assert len(languages) == 1
    assert max(languages) <= LANGUAGE_BUDGET_BYTES


async def first_assets(product: Product, room: RoomLinks) -> list[str]:
    """Return what the form needs: the script and the style sheet that the HTML names."""
    async with aiohttp.ClientSession() as http, http.get(room.publisher) as page:
        html = await page.text()
    names = [part.split('"')[0] for part in html.split('="/assets/')[1:]]
    return [f"{product.url}/assets/{name}" for name in names if name.endswith((".js", ".css"))]
