"""Links that do not open a meeting say why, and the form says what to correct."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import Browser, expect

from support.people import People
from support.product import Product, RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_wrong_secret_gets_a_page_that_says_so(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "Ana")
    for link in (room.publisher[:-3] + "abc", room.publisher.partition("?")[0]):
        await ana.open(link)
        await expect(ana.end_screen("link_not_valid")).to_be_visible()
    await expect(ana.page.get_by_label("Your name")).to_have_count(0)


async def test_an_unknown_room_gets_a_page_that_says_so(people: People, red_browser: Browser, product: Product) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.open(f"{product.url}/meet/nowhere-abcdefghijklmno/?secret=whatever")
    await expect(ana.end_screen("meeting_over")).to_be_visible()


async def test_expiry_ends_the_meeting_and_the_link(people: People, red_browser: Browser, product: Product) -> None:
    room = await product.create_room(expirationDate=int((time.time() + 8) * 1000))
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.publisher)
    await expect(ana.end_screen("meeting_over")).to_be_visible()
    await ana.open(room.publisher)
    await expect(ana.end_screen("meeting_over")).to_be_visible()


async def test_a_taken_name_is_reported_in_the_form(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, other = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ana")
    await ana.join(room.publisher)
    await other.open(room.publisher)
    await other.fill_in()
    await other.press_join()
    await expect(other.page.get_by_role("alert")).to_contain_text("already has this name")
    await expect(other.page.get_by_label("Your name")).to_be_focused()

    other.name = "Ana Two"
    await other.fill_in()
    await other.press_join()
    await expect(ana.tile_of("Ana Two")).to_be_visible()


async def test_a_full_meeting_is_reported(people: People, red_browser: Browser, product: Product) -> None:
    room = await product.create_room(maxParticipants=1)
    ana, ben = await people.at(red_browser, "Ana"), await people.at(red_browser, "Ben")
    await ana.join(room.publisher)
    await ben.open(room.publisher)
    await ben.fill_in()
    await ben.press_join()
    await expect(ben.page.get_by_role("alert")).to_contain_text("The meeting is full")


async def test_a_missing_name_is_asked_for(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "  ")
    await ana.open(room.publisher)
    await ana.fill_in()
    await ana.press_join()
    await expect(ana.page.get_by_role("alert")).to_contain_text("Please enter your name")


async def test_an_unreachable_server_is_reported(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.open(room.publisher)
    await ana.fill_in()
    await ana.page.context.set_offline(True)
    await ana.press_join()
    await expect(ana.page.get_by_role("alert")).to_contain_text("cannot be reached")
    await ana.page.context.set_offline(False)
    await ana.press_join()
    await expect(ana.page.get_by_role("button", name="Leave")).to_be_visible()


async def test_a_browser_without_webrtc_is_reported(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.page.add_init_script("delete globalThis.RTCPeerConnection")
    await ana.open(room.publisher)
    await expect(ana.end_screen("no_webrtc")).to_be_visible()


async def test_a_camera_without_permission_is_reported(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.page.add_init_script(
        "MediaDevices.prototype.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError') }"
    )
    await ana.open(room.publisher)
    await expect(ana.page.get_by_text("Camera: The browser may not use it")).to_be_visible()
    await expect(ana.page.get_by_text("Microphone: The browser may not use it")).to_be_visible()
