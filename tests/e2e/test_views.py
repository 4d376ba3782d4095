"""What users choose for their own window: their picture hidden, the whole screen, a screen that stays on."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, expect

from support.fake_media import RED
from support.people import People
from support.product import RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_ones_own_picture_can_be_hidden_and_others_still_see_it(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await expect(ana.tile_of("Ana")).to_be_visible()
    await ana.press("Devices")
    await ana.page.get_by_label("Hide my own picture").check()
    await people.screenshot("devices-dialog")
    await ana.page.keyboard.press("Escape")
    await expect(ana.tile_of("Ana")).to_have_count(0)
    await expect(ana.tile_of("Ben")).to_be_visible()
    await ben.sees("Ana", RED)

    await ana.press("Leave")
    await ana.press("Join again")
    await ana.press_join()
    await expect(ana.tile_of("Ben")).to_be_visible()
    await expect(ana.tile_of("Ana")).to_have_count(0)


async def test_the_screen_stays_on_and_the_meeting_can_fill_it(
    people: People, red_browser: Browser, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.page.add_init_script(
        """
        globalThis.held = 0;
        WakeLock.prototype.request = async () => {
          globalThis.held += 1;
          return { release: async () => { globalThis.held -= 1; } };
        };
        """
    )
    await ana.join(room.publisher)
    await ana.page.wait_for_function("held === 1")
    await ana.press("Full screen")
    await ana.page.wait_for_function("document.fullscreenElement !== null")
    await ana.press("Leave full screen")
    await ana.page.wait_for_function("document.fullscreenElement === null")
    await ana.press("Leave")
    await ana.page.wait_for_function("held === 0")
