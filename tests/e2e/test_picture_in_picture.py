"""The meeting in a small window above all others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from support.accessibility import overflows, violations
from support.fake_media import BLUE
from support.people import People, Person
from support.product import RoomLinks

# media in real time: they run alone
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.measures_time]


async def test_the_small_window_has_tiles_and_controls_and_closes_with_the_meeting(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks, artefacts: Path
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await expect(ana.tile_of("Ben").locator("video")).to_be_visible()
    small = await small_window_of(ana)
    await expect(small.locator(".tile")).to_have_count(1)
    await small.wait_for_function("() => document.querySelector('.tile[data-identity=Ben] video')?.videoWidth > 0")
    await small.set_viewport_size({"width": 360, "height": 420})
    assert not await overflows(small)
    assert await violations(small) == []
    await small.screenshot(path=artefacts / "picture-in-picture.png")

    await small.get_by_role("button", name="Mute").click()
    await expect(small.get_by_role("button", name="Unmute")).to_be_visible()
    await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "true")
    await press_and_close(small, "Back")
    await is_closed(ana, small)
    await expect(ana.page.locator('[data-control="microphone"]')).to_have_accessible_name("Unmute")
    await expect(ana.tile_of("Ben").locator("video")).to_be_visible()

    small = await small_window_of(ana)
    await press_and_close(small, "Leave")
    await expect(ana.end_screen("left")).to_be_visible()
    await is_closed(ana, small)


async def test_without_document_picture_in_picture_it_is_the_speakers_video(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script("delete globalThis.documentPictureInPicture")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await ana.sees("Ben", BLUE)
    shown = "document.pictureInPictureElement?.closest('.tile')?.dataset.identity ?? null"
    button = ana.page.get_by_role("button", name="Picture in picture")
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "true")
    assert await ana.page.evaluate(shown) == "Ben"
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "false")
    assert await ana.page.evaluate(shown) is None

    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "true")
    await ben.press("Leave")
    await expect(button).to_have_attribute("aria-pressed", "false")


async def small_window_of(person: Person) -> Page:
    """Open the small window."""
    async with person.page.context.expect_page() as opened:
        await person.press("Picture in picture")
    return await opened.value


async def press_and_close(small: Page, name: str) -> None:
    """Press a button that closes its window, after this was answered: a click would wait for a window that is gone."""
    button = small.get_by_role("button", name=name)
    await expect(button).to_be_enabled()
    await button.evaluate("(button) => setTimeout(() => button.click())")


async def is_closed(person: Person, small: Page) -> None:
    """Wait until the window is closed, and the page knows."""
    await person.page.wait_for_function("() => documentPictureInPicture.window === null")
    if not small.is_closed():
        await small.wait_for_event("close")
    await expect(person.page.get_by_role("button", name="Picture in picture", pressed=True)).to_have_count(0)
