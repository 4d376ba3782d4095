"""A bad network: the page says whose it is and what was done, and can do with less."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, expect

from support.accessibility import overflows, violations
from support.fake_media import BLUE, RED
from support.lossy_page import lossy_page, media_port_of
from support.people import People, Person
from support.product import RoomLinks
from support.waiting import until

# media in real time: they run alone
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.measures_time]


async def test_data_is_saved_and_the_choice_remembered(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await ben.sees("Ana", RED)
    await ben.page.locator('[data-control="connection"]').click()
    await ben.page.get_by_text("Numbers").click()
    row = ben.page.get_by_role("row", name=re.compile("Ana, camera"))
    await expect(row).to_contain_text("VP8")
    await expect(row).to_contain_text("host udp")
    await people.screenshot("connection-dialog")
    await ben.page.get_by_label("Only sound").check()
    await ben.page.keyboard.press("Escape")
    await until("no picture arrives", lambda: video_has_stopped(ben))
    await ben.hears()

    await ben.page.reload()
    await ben.press_join()
    await expect(ben.tile_of("Ana")).to_be_visible()
    await ben.hears()
    await until("no picture arrives", lambda: video_has_stopped(ben))
    await expect(ben.tile_of("Ana").locator("video")).to_have_count(0)
    await people.screenshot("only-sound")

    await ben.page.locator('[data-control="connection"]').click()
    await ben.page.get_by_label("Only pinned pictures").check()
    await ben.page.keyboard.press("Escape")
    await ben.press("Pin Ana")
    await ben.sees("Ana", RED)


async def test_each_page_tells_whose_network_is_bad_and_when_it_is_good_again(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ben.join(room.publisher)
    await ben.sees("Ben", BLUE)
    async with lossy_page(ana.page, await media_port_of(ben)) as link:
        await ana.join(room.publisher)
        await asyncio.gather(ana.sees("Ben", BLUE), ben.sees("Ana", RED))
        link.loss = 0.3
        mine, theirs = (person.page.locator('[data-control="connection"]') for person in (ana, ben))
        told = ben.tile_of("Ana").get_by_test_id("tile-link")
        await expect(mine).to_have_accessible_name(re.compile("Your connection is weak"))
        await expect(told).to_have_text("Weak connection")
        await people.screenshot("whose-network")
        await expect(theirs).to_have_accessible_name(re.compile("Your connection is good"))
        await expect(ana.tile_of("Ben").get_by_test_id("tile-link")).to_have_count(0)
        assert link.lost

        link.loss = 0.0
        await expect(mine).to_have_accessible_name(re.compile("Your connection is good"))
        await expect(told).to_have_count(0)


async def video_has_stopped(person: Person) -> bool:
    """Tell whether no picture arrives while the sound goes on."""
    before = await received(person)
    await person.page.evaluate("new Promise((done) => setTimeout(done, 300))")
    after = await received(person)
    return after["video"] == before["video"] and after["audio"] > before["audio"]


async def received(person: Person) -> dict[str, int]:
    stats = await person.inbound()
    return {kind: sum(s["bytesReceived"] for s in stats if s["kind"] == kind) for kind in ("audio", "video")}


@pytest.mark.parametrize(("scheme", "width"), [("dark", 375), ("light", 1280)])
async def test_the_dialog_fits_and_is_accessible(
    people: People, red_browser: Browser, room: RoomLinks, scheme: str, width: int
) -> None:
    look = {"viewport": {"width": width, "height": 700}, "color_scheme": scheme, "reduced_motion": "reduce"}
    ana = await people.at(red_browser, "Ana", **look)
    await ana.join(room.publisher)
    await ana.page.locator('[data-control="connection"]').click()
    await ana.page.get_by_text("Numbers").click()
    await expect(ana.page.get_by_role("row", name=re.compile("Ana, camera"))).to_contain_text("VP8")
    assert await violations(ana.page) == []
    assert not await overflows(ana.page)
    assert await ana.page.locator("dialog").evaluate("(dialog) => dialog.scrollWidth <= dialog.clientWidth")
    await people.screenshot(f"connection-{scheme}-{width}")
    await ana.page.keyboard.press("Escape")
    await expect(ana.page.locator('[data-control="connection"]')).to_be_focused()
