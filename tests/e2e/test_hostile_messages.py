"""What another participant sends breaks no page: chat goes on, and above all sound and video."""

from __future__ import annotations

import asyncio
import base64
from typing import Any, Final

import pytest
from livekit.protocol.models import DataPacket, DataStream
from playwright.async_api import Browser, expect

from support.fake_media import BLUE
from support.people import People, Person
from support.product import RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")

LARGEST_TIMESTAMP: Final = 2**63 - 1
CHUNK: Final = b"x" * 14_000

# an attacker writes into its own data channel whatever it likes
KEEP_CHANNELS: Final = """
(() => {
  const create = RTCPeerConnection.prototype.createDataChannel;
  globalThis.testChannels = {};
  RTCPeerConnection.prototype.createDataChannel = function (label, options) {
    const channel = create.call(this, label, options);
    globalThis.testChannels[label] = channel;
    return channel;
  };
})();
"""

SEND: Final = """
async (packets) => {
  const channel = globalThis.testChannels._reliable;
  for (const packet of packets) {
    while (channel.bufferedAmount > 200_000) await new Promise((resolve) => setTimeout(resolve, 10));
    channel.send(Uint8Array.from(atob(packet), (char) => char.charCodeAt(0)));
  }
}
"""


def header(stream: str, **fields: Any) -> DataPacket:
    defaults = {"timestamp": LARGEST_TIMESTAMP, "topic": "lk.chat", "mime_type": "text/plain"}
    text = DataStream.TextHeader()
    return DataPacket(
        stream_header=DataStream.Header(stream_id=stream, text_header=text, **(defaults | fields)),
    )


def chunk(stream: str, content: bytes, index: int = 0) -> DataPacket:
    return DataPacket(stream_chunk=DataStream.Chunk(stream_id=stream, chunk_index=index, content=content))


def trailer(stream: str) -> DataPacket:
    return DataPacket(stream_trailer=DataStream.Trailer(stream_id=stream))


async def send(person: Person, *packets: DataPacket) -> None:
    await person.page.evaluate(SEND, [base64.b64encode(packet.SerializeToString()).decode() for packet in packets])


async def write(person: Person, text: str) -> None:
    await person.page.get_by_label("Message to everybody").fill(text)
    await person.page.keyboard.press("Enter")


async def test_hostile_messages_break_no_page(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, mallory = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Mallory")
    await mallory.page.add_init_script(KEEP_CHANNELS)
    await asyncio.gather(ana.join(room.publisher), mallory.join(room.publisher))
    await ana.sees("Mallory", BLUE)
    await ana.press("Chat")
    words = ana.page.locator(".messages .words")

    # a time that no calendar has, and one id for two messages
    for text in (b"first", b"second"):
        await send(mallory, header("same"), chunk("same", text), trailer("same"))
    await expect(words).to_have_text(["first", "second"])

    # a stream without an end, one without a bound, one longer than it says
    await send(mallory, header("endless"), *[chunk("endless", CHUNK, index) for index in range(50)])
    long = [header("long"), *[chunk("long", CHUNK, index) for index in range(20)], trailer("long")]
    await send(mallory, *long)
    await send(mallory, header("lying", total_length=1), *[chunk("lying", CHUNK, index) for index in range(20)])
    await expect(words).to_have_count(3)
    await ana.page.get_by_role("button", name="Show all").click()
    assert len(await words.last.text_content() or "") == 100_000

    await mallory.press("Chat")
    await write(mallory, "last")
    await expect(words.last).to_have_text("last")
    await ana.decodes()
    await ana.press("Mute")
    await expect(mallory.tile_of("Ana")).to_have_attribute("data-muted", "true")


async def test_a_flood_of_messages_is_cut(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, mallory = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Mallory")
    await mallory.page.add_init_script(KEEP_CHANNELS)
    await asyncio.gather(ana.join(room.publisher), mallory.join(room.publisher))
    await ana.sees("Mallory", BLUE)
    await ana.press("Chat")
    flood = [
        packet
        for number in range(300)
        for packet in (header(f"s{number}"), chunk(f"s{number}", b"spam"), trailer(f"s{number}"))
    ]
    await send(mallory, *flood)
    await expect(ana.page.locator(".messages .words").first).to_be_visible()
    await ana.decodes()
    assert await ana.page.locator(".messages .words").count() < 60
    await ana.press("Mute")
    await expect(mallory.tile_of("Ana")).to_have_attribute("data-muted", "true")


async def test_a_view_that_fails_leaves_the_meeting_alone(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await ana.sees("Ben", BLUE)
    await ana.press("Chat")
    await ana.page.evaluate(
        """() => Object.defineProperty(Intl.DateTimeFormat.prototype, 'format', {
          get() { throw new Error('a view that fails'); }, configurable: true,
        })"""
    )
    await ben.press("Chat")
    await write(ben, "hello")
    await expect(ana.page.get_by_role("alert")).to_contain_text("Chat: this part of the page failed")
    await people.screenshot("a-view-that-fails")
    await ana.sees("Ben", BLUE)
    await asyncio.gather(ana.decodes(), ana.hears())
    await ana.press("Mute")
    await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "true")
    assert any("a view that fails" in error for error in ana.page_errors)
    ana.page_errors.clear()
