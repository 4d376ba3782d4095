"""livekit-client with two peer connections (`singlePeerConnection: false`), the older signalling, in Chromium."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from support.livekit_clients import token
from support.media_servers import RunningServer, embedded
from support.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.measures_time]

CLIENT = Path(__file__).resolve().parents[2] / "web/node_modules/livekit-client/dist/livekit-client.umd.js"
JOIN = """
async ([url, token, isSingle]) => {
  const room = new LivekitClient.Room({ singlePeerConnection: isSingle });
  const heard = [];
  room.on('reconnected', () => heard.push('reconnected'));
  room.on('dataReceived', (data) => heard.push(new TextDecoder().decode(data)));
  room.on('trackSubscribed', (track) => track.kind === 'video' && document.body.append(track.attach()));
  await room.connect(url, token);
  Object.assign(globalThis, { room, heard });
}
"""
FORGET_FRAMES = "for (const video of document.querySelectorAll('video')) delete video.dataset.from"
MOVES = """
() => {
  const videos = [...document.querySelectorAll('video')].filter((video) => video.srcObject);
  const moving = videos.filter((video) => {
    const { totalVideoFrames } = video.getVideoPlaybackQuality();
    video.dataset.from ??= totalVideoFrames;
    return totalVideoFrames > Number(video.dataset.from) + 1;
  });
  return videos.length === 1 && moving.length === 1;
}
"""
SEND = "room.localParticipant.publishData(new TextEncoder().encode('hi'), { reliable: true })"
CHECKS = """
async ([url, token]) => {
  const checks = new LivekitClient.ConnectionCheck(url, token);
  const done = [await checks.checkWebsocket(), await checks.checkWebRTC(), await checks.checkTURN()];
  return done.map(({ status }) => LivekitClient.CheckStatus[status]);
}
"""


async def _opened(browser: Browser, server: RunningServer, stack: AsyncExitStack) -> Page:
    page = await browser.new_page()
    stack.push_async_callback(page.close)
    await page.goto(f"{server.http_url}/")
    await page.add_script_tag(path=CLIENT)
    return page


async def _sees_another_picture(page: Page) -> None:
    """Wait until the one picture of a page moves, from now on."""
    await page.evaluate(FORGET_FRAMES)
    await until("a picture that moves", lambda: page.evaluate(MOVES))


async def test_a_meeting_and_its_reconnects(red_browser: Browser) -> None:
    async with embedded() as server, AsyncExitStack() as stack:
        ann, bob = [await _opened(red_browser, server, stack) for _ in range(2)]
        for page, name, is_single in ((ann, "ann", False), (bob, "bob", True)):
            await page.evaluate(JOIN, [server.ws_url, token(server, name, "room"), is_single])
            await page.evaluate("room.localParticipant.setCameraEnabled(true)")
        assert await ann.evaluate("room.engine.pcManager.mode") == "subscriber-primary"
        for page in (ann, bob):
            await _sees_another_picture(page)
        for sender, receiver in ((ann, bob), (bob, ann)):
            await sender.evaluate(SEND)
            await until("data", lambda page=receiver: page.evaluate("heard.includes('hi')"))
        sid = await ann.evaluate("room.localParticipant.sid")
        for scenario, is_same in (("signal-reconnect", True), ("full-reconnect", False)):
            await ann.evaluate(f"heard.length = 0, room.simulateScenario('{scenario}')")
            await until(scenario, lambda: ann.evaluate("heard.includes('reconnected')"))
            assert (await ann.evaluate("room.localParticipant.sid") == sid) is is_same
            for page in (ann, bob):
                await _sees_another_picture(page)


async def test_the_checks_of_the_library_pass(red_browser: Browser) -> None:
    async with embedded() as server, AsyncExitStack() as stack:
        page = await _opened(red_browser, server, stack)
        checked = await page.evaluate(CHECKS, [server.ws_url, token(server, "ann", "room")])
        assert checked == ["SUCCESS", "SUCCESS", "SKIPPED"], "no TURN server is configured"
