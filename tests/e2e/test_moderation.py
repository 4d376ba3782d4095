"""Hands, reactions, what moderators do about the others, and the lobby: seen in the pages of all."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, Locator, expect

from support.accessibility import overflows, violations
from support.people import People, Person
from support.product import Product, RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def meeting_of_two(people: People, one: Browser, other: Browser, room: RoomLinks) -> tuple[Person, Person]:
    mona, ben = await people.at(one, "Mona"), await people.at(other, "Ben")
    await asyncio.gather(mona.join(room.moderator), ben.join(room.publisher))
    await expect(mona.tile_of("Ben")).to_be_visible()
    await expect(ben.tile_of("Mona")).to_be_visible()
    return mona, ben


async def open_list(person: Person) -> Locator:
    """Open the list of people."""
    await person.page.get_by_test_id("count").click()
    panel = person.page.get_by_role("complementary", name="People")
    await expect(panel).to_be_visible()
    return panel


async def test_hands_and_reactions_are_seen_by_all(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    mona, ben = await meeting_of_two(people, red_browser, blue_browser, room)
    await ben.page.keyboard.press("m")
    await expect(ben.page.get_by_role("button", name="Unmute", exact=True)).to_be_visible()
    await ben.page.keyboard.press("h")
    await expect(mona.tile_of("Ben").get_by_test_id("hand")).to_contain_text("1")
    await expect(mona.page.get_by_role("log")).to_contain_text("Raised hand: Ben")

    panel = await open_list(mona)
    await panel.get_by_role("button", name="Lower all hands").click()
    await expect(ben.tile_of("Ben").get_by_test_id("hand")).to_have_count(0)
    await expect(ben.page.get_by_role("button", name="Raise hand", exact=True)).to_be_visible()
    await mona.page.keyboard.press("Escape")
    await expect(mona.page.get_by_test_id("count")).to_be_focused()

    await ben.press("Reactions")
    await expect(ben.page.get_by_role("button", name="Thumbs up")).to_be_focused()
    await people.screenshot("reactions-menu")
    await ben.page.keyboard.press("Enter")
    await expect(mona.tile_of("Ben").get_by_test_id("reactions")).to_have_text("👍")
    await people.screenshot("reactions")
    await ben.page.keyboard.press("Escape")
    await expect(ben.page.get_by_role("button", name="Reactions", exact=True)).to_be_focused()
    await expect(mona.tile_of("Ben").get_by_test_id("reactions")).to_have_count(0)


async def test_the_hand_goes_down_when_its_user_has_spoken(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    mona, ben = await meeting_of_two(people, red_browser, blue_browser, room)
    # his microphone hears a voice all the time
    await ben.press("Raise hand")
    await expect(mona.tile_of("Ben").get_by_test_id("hand")).to_be_visible()
    await expect(mona.tile_of("Ben").get_by_test_id("hand")).to_have_count(0)
    await expect(ben.page.get_by_role("log")).to_contain_text("Your hand is lowered")


async def test_a_moderator_mutes_asks_promotes_and_removes(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    mona, ben = await meeting_of_two(people, red_browser, blue_browser, room)
    panel, others = await open_list(mona), await open_list(ben)
    await expect(others.get_by_role("button", name="Actions for Mona")).to_have_count(0)
    await expect(others.get_by_role("button", name="Mute all")).to_have_count(0)
    assert await violations(ben.page) == []

    await panel.get_by_role("button", name="Actions for Ben").click()
    await expect(panel.get_by_label("Role of Ben")).to_have_value("publisher")
    assert await violations(mona.page) == []
    await people.screenshot("people")
    await panel.get_by_role("button", name="Mute", exact=True).click()
    await expect(ben.page.locator('[data-notice="muted_by_moderator"]')).to_be_visible()
    await panel.get_by_role("button", name="Stop camera", exact=True).click()
    await expect(ben.page.locator('[data-notice="camera_stopped"]')).to_be_visible()

    await panel.get_by_role("button", name="Ask to unmute").click()
    question = ben.page.locator('[data-notice="ask_to_unmute"]')
    await expect(ben.page.get_by_role("button", name="Mute", exact=True)).to_have_count(0)
    await question.get_by_role("button", name="Unmute").click()
    await expect(question).to_have_count(0)
    await mona.hears()

    await panel.get_by_label("Role of Ben").select_option("moderator")
    await expect(others.get_by_role("button", name="Mute all")).to_be_visible()
    await panel.get_by_label("Role of Ben").select_option("viewer")
    await expect(others.get_by_role("button", name="Mute all")).to_have_count(0)
    await expect(ben.page.get_by_text("You are watching")).to_be_visible()

    await panel.get_by_role("button", name="Remove").click()
    await expect(ben.end_screen("removed")).to_be_visible()


async def test_a_locked_room_says_so_and_the_meeting_ends_for_all(
    people: People, red_browser: Browser, blue_browser: Browser, product: Product, room: RoomLinks
) -> None:
    mona, ben = await meeting_of_two(people, red_browser, blue_browser, room)
    panel = await open_list(mona)
    await panel.get_by_role("button", name="Lock the room").click()
    await expect(ben.page.locator(".badge", has_text="Locked")).to_be_visible()
    cleo = await people.at(blue_browser, "Cleo")
    await cleo.open(room.publisher)
    await cleo.fill_in()
    await cleo.press_join()
    await expect(cleo.page.get_by_role("alert")).to_contain_text("The room is locked")
    await panel.get_by_role("button", name="Unlock the room").click()
    await expect(ben.page.locator(".badge", has_text="Locked")).to_have_count(0)

    # what the application changes is seen at once
    await expect(ben.page.get_by_role("button", name="Chat", exact=True)).to_be_visible()
    await product.ask("PUT", f"/rooms/{room.name}", {"chatPreferences": {"enabled": False}})
    await expect(ben.page.get_by_role("button", name="Chat", exact=True)).to_have_count(0)

    await panel.get_by_role("button", name="End for all").click()
    dialog = mona.page.get_by_role("dialog", name="End the meeting for everybody?")
    await dialog.get_by_role("button", name="End for all").click()
    await expect(ben.end_screen("meeting_over")).to_be_visible()
    await expect(mona.end_screen("meeting_over")).to_be_visible()


async def test_guests_wait_in_the_lobby_across_reloads(
    people: People, red_browser: Browser, blue_browser: Browser, product: Product
) -> None:
    room = await product.create_room(preferences={"lobbyPreferences": {"enabled": True}})
    phone = {"viewport": {"width": 375, "height": 667}}
    mona = await people.at(red_browser, "Mona", **phone)
    ben, cleo = await people.at(blue_browser, "Ben", **phone), await people.at(blue_browser, "Cleo")
    await mona.join(room.moderator)
    for guest in (ben, cleo):
        await guest.open(room.publisher)
        await guest.fill_in()
        await guest.press_join()
        await expect(guest.page.get_by_test_id("lobby")).to_be_visible()
    notice = mona.page.locator('[data-notice="lobby"]')
    await expect(notice).to_contain_text("2 people wait")
    await ben.page.reload()
    await expect(ben.page.get_by_test_id("lobby")).to_be_visible()
    assert await violations(ben.page) == []
    await people.screenshot("lobby-waiting")

    await notice.get_by_role("button", name="Show").click()
    panel = mona.page.get_by_role("complementary", name="People")
    assert await violations(mona.page) == []
    assert not await overflows(mona.page)
    await people.screenshot("lobby-list")
    await panel.get_by_role("button", name="Refuse Cleo").click()
    await expect(cleo.end_screen("lobby_refused")).to_be_visible()
    await panel.get_by_role("button", name="Let in Ben").click()
    await expect(ben.tile_of("Mona")).to_be_visible()
    await expect(ben.page.get_by_role("button", name="Leave")).to_be_visible()
    await expect(notice).to_have_count(0)
