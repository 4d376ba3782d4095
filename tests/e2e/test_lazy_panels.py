"""Panels and dialogs are loaded when they are opened first: also while the network is slow or fails."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, Route, expect

from support.people import People
from support.product import RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_panel_that_cannot_be_loaded_says_so_and_is_tried_again(
    people: People, red_browser: Browser, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.moderator)
    await ana.page.route("**/assets/ChatPanel-*.js", lambda route: route.abort())
    await ana.press("Chat")
    failed = ana.page.get_by_role("alert").filter(has_text="Chat")
    await expect(failed).to_be_visible()
    await people.screenshot("panel-not-loaded")
    await ana.page.unroute("**/assets/ChatPanel-*.js")
    await failed.get_by_role("button").click()
    await expect(ana.page.get_by_label("Message to everybody")).to_be_focused()
    await expect(failed).to_have_count(0)
    # reported, as any error of the page is
    assert all("ChatPanel" in error for error in ana.page_errors)
    ana.page_errors.clear()


async def test_a_panel_that_is_slow_to_load_moves_nothing_until_it_is_there(
    people: People, red_browser: Browser, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.moderator)
    asked, may_load = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await may_load.wait()
        await route.continue_()

    await ana.page.route("**/assets/PeoplePanel-*.js", hold)
    await expect(ana.tile_of("Ana")).to_be_visible()
    before = await ana.tile_of("Ana").bounding_box()
    people_button = ana.page.get_by_test_id("count")
    await people_button.click()
    await asked.wait()
    await expect(people_button).to_have_attribute("aria-expanded", "true")
    await expect(people_button).to_be_focused()
    assert await ana.tile_of("Ana").bounding_box() == before
    # closed before it is there
    await people_button.click()
    async with ana.page.expect_request_finished(lambda request: "PeoplePanel" in request.url):
        may_load.set()
    await expect(people_button).to_be_focused()
    await expect(ana.page.locator("aside")).to_have_count(0)

    await people_button.click()
    await expect(ana.page.get_by_role("heading", name="People")).to_be_focused()
    await ana.page.keyboard.press("Escape")
    await expect(people_button).to_be_focused()
