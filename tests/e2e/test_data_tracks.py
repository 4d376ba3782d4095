"""Data tracks of `livekit-client` in Chromium: over one and over two peer connections."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from support.livekit_clients import token
from support.media_servers import embedded
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLIENT = Path(__file__).resolve().parents[2] / "web/node_modules/livekit-client/dist/livekit-client.umd.js"
JOIN = """
async ([url, token, isSingle]) => {
  const room = new LivekitClient.Room({ singlePeerConnection: isSingle });
  const frames = [], ended = [], heard = [];
  room.on('reconnected', () => heard.push('reconnected'));
  room.on('dataTrackPublished', async (track) => {
    for await (const { payload } of track.subscribe()) {
      frames.push(`${track.publisherIdentity} ${track.info.name} ${payload[0]} ${payload.length}`);
    }
    ended.push(track.info.name);
  });
  await room.connect(url, token);
  Object.assign(globalThis, { room, frames, ended, heard });
}
"""
PUBLISH = "async (name) => { globalThis.track = await room.localParticipant.publishDataTrack({ name }); }"
# a frame may be lost or come before the subscription, so it is sent again until one is received
PUSH = "([first, size]) => { track.tryPush({ payload: new Uint8Array(size).fill(first) }).catch(() => {}); }"


async def _carries(sender: Page, receiver: Page, first: int, size: int, expected: str) -> None:
    async def received() -> bool:
        await sender.evaluate(PUSH, [first, size])
        return bool(await receiver.evaluate("(frame) => frames.includes(frame)", f"{expected} {first} {size}"))

    await until(f"a frame of {size} bytes", received)


async def test_frames_reach_who_subscribes(red_browser: Browser) -> None:
    async with embedded() as server, AsyncExitStack() as stack:
        ann, bob = [await red_browser.new_page() for _ in range(2)]
        for page, name, is_single in ((ann, "ann", False), (bob, "bob", True)):
            stack.push_async_callback(page.close)
            await page.goto(f"{server.http_url}/")
            await page.add_script_tag(path=CLIENT)
            await page.evaluate(JOIN, [server.ws_url, token(server, name, "room"), is_single])
        for sender, receiver, name in ((ann, bob, "ann"), (bob, ann, "bob")):
            await sender.evaluate(PUBLISH, "position")
            await _carries(sender, receiver, 1, 8, f"{name} position")
            await _carries(sender, receiver, 2, 40_000, f"{name} position")
        await ann.evaluate("void room.simulateScenario('full-reconnect')")
        await until("the reconnect", lambda: ann.evaluate("heard.includes('reconnected')"))
        # what ann has subscribed to has ended for her: her SDK leaves that to the application
        await _carries(ann, bob, 3, 8, "ann position")
        await ann.evaluate("track.unpublish()")
        await until("the end of the track", lambda: bob.evaluate("ended.includes('position')"))
        with pytest.raises(Exception, match="name"):
            await bob.evaluate(PUBLISH, "position")
