"""The meeting in a small window above all others."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest
from playwright.async_api import Browser, expect

from support.people import People, Person
from support.product import RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")

SMALL: Final = "documentPictureInPicture.window"


async def test_the_small_window_has_tiles_and_controls_and_closes_with_the_meeting(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await expect(ana.tile_of("Ben").locator("video")).to_be_visible()
    await ana.press("Picture in picture")
    await in_small(ana, "document.querySelector('.tile[data-identity=\"Ben\"] video')?.videoWidth > 0")
    assert await ana.page.evaluate(f"{SMALL}.document.querySelectorAll('.tile').length") == 1
    assert await ana.page.evaluate(f"{SMALL}.document.styleSheets.length") > 0

    await ana.page.evaluate(f"{SMALL}.document.querySelector('[data-control=microphone]').click()")
    await expect(ana.page.get_by_role("button", name="Unmute")).to_be_visible()
    await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "true")
    await in_small(ana, "document.querySelector('[data-control=microphone]').classList.contains('off')")

    await ana.page.evaluate(f"{SMALL}.document.querySelector('[data-control=back]').click()")
    await is_closed(ana)
    await expect(ana.page.get_by_role("button", name="Unmute")).to_be_visible()
    await expect(ana.tile_of("Ben").locator("video")).to_be_visible()

    await ana.press("Picture in picture")
    await in_small(ana, "document.querySelector('[data-control=leave]') !== null")
    await ana.page.evaluate(f"{SMALL}.document.querySelector('[data-control=leave]').click()")
    await expect(ana.end_screen("left")).to_be_visible()
    await is_closed(ana)


async def in_small(person: Person, condition: str) -> Any:
    """Wait until a condition holds in the small window."""
    inside = condition.replace("document.", f"{SMALL}?.document.", 1)
    return await person.page.wait_for_function(f"() => {SMALL} && {inside}")


async def is_closed(person: Person) -> None:
    await person.page.wait_for_function(f"() => {SMALL} === null")
    await expect(person.page.get_by_role("button", name="Picture in picture", pressed=True)).to_have_count(0)
