"""The page speaks the language of the link or of the browser, and writes in its direction."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, expect

from support.accessibility import overflows, violations
from support.people import People
from support.product import RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_browsers_language_and_the_links(people: People, red_browser: Browser, room: RoomLinks) -> None:
    dora = await people.at(red_browser, "Dora", locale="de-AT")
    await dora.open(room.publisher)
    await expect(dora.page.get_by_role("button", name="Teilnehmen")).to_be_visible()
    await expect(dora.page.locator("html")).to_have_attribute("lang", "de")
    await dora.open(room.publisher + "&lang=fr")
    await expect(dora.page.get_by_role("button", name="Entrer")).to_be_visible()
    await expect(dora.page.locator("html")).to_have_attribute("lang", "fr")
    assert await violations(dora.page) == []


@pytest.mark.parametrize("width", [375, 1280])
async def test_arabic_is_written_from_right_to_left(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks, width: int
) -> None:
    viewport = {"width": width, "height": 700}
    amal = await people.at(red_browser, "أمل", locale="ar-EG", viewport=viewport, reduced_motion="reduce")
    ben = await people.at(blue_browser, "Ben")
    await amal.open(room.moderator)
    await expect(amal.page.locator("html")).to_have_attribute("dir", "rtl")
    await amal.page.get_by_label("اسمك").fill("أمل")
    await expect(amal.page.locator(".preview video")).to_be_visible()
    assert await violations(amal.page) == []
    assert not await overflows(amal.page)
    await people.screenshot(f"arabic-form-{width}")
    await amal.page.get_by_role("button", name="انضمام", exact=True).click()
    await asyncio.gather(ben.join(room.publisher), expect(amal.tile_of("أمل").locator("video")).to_be_visible())
    await amal.page.locator('[data-control="chat"]').click()
    await amal.page.get_by_label("رسالة إلى الجميع").fill("مرحبا")
    await amal.page.keyboard.press("Enter")
    await expect(amal.page.locator(".messages .words")).to_have_text(["مرحبا"])
    assert await violations(amal.page) == []
    assert not await overflows(amal.page)
    await people.screenshot(f"arabic-meeting-{width}")
