"""A moderator records; everybody sees it, and the file is there afterwards."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, expect

from support.people import People, until
from support.product import Product, RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_moderator_records_by_a_button_and_everybody_sees_it(
    people: People, red_browser: Browser, blue_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.moderator), ben.join(room.publisher))
    await ana.press("Record")
    for person in (ana, ben):
        await expect(person.page.get_by_test_id("recording")).to_be_visible()
    await expect(ben.page.get_by_role("button", name="Record")).to_have_count(0)

    await expect(ana.page.get_by_role("button", name="Stop recording")).to_be_visible()
    await ana.press("Stop recording")
    for person in (ana, ben):
        await expect(person.page.get_by_test_id("recording")).to_have_count(0)

    async def finished() -> bool:
        everything = await product.ask("GET", "/recordings")
        (recording,) = (one for one in everything if one["roomName"] == room.name)
        return bool(recording["status"] == "STOPPED" and recording["size"] > 0)

    await until("the recording is finished", finished)


async def test_where_recording_is_off_nobody_is_offered_it(
    people: People, red_browser: Browser, product: Product
) -> None:
    private = await product.create_room(preferences={"recordingPreferences": {"enabled": False}})
    ana = await people.at(red_browser, "Ana")
    async with ana.page.expect_response(lambda answer: "fields=preferences" in answer.url):
        await ana.join(private.moderator)
    await expect(ana.page.get_by_role("button", name="Devices")).to_be_visible()
    await expect(ana.page.get_by_role("button", name="Record")).to_have_count(0)
