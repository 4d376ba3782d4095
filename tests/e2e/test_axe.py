"""axe-core finds nothing in any page, panel or dialog: in both themes, in forced colours, from right to left."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Page, expect

from support.accessibility import overflows, violations
from support.people import People, Person
from support.product import Product, RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")

# what depends on a theme; all other rules are checked once
OF_A_LOOK: Final = ("color-contrast", "link-in-text-block", "target-size")
LOOKS: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("dark", {"color_scheme": "dark", "forced_colors": "none"}, "ltr"),
    ("forced, light", {"color_scheme": "light", "forced_colors": "active"}, "ltr"),
    ("forced, dark", {"color_scheme": "dark", "forced_colors": "active"}, "ltr"),
    ("from right to left", {"color_scheme": "light", "forced_colors": "none"}, "rtl"),
)
# WCAG 1.4.12
WIDER_TEXT: Final = """
(isOn) => {
  const sheet = new CSSStyleSheet();
  if (isOn) sheet.replaceSync(`* {
    line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important;
  }
  p { margin-block-end: 2em !important; }`);
  document.adoptedStyleSheets = [sheet];
}
"""
DIRECTION: Final = "(direction) => { document.documentElement.dir = direction }"


class Looker:
    """Looks at what a user has on the screen, in every look, and collects what is wrong."""

    def __init__(self) -> None:
        self.found: list[str] = []

    async def look(self, person: Person, what: str) -> None:
        page = person.page
        await self._note(page, what)
        for look, media, direction in LOOKS:
            await page.emulate_media(**media)
            await page.evaluate(DIRECTION, direction)
            await self._note(page, f"{what}, {look}", *OF_A_LOOK)
        await page.emulate_media(color_scheme="light", forced_colors="none")
        await page.evaluate(WIDER_TEXT, True)
        if await overflows(page):
            self.found.append(f"{what}, with wider text: scrolls sideways")
        await page.evaluate(WIDER_TEXT, False)
        await page.evaluate(DIRECTION, "ltr")

    async def _note(self, page: Page, what: str, *rules: str) -> None:
        self.found += [f"{what}: {violation}" for violation in await violations(page, *rules)]
        if await overflows(page):
            self.found.append(f"{what}: scrolls sideways")


async def test_axe_finds_nothing_in_the_meeting_and_its_panels(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    looker = Looker()
    mona, ben = await people.at(red_browser, "Mona", reduced_motion="reduce"), await people.at(blue_browser, "Ben")
    await asyncio.gather(mona.join(room.moderator), ben.join(room.publisher))
    await ben.press("Raise hand")
    await expect(mona.tile_of("Ben").get_by_test_id("hand")).to_be_visible()
    await mona.press("Reactions")
    await looker.look(mona, "meeting, with reactions")
    await mona.page.keyboard.press("Escape")
    for control in ("chat", "people", "recordings"):
        await mona.page.locator(f'[data-control="{control}"]').click()
        await expect(mona.page.locator("aside")).to_be_visible()
        if control == "people":
            await mona.page.get_by_role("button", name="Actions for Ben").click()
        if control == "chat":
            await mona.page.keyboard.type("See https://example.org")
            await mona.page.keyboard.press("Enter")
            await expect(mona.page.locator(".messages .words")).to_have_count(1)
        await looker.look(mona, control)
    await mona.page.keyboard.press("Escape")
    for control in ("devices", "help", "connection"):
        await mona.page.locator(f'[data-control="{control}"]').click()
        await expect(mona.page.locator("dialog")).to_be_visible()
        if control == "connection":
            await mona.page.get_by_text("Numbers").click()
            await expect(mona.page.get_by_role("row", name="Ben, camera")).to_be_visible()
        await looker.look(mona, control)
        await mona.page.keyboard.press("Escape")
    assert looker.found == []


async def test_axe_finds_nothing_before_and_after_the_meeting_and_on_a_phone(
    people: People, red_browser: Browser, blue_browser: Browser, product: Product
) -> None:
    room = await product.create_room(preferences={"lobbyPreferences": {"enabled": True}})
    looker = Looker()
    phone = {"viewport": {"width": 375, "height": 667}, "reduced_motion": "reduce"}
    mona, ben = await people.at(red_browser, "Mona", **phone), await people.at(blue_browser, "Ben", **phone)
    await ben.open(room.publisher)
    await expect(ben.page.locator(".preview video")).to_be_visible()
    await looker.look(ben, "form")
    await ben.press("Background and noise")
    await expect(ben.page.locator("dialog video")).to_be_visible()
    await looker.look(ben, "form, with backgrounds")
    await ben.page.keyboard.press("Escape")
    await ben.press_join()
    await expect(ben.page.locator("input#name")).to_have_attribute("aria-invalid", "true")
    await looker.look(ben, "form without a name")
    await mona.join(room.moderator)
    await ben.fill_in()
    await ben.press_join()
    await expect(ben.page.get_by_test_id("lobby")).to_be_visible()
    await looker.look(ben, "lobby")

    await expect(mona.page.locator('[data-notice="lobby"]')).to_be_visible()
    await mona.page.locator('[data-control="more"]').click()
    await looker.look(mona, "phone, with the menu")
    await mona.page.keyboard.press("Escape")
    await mona.page.get_by_test_id("count").click()
    await expect(mona.page.locator(".guests")).to_be_visible()
    await looker.look(mona, "phone, with guests")
    await mona.press("End for all")
    await looker.look(mona, "question before the end")
    await mona.page.keyboard.press("Escape")
    await mona.press("Refuse Ben")
    await looker.look(ben, "refused")
    await mona.press("Leave")
    await looker.look(mona, "left")
    assert looker.found == []
