"""However a participant leaves, the others see it; who is removed sees why."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Playwright, expect

from support.fake_media import BLUE
from support.people import People, browser_with, kill_browser
from support.product import Product, RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT_ONCE_MS = 5_000
VANISHED_MS = 25_000  # 15 s to reconnect, and what it takes to detect


async def test_the_leave_button_removes_the_tile_at_once(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await expect(ana.tile_of("Ben")).to_be_visible()
    await ben.press("Leave")
    await expect(ana.tile_of("Ben")).to_have_count(0, timeout=AT_ONCE_MS)
    await expect(ben.end_screen("left")).to_be_visible()

    await ben.press("Join again")
    await ben.press_join()
    await expect(ana.tile_of("Ben")).to_be_visible()


async def test_closing_the_tab_removes_the_tile_at_once(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await expect(ana.tile_of("Ben")).to_be_visible()
    await ben.page.close(run_before_unload=True)
    await expect(ana.tile_of("Ben")).to_have_count(0, timeout=AT_ONCE_MS)


async def test_a_killed_browser_is_removed_after_its_time_to_reconnect(
    people: People, red_browser: Browser, playwright: Playwright, room: RoomLinks, media: Path
) -> None:
    ana = await people.at(red_browser, "Ana")
    async with browser_with(playwright, picture=media / "blue.y4m", mark=room.name) as other_browser:
        ben = await people.at(other_browser, "Ben")
        await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
        await ana.sees("Ben", BLUE)
        kill_browser(room.name)
        await expect(ana.tile_of("Ben")).to_have_count(0, timeout=VANISHED_MS)
    await expect(ana.page.get_by_test_id("count")).to_have_attribute("data-count", "1")


async def test_a_reload_rejoins_as_the_same_participant(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await expect(ana.tile_of("Ben")).to_be_visible()
    await ben.page.reload()
    await expect(ben.page.get_by_label("Your name")).to_have_value("Ben")
    await ben.press_join()
    await expect(ben.page.get_by_role("button", name="Leave")).to_be_visible()
    await ana.sees("Ben", BLUE)
    await expect(ana.tiles()).to_have_count(2)


async def test_a_removed_participant_sees_why(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.publisher)
    await product.ask("DELETE", f"/participants/Ana?roomName={room.name}")
    await expect(ana.end_screen("removed")).to_be_visible()


async def test_a_deleted_room_ends_the_meeting_for_all(
    people: People, red_browser: Browser, blue_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await product.ask("DELETE", f"/rooms/{room.name}")
    await expect(ana.end_screen("meeting_over")).to_be_visible()
    await expect(ben.end_screen("meeting_over")).to_be_visible()


async def test_joining_elsewhere_ends_the_older_window_and_says_so(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    older = await people.at(red_browser, "Ana")
    await older.join(room.publisher)
    # a duplicated tab has the tab's token: the same participant
    token = await older.token_of(room.name)
    newer = await people.at(blue_browser, "Ana")
    await newer.open(room.publisher)
    await newer.page.evaluate(
        "([room, token]) => sessionStorage.setItem(`tertulia.token.${room}`, token)", [room.name, token]
    )
    await newer.join(room.publisher)
    await expect(older.end_screen("joined_elsewhere")).to_be_visible()
    await expect(newer.tiles()).to_have_count(1)
