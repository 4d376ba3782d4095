"""What users choose for their own window: their picture hidden, the whole screen, a screen that stays on."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, expect

from support.crowd import crowd, speaking
from support.fake_media import BLUE, RED
from support.people import People, Person
from support.product import Product, RoomLinks

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
    await ana.page.wait_for_function("() => held === 1")
    await ana.press("Full screen")
    await ana.page.wait_for_function("() => document.fullscreenElement !== null")
    await ana.press("Leave full screen")
    await ana.page.wait_for_function("() => document.fullscreenElement === null")
    await ana.press("Leave")
    await ana.page.wait_for_function("() => held === 0")


async def test_layouts_are_remembered_and_a_pinned_tile_is_large(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    on_stage = ana.page.locator(".stage .tile")
    await expect(ana.tile_of("Ben")).to_be_visible()
    await expect(on_stage).to_have_count(0)
    await ana.press("Speaker view")
    await expect(on_stage).to_have_attribute("data-identity", "Ben")
    await ana.sees("Ben", BLUE)
    await people.screenshot("speaker-view")

    await ana.press("Pin Ana (you)")
    await expect(on_stage).to_have_attribute("data-identity", "Ana")
    await ana.press("Unpin Ana (you)")
    await expect(on_stage).to_have_attribute("data-identity", "Ben")

    await ana.page.reload()
    await ana.press_join()
    await expect(on_stage).to_have_attribute("data-identity", "Ben")
    await ana.press("Grid view")
    await expect(on_stage).to_have_count(0)


async def test_a_speaker_of_another_page_is_brought_to_this_one(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.publisher)
    async with crowd(product, room, 27, can_publish=True) as clients:
        await expect(ana.page.get_by_test_id("count")).to_have_attribute("data-count", "28")
        await expect(ana.tiles()).to_have_count(25)
        await people.screenshot("two-pages")
        await ana.press("Next page")
        await expect(ana.tiles()).to_have_count(3)
        away = await identities(ana)
        await ana.press("Previous page")
        await expect(ana.tiles()).to_have_count(25)
        before = await identities(ana)
        speaker = next(client for client in clients if client.local_participant.identity == away[-1])
        async with speaking(speaker):
            await expect(ana.tile_of(away[-1])).to_have_attribute("data-speaking", "true")
            after = await identities(ana)
        assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


async def identities(person: Person) -> list[str]:
    """Return whose tiles are shown, in their order."""
    found: list[str] = await person.tiles().evaluate_all("(all) => all.map((tile) => tile.dataset.identity)")
    return found
