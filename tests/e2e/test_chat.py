"""The chat: nothing is sent twice or lost, readers stay where they read, and who comes later sees what was written."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest
from livekit import rtc
from playwright.async_api import Browser, expect

from support.chatting import bot_in, chatting, words, write
from support.people import People
from support.product import Product, RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONGEST_TASK_MS: Final = 500
"""Of the page, while it shows the longest texts: two cores, several browsers."""

LONG_TASKS: Final = """
globalThis.longestTaskMs = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) globalThis.longestTaskMs = Math.max(globalThis.longestTaskMs, task.duration);
}).observe({ type: 'longtask' });
"""


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


async def test_who_comes_later_sees_what_was_written(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana = await (await people.at(red_browser, "Ana")).join(room.publisher)
    await ana.press("Chat")
    await write(ana, "hello")
    await write(ana, "the plan: https://example.org/plan")
    await expect(words(ana)).to_have_count(2)
    cleo = await (await people.at(blue_browser, "Cleo")).join(room.viewer)
    await expect(cleo.page.get_by_role("button", name="Chat, 2 unread")).to_be_visible()
    await people.screenshot("chat-unread")
    await cleo.page.get_by_role("button", name="Chat").click()
    await expect(words(cleo)).to_have_text(["hello", "the plan: https://example.org/plan"])
    await expect(cleo.page.locator(".messages .from bdi")).to_have_text(["Ana", "Ana"])
    await expect(cleo.page.get_by_role("button", name="Chat", exact=True)).to_have_attribute("aria-pressed", "true")
    await write(cleo, "thanks")
    await expect(words(ana).last).to_have_text("thanks")

    await cleo.page.reload()
    await cleo.press_join()
    await cleo.page.get_by_role("button", name="Chat").click()
    await expect(words(cleo)).to_have_text(["hello", "the plan: https://example.org/plan", "thanks"])
    await expect(cleo.page.locator(".messages .mine .words")).to_have_text(["thanks"])


async def test_links_are_what_they_look_like(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await chatting(people, red_browser, blue_browser, room)
    hostile = "<a href=javascript:alert(1)>x</a> javascript:alert(1) https://bank.example@evil.example/"
    await write(ana, f"see https://example.org/a_(b)?c=d, {hostile}")
    links = words(ben).get_by_role("link")
    await expect(links).to_have_text(["https://example.org/a_(b)?c=d"])
    for name, value in (
        ("href", "https://example.org/a_(b)?c=d"), ("target", "_blank"), ("rel", "noopener noreferrer"),
    ):  # fmt: skip
        await expect(links).to_have_attribute(name, value)
    await expect(words(ben)).to_have_text([f"see https://example.org/a_(b)?c=d, {hostile}"])


async def test_what_is_written_without_a_network_is_sent_once_it_is_back(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await chatting(people, red_browser, blue_browser, room)
    await ana.page.context.set_offline(True)
    await write(ana, "from the tunnel")
    await expect(ana.page.get_by_role("button", name="Send again")).to_be_visible()
    await ana.page.context.set_offline(False)
    await expect(ana.page.get_by_role("button", name="Send again")).to_have_count(0)
    await expect(ana.page.locator(".messages li")).to_have_attribute("data-state", "sent")
    await write(ana, "out of it")
    await expect(words(ben)).to_have_text(["from the tunnel", "out of it"])


async def test_a_message_can_be_copied(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await (await people.at(red_browser, "Ana")).join(room.publisher)
    await ana.press("Chat")
    await write(ana, "a word\u202e to keep")
    await ana.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await ana.page.get_by_role("button", name="Copy").click()
    await expect(ana.page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    assert await ana.page.evaluate("navigator.clipboard.readText()") == "a word\u202e to keep"


@pytest.mark.measures_time
async def test_long_texts_do_no_harm(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks, product: Product
) -> None:
    """One too long is not sent, and says so; what another client sends is shown in part, and freezes nothing."""
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(LONG_TASKS)
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await asyncio.gather(ana.press("Chat"), ben.press("Chat"))
    await ana.page.get_by_label("Message to everybody").fill("x" * 100_000)
    await expect(ana.page.get_by_text("Too long by 96,000 characters")).to_be_visible()
    await expect(ana.page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    await people.screenshot("chat-too-long")
    await write(ana, "x" * 4000)
    await expect(words(ben)).to_have_count(1)

    await ana.page.evaluate("globalThis.longestTaskMs = 0")
    async with bot_in(product, room) as bot:
        for text in ("y" * 100_000, "http://".ljust(100_000, "(")):
            await bot.me.send_text(text, topic="lk.chat")
        await expect(words(ana)).to_have_count(3)
    assert len(await words(ana).last.inner_text()) < 2100
    await ana.page.get_by_role("button", name="Show all").nth(1).click()
    assert len(await words(ana).nth(1).text_content() or "") == 100_000
    assert await ana.page.evaluate("globalThis.longestTaskMs") < LONGEST_TASK_MS


async def test_other_livekit_clients_chat_with_the_page(
    people: People, red_browser: Browser, room: RoomLinks, product: Product
) -> None:
    ana = await (await people.at(red_browser, "Ana")).join(room.publisher)
    await ana.press("Chat")
    async with bot_in(product, room) as bot:
        heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

        async def read(reader: rtc.TextStreamReader, identity: str) -> None:
            await heard.put((identity, await reader.read_all()))

        tasks: set[asyncio.Task[None]] = set()

        def on_stream(reader: rtc.TextStreamReader, identity: str) -> None:
            tasks.add(asyncio.ensure_future(read(reader, identity)))

        bot.room.register_text_stream_handler("lk.chat", on_stream)
        await expect(ana.tile_of("Bot")).to_be_visible()
        await write(ana, "hello")
        assert await asyncio.wait_for(heard.get(), 10) == ("Ana", "hello")
        await bot.me.send_text("hello, Ana", topic="lk.chat")
        await expect(words(ana)).to_have_text(["hello", "hello, Ana"])


async def test_a_room_that_keeps_nothing(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks, product: Product
) -> None:
    ana = await (await people.at(red_browser, "Ana")).join(room.publisher)
    await ana.press("Chat")
    await expect(ana.page.get_by_text("Those who come later see them too")).to_be_visible()
    await product.ask("PUT", f"/rooms/{room.name}", {"chatPreferences": {"history": False}})
    await expect(ana.page.get_by_text("Only those who are here now see them")).to_be_visible()
    await write(ana, "between us")
    await expect(ana.page.locator(".messages li")).to_have_attribute("data-state", "sent")
    cleo = await people.at(blue_browser, "Cleo")
    async with cleo.page.expect_response(lambda answer: answer.url.endswith("/messages")) as asked:
        await cleo.join(room.publisher)
    assert await (await asked.value).json() == []
    await cleo.press("Chat")
    await write(ana, "all of us")
    await expect(words(cleo)).to_have_text(["all of us"])
