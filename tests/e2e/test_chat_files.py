"""Files of the chat: they arrive as they were sent, as downloads, and nothing that others send does harm."""

from __future__ import annotations

import base64
import random
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, FilePayload, expect

from support.chatting import bot_in, chatting, open_chat, words, write
from support.livekit_clients import LiveKitClient
from support.people import People
from support.product import Product, RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")

PICTURE: Final[FilePayload] = {
    "name": "dot.png",
    "mimeType": "text/html",
    "buffer": base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAACgAAAAeCAIAAADRv8uKAAAAK0lEQVR42u3NMQ0AAAgDsClBJxKRhQw4mvRvqudExG"
        "KxWCwWi8VisVj8N15hL2j7tvpYcAAAAABJRU5ErkJggg=="
    ),
}
PAGE: Final[FilePayload] = {
    "name": "dot.svg",
    "mimeType": "image/png",
    "buffer": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
}

# a network that takes nothing more for now
SLOW_CHANNEL: Final = """
(() => {
  const channels = [];
  const create = RTCPeerConnection.prototype.createDataChannel;
  RTCPeerConnection.prototype.createDataChannel = function (...args) {
    channels.push(create.apply(this, args));
    return channels.at(-1);
  };
  globalThis.goOn = () => {
    globalThis.isSlow = false;
    for (const channel of channels) channel.dispatchEvent(new Event('bufferedamountlow'));
  };
  const { get } = Object.getOwnPropertyDescriptor(RTCDataChannel.prototype, 'bufferedAmount');
  Object.defineProperty(RTCDataChannel.prototype, 'bufferedAmount', {
    get() { return globalThis.isSlow ? 10_000_000 : get.call(this); },
  });
})();
"""


async def test_a_file_arrives_as_it_was(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks, tmp_path: Path
) -> None:
    ana, ben = await chatting(people, red_browser, blue_browser, room)
    content = random.Random(1).randbytes(345_678)
    sent: FilePayload = {"name": "plan \u202efdp.exe", "mimeType": "text/html", "buffer": content}
    await ana.page.locator('input[type="file"]').set_input_files(files=[sent])
    download = ben.page.get_by_role("link", name="Download plan fdp.exe")
    await expect(download).to_be_visible()
    async with ben.page.expect_download() as started:
        await download.click()
    path = tmp_path / "received"
    received = await started.value
    await received.save_as(path)
    assert received.suggested_filename == "plan fdp.exe"
    assert path.read_bytes() == content

    await ana.page.locator('input[type="file"]').set_input_files(files=[PICTURE, PAGE])
    await expect(ben.page.locator(".file img")).to_have_count(1)
    await expect(ben.page.locator(".file")).to_have_count(3)
    await people.screenshot("chat-files")
    is_shown = "(image) => image.decode().then(() => image.naturalWidth)"
    assert await ben.page.locator(".file img").evaluate(is_shown) == 40
    too_large: FilePayload = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": bytes(10_000_001)}
    await ana.page.locator('input[type="file"]').set_input_files(files=[too_large])
    await expect(ana.page.get_by_text("Files can have up to 10 MB")).to_be_visible()
    await expect(ana.page.locator(".file")).to_have_count(3)


async def test_a_file_on_its_way_can_be_stopped(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(SLOW_CHANNEL)
    await open_chat(room, ana, ben)
    large: FilePayload = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": bytes(5_000_000)}
    await ana.page.evaluate("globalThis.isSlow = true")
    await ana.page.locator('input[type="file"]').set_input_files(files=[large])
    await expect(ana.page.get_by_role("progressbar", name="Sending film.mp4")).to_be_visible()
    await people.screenshot("chat-sending-a-file")
    await ana.page.get_by_role("button", name="Cancel").click()
    await expect(ana.page.locator(".file")).to_have_count(0)
    await ana.page.evaluate("globalThis.goOn()")
    await write(ana, "never mind")
    await expect(words(ben)).to_have_text(["never mind"])


async def test_a_room_without_files(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks, product: Product
) -> None:
    """They are not offered, and those that another client sends are dropped; at once, and back again."""
    ana, _ben = await chatting(people, red_browser, blue_browser, room)
    attach = ana.page.get_by_role("button", name="Send a file")
    await expect(attach).to_be_visible()
    await product.ask("PUT", f"/rooms/{room.name}", {"chatPreferences": {"files": False}})
    await expect(attach).to_have_count(0)
    async with bot_in(product, room) as bot:
        await _send(bot, "unwanted.txt")
        await bot.me.send_text("did you get it?", topic="lk.chat")
        await expect(words(ana)).to_have_text(["did you get it?"])
        await product.ask("PUT", f"/rooms/{room.name}", {"chatPreferences": {"files": True}})
        await expect(attach).to_be_visible()
        await _send(bot, "wanted.txt")
        await expect(words(ana)).to_have_count(2)
    await expect(ana.page.locator(".file bdi")).to_have_text(["wanted.txt"])


async def _send(bot: LiveKitClient, name: str) -> None:
    writer = await bot.me.stream_bytes(name, topic="lk.chat", total_size=10)
    await writer.write(b"0123456789")
    await writer.aclose()
