"""The chat: nothing is sent twice, nothing that was typed is lost, and readers stay where they read."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, expect

from support.people import People, Person
from support.product import RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def chatting(people: People, one: Browser, other: Browser, room: RoomLinks) -> tuple[Person, Person]:
    ana, ben = await people.at(one, "Ana"), await people.at(other, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await asyncio.gather(ana.press("Chat"), ben.press("Chat"))
    await expect(ana.tile_of("Ben")).to_be_visible()
    await expect(ben.tile_of("Ana")).to_be_visible()
    return ana, ben


async def write(person: Person, text: str) -> None:
    await person.page.get_by_label("Message to everybody").fill(text)
    await person.page.keyboard.press("Enter")


async def test_enter_twice_sends_once_and_nothing_that_was_typed_is_lost(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await chatting(people, red_browser, blue_browser, room)
    draft = ana.page.get_by_label("Message to everybody")
    # both keys and the next text in one task of the page: no answer can come in between
    await draft.fill("once")
    await draft.evaluate(
        """(input) => {
          const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
          input.form.requestSubmit();
          input.form.requestSubmit();
          set.call(input, 'typed meanwhile');
          input.dispatchEvent(new Event('input', { bubbles: true }));
        }"""
    )
    await expect(ben.page.locator(".messages .words")).to_have_text(["once"])
    await expect(draft).to_have_value("typed meanwhile")

    await ana.page.keyboard.press("Escape")
    await expect(draft).to_have_count(0)
    await ana.press("Chat")
    await expect(draft).to_have_value("typed meanwhile")
    await ana.page.keyboard.press("Enter")
    await expect(ben.page.locator(".messages .words")).to_have_text(["once", "typed meanwhile"])


async def test_new_messages_do_not_tear_a_reader_away(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await chatting(people, red_browser, blue_browser, room)
    words = ana.page.locator(".messages .words")
    await write(ben, "an old one\n" * 3 + "x" * 1500)
    await expect(words).to_have_count(1)
    await write(ben, "y" * 1500)
    await expect(words.last).to_be_in_viewport()
    await ana.page.locator(".messages").evaluate("(list) => list.scrollTo(0, 0)")
    await expect(words.first).to_be_in_viewport()

    await write(ben, "news")
    newer = ana.page.get_by_role("button", name="Newer messages")
    await expect(newer).to_be_visible()
    assert await ana.page.locator(".messages").evaluate("(list) => list.scrollTop") == 0
    await people.screenshot("chat-newer")
    await newer.click()
    await expect(words.last).to_be_in_viewport()
    await expect(newer).to_have_count(0)


async def test_a_message_that_does_not_get_through_can_be_sent_again(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(
        """
        (() => {
          const send = RTCDataChannel.prototype.send;
          RTCDataChannel.prototype.send = function (data) {
            if (globalThis.isCut) throw new DOMException('cut', 'InvalidStateError');
            return send.call(this, data);
          };
        })();
        """
    )
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await asyncio.gather(ana.press("Chat"), ben.press("Chat"))
    await expect(ana.tile_of("Ben")).to_be_visible()
    await write(ana, "hello")
    await expect(ben.page.locator(".messages .words")).to_have_text(["hello"])
    await ana.page.evaluate("globalThis.isCut = true")
    await write(ana, "again")
    again = ana.page.get_by_role("button", name="Send again")
    await expect(again).to_be_visible()
    await people.screenshot("chat-not-sent")
    await ana.page.evaluate("globalThis.isCut = false")
    await again.click()
    await expect(ben.page.locator(".messages .words")).to_have_text(["hello", "again"])
