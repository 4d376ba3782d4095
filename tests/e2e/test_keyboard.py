"""The page by keyboard alone: a whole meeting, where the focus goes, and single keys."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from support.accessibility import is_focused, tab_to
from support.fake_media import BLUE
from support.people import People, Person
from support.product import RoomLinks
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

# the first question is refused by the browser, as a policy does it
REFUSED_ONCE: Final = """
(() => {
  const ask = MediaDevices.prototype.getDisplayMedia;
  let isRefused = false;
  MediaDevices.prototype.getDisplayMedia = async function (...options) {
    if (isRefused) return ask.apply(this, options);
    isRefused = true;
    throw new DOMException('Permission denied', 'NotAllowedError');
  };
})();
"""


async def test_a_whole_meeting_by_keyboard_alone(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    page, keyboard = ana.page, ana.page.keyboard
    await page.add_init_script(REFUSED_ONCE)
    await asyncio.gather(ana.open(room.moderator), ben.join(room.publisher))
    await tab_to(page, "input#name")
    await keyboard.type("Ana")
    await keyboard.press("Enter")
    await ana.sees("Ben", BLUE)
    await mutes_and_writes(ana, ben)
    await shares_a_screen(ana, ben)

    await keyboard.press("p")
    await expect(page.get_by_role("heading", name="People")).to_be_focused()
    await tab_to(page, '[aria-label="Actions for Ben"]')
    await keyboard.press("Enter")
    await keyboard.press("Tab")
    await expect(page.locator(":focus")).to_have_text("Mute")
    await keyboard.press("Enter")
    await expect(ben.tile_of("Ben")).to_have_attribute("data-muted", "true")
    await keyboard.press("Escape")
    await until("the focus is back", lambda: is_focused(page, "share"))

    await tab_to(page, '[data-control="leave"]')
    await keyboard.press("Enter")
    await expect(ana.end_screen("left")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_be_focused()


async def mutes_and_writes(ana: Person, ben: Person) -> None:
    page, keyboard = ana.page, ana.page.keyboard
    await tab_to(page, '[data-control="microphone"]')
    await keyboard.press("Space")
    await expect(page.locator('[data-control="microphone"]')).to_be_focused()
    await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "true")

    await tab_to(page, '[data-control="hand"]')
    await keyboard.press("Enter")
    await expect(ben.tile_of("Ana").get_by_test_id("hand")).to_be_visible()
    await keyboard.press("Enter")
    await expect(ben.tile_of("Ana").get_by_test_id("hand")).to_have_count(0)

    await tab_to(page, '[data-control="chat"]')
    await keyboard.press("Enter")
    await expect(page.get_by_label("Message to everybody")).to_be_focused()
    await keyboard.type("Hello Ben")
    await keyboard.press("Enter")
    await expect(ben.page.get_by_role("log")).to_contain_text("Ana wrote: Hello Ben")
    await keyboard.press("Escape")
    await until("the focus is back", lambda: is_focused(page, "chat"))


async def shares_a_screen(ana: Person, ben: Person) -> None:
    """Share one, which the browser refuses at first, and stop."""
    page, keyboard = ana.page, ana.page.keyboard
    await tab_to(page, '[data-control="share"]')
    await keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("ScreenCaptureAllowed")
    await tab_to(page, '.alerts [aria-label="Dismiss"]')
    await keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await tab_to(page, '[data-control="share"]')
    await keyboard.press("Enter")
    await expect(ben.tile_of("Ana", "screen_share")).to_be_visible()
    await keyboard.press("Enter")
    await expect(ben.tile_of("Ana", "screen_share")).to_have_count(0)


async def test_single_keys_can_be_switched_off(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.publisher)
    await ana.page.keyboard.press("?")
    help_dialog = ana.page.get_by_role("dialog", name="Help")
    await expect(help_dialog).to_be_visible()
    await help_dialog.get_by_label("Use single-key shortcuts").uncheck()
    await ana.page.keyboard.press("Escape")
    await expect(help_dialog).to_have_count(0)
    await ana.page.keyboard.press("?")
    await ana.page.keyboard.press("m")
    await expect(help_dialog).to_have_count(0)
    await expect(ana.page.get_by_role("button", name="Mute", exact=True)).to_be_visible()


async def test_the_focus_returns_to_what_opened_a_panel_or_dialog(
    people: People, red_browser: Browser, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.moderator)
    for control in ("chat", "recordings", "devices", "help"):
        await tab_to(ana.page, f'[data-control="{control}"]')
        await ana.page.keyboard.press("Enter")
        await expect(ana.page.locator("aside, dialog")).to_have_count(1)
        await ana.page.keyboard.press("Escape")
        await expect(ana.page.locator("aside, dialog")).to_have_count(0)
        await until(f"the focus is back on {control}", lambda name=control: is_focused(ana.page, name))

    # opened by a key from nowhere: its button has the focus, or the meeting, so that Tab goes on from there
    for key, owner in (("c", "chat"), ("?", "MAIN")):
        await ana.page.evaluate("document.activeElement.blur()")
        await ana.page.keyboard.press(key)
        await expect(ana.page.locator("aside, dialog")).to_have_count(1)
        await ana.page.keyboard.press("Escape")
        await expect(ana.page.locator("aside, dialog")).to_have_count(0)
        await until(f"{owner} has the focus", lambda name=owner: is_focused(ana.page, name))

    # from one panel to the other: the focus goes with the user
    await ana.press("Chat")
    await ana.page.locator('[data-control="recordings"]').click()
    await until("the other panel has the focus", lambda: is_focused(ana.page, "H2"))
    await ana.page.keyboard.press("Escape")
    await until("the focus is back", lambda: is_focused(ana.page, "recordings"))


async def test_shortcuts_are_keys_not_letters(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.publisher)
    await expect(ana.page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    for letter in ("ь", "ة"):
        await ana.page.evaluate(
            "(key) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, code: 'KeyM', bubbles: true }))",
            letter,
        )
        await expect(ana.page.locator('[data-control="microphone"]')).to_have_accessible_name("Unmute")
        await ana.page.keyboard.press("m")
        await expect(ana.page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
