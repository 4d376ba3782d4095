"""A muted user who speaks is told; the space bar opens the microphone for as long as it is held."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from support.people import People
from support.product import Product, RoomLinks
from support.waiting import until

# media in real time: they run alone
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.measures_time]

NOTICE: Final = '[data-notice="speaking_muted"]'

# every open microphone of the page, its copies too
KEEP_MICROPHONES: Final = """
(() => {
  const kept = globalThis.testMicrophones = [];
  const open = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = async function (constraints) {
    const stream = await open.call(this, constraints);
    kept.push(...stream.getAudioTracks());
    return stream;
  };
  const clone = MediaStreamTrack.prototype.clone;
  MediaStreamTrack.prototype.clone = function () {
    const copy = clone.call(this);
    kept.push(copy);
    return copy;
  };
  globalThis.openMicrophones = () => kept.filter(({ readyState }) => readyState === 'live').length;
})();
"""


async def test_who_speaks_while_muted_is_told_and_unmutes_with_one_click(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(KEEP_MICROPHONES)
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    notice = ana.page.locator(NOTICE)
    await ana.press("Mute")
    await expect(notice).to_contain_text("you are muted")
    await expect(ana.page.get_by_role("log")).to_contain_text("You are speaking, but you are muted")
    await people.screenshot("speaking-muted")
    await notice.get_by_role("button", name="Unmute").click()
    await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "false")
    await expect(notice).to_have_count(0)
    await ben.hears()
    await ana.press("Mute")
    await expect(notice).to_be_visible()
    await ana.page.get_by_role("button", name="Unmute").first.click()
    await expect(notice).to_have_count(0)
    assert await ana.page.evaluate("openMicrophones()") == 1, "the copy that was listened to is closed"

    # and who does not want that is not listened to
    await ana.press("Devices")
    await ana.page.get_by_label("Tell me when I speak while muted").uncheck()
    await ana.page.keyboard.press("Escape")
    await ana.press("Mute")
    await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "true")
    assert await ana.page.evaluate("openMicrophones()") == 1
    await ana.press("Leave")
    await ana.page.wait_for_function("() => openMicrophones() === 0")


async def test_a_microphone_that_was_never_on_is_not_opened_to_listen(
    people: People, red_browser: Browser, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.page.add_init_script(KEEP_MICROPHONES)
    await ana.open(room.publisher)
    await ana.page.get_by_role("switch", name="Microphone").click()
    await ana.fill_in()
    await ana.press_join()
    await expect(ana.page.locator('[data-control="microphone"]')).to_have_accessible_name("Unmute")
    assert await ana.page.evaluate("openMicrophones()") == 0


async def test_who_may_no_longer_speak_is_not_listened_to(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.page.add_init_script(KEEP_MICROPHONES)
    await ana.join(room.publisher)
    await ana.press("Mute")
    await expect(ana.page.locator(NOTICE)).to_be_visible()
    assert await ana.page.evaluate("openMicrophones()") == 2
    await product.ask("PUT", f"/rooms/{room.name}/participants/Ana", {"role": "viewer"})
    await until("no microphone is open", lambda: ana.page.evaluate("openMicrophones() === 0"))
    await expect(ana.page.locator(NOTICE)).to_have_count(0)


async def test_the_space_bar_opens_the_microphone_while_it_is_held(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    keyboard, ana_muted = ana.page.keyboard, ben.tile_of("Ana")
    await expect(ana_muted).to_have_attribute("data-muted", "false")
    await keyboard.press("m")
    await expect(ana_muted).to_have_attribute("data-muted", "true")

    await keyboard.down("Space")
    await expect(ana_muted).to_have_attribute("data-muted", "false")
    await expect(ana.page.get_by_role("log")).to_contain_text("Your microphone is on")
    await keyboard.up("Space")
    await expect(ana_muted).to_have_attribute("data-muted", "true")
    await expect(ana.page.get_by_role("log")).to_contain_text("Your microphone is muted")

    await keyboard.down("Space")
    await expect(ana_muted).to_have_attribute("data-muted", "false")
    await ana.page.evaluate("dispatchEvent(new Event('blur'))")
    await expect(ana_muted).to_have_attribute("data-muted", "true")
    await keyboard.up("Space")

    # it types, and presses what has the focus
    await ana.press("Chat")
    await ana.page.get_by_label("Message to everybody").focus()
    await keyboard.type("a b")
    await expect(ana.page.get_by_label("Message to everybody")).to_have_value("a b")
    await keyboard.press("Escape")
    await ana.page.get_by_role("button", name="Chat").focus()
    await keyboard.press("Space")
    await expect(ana.page.get_by_label("Message to everybody")).to_be_visible()
    await expect(ana_muted).to_have_attribute("data-muted", "true")
    await expect(ana.page.locator('[data-control="microphone"]')).to_have_accessible_name("Unmute")
