"""`simulateScenario` of `livekit-client`: every fault that it can ask for, in Chromium and in Firefox.

After each, the page is connected again, by the same session or by a new one, and pictures go on in both directions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from livekit import rtc
from playwright.async_api import Browser

from support.firefox import firefox
from support.livekit_clients import LiveKitClient, joined, token
from support.media_servers import embedded
from support.waiting import until
from tertulia_sfu.addresses import own_addresses

# media in real time, and pauses of the library
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.measures_time]

CLIENT: Final = Path(__file__).resolve().parents[2] / "web/node_modules/livekit-client/dist/livekit-client.umd.js"
CAMERA: Final = rtc.TrackSource.SOURCE_CAMERA
LOAD: Final = """
(source) => {
  const script = document.createElement('script');
  script.textContent = source;
  document.head.append(script);
}
"""
JOIN: Final = """
async ([url, token]) => {
  const room = new LivekitClient.Room();
  const heard = [];
  room.on('reconnected', () => heard.push('reconnected'));
  room.on('disconnected', () => heard.push('disconnected'));
  room.on('activeSpeakersChanged', (speakers) => speakers.length && heard.push('speaking'));
  await room.connect(url, token);
  await room.localParticipant.setCameraEnabled(true);
  Object.assign(globalThis, { room, heard });
}
"""
SIMULATE: Final = "(scenario) => { heard.length = 0; void room.simulateScenario(scenario); }"
STATE: Final = "() => ({ sid: room.localParticipant.sid, state: room.state, heard })"
# of the connection in use: its pictures, and the protocol of its candidate pair
RECEIVED: Final = """
async () => {
  const stats = await room.engine.pcManager.publisher.getStats();
  const all = [...stats.values()];
  const pair = all.find((one) => one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded');
  const videos = all.filter((one) => one.type === 'inbound-rtp' && one.kind === 'video');
  const frames = videos.reduce((sum, one) => sum + (one.framesDecoded ?? 0), 0);
  return { frames, protocol: stats.get(pair?.localCandidateId)?.protocol ?? '' };
}
"""

RESUMED: Final = ("signal-reconnect", "disconnect-signal-on-resume", "disconnect-signal-on-resume-no-messages")
REJOINED: Final = ("resume-reconnect", "full-reconnect", "node-failure", "migration", "leave-full-reconnect")
NEXT_FRAME_S: Final = 2.0

Evaluate = Callable[..., Awaitable[Any]]
Open = Callable[[str], Awaitable[Any]]


class Scenarios:
    """Ann's page, and Bob, who sees it with the Python SDK."""

    def __init__(self, evaluate: Evaluate, bob: LiveKitClient) -> None:
        self._evaluate = evaluate
        self._bob = bob

    async def keeps_session(self, scenario: str, event: str = "reconnected") -> bool:
        """Run a scenario, and wait until media goes on after it. Return whether the session is the same."""
        before = await self._evaluate(STATE)
        await self._run(scenario, event)
        await self.sees_pictures()
        return bool((await self._evaluate(STATE))["sid"] == before["sid"])

    async def ends(self, scenario: str) -> None:
        """Run a scenario after which the page is no longer connected."""
        await self._run(scenario, "disconnected")
        assert (await self._evaluate(STATE))["state"] == "disconnected"
        await self._bob.misses("ann")

    async def _run(self, scenario: str, event: str) -> None:
        await self._evaluate(SIMULATE, scenario)

        async def is_over() -> bool:
            return event in (await self._evaluate(STATE))["heard"]

        await until(f"{event} after {scenario}", is_over, deadline_s=60)

    async def sees_pictures(self) -> None:
        """Wait until another picture has come in each direction."""
        frames = (await self._evaluate(RECEIVED))["frames"]

        async def has_more() -> bool:
            return bool((await self._evaluate(RECEIVED))["frames"] > frames)

        await until("ann's picture of bob moves", has_more)
        await until("bob's picture of ann moves", self._bob_sees_another)

    async def _bob_sees_another(self) -> bool:
        # of an older session's track nothing comes any more
        stream = rtc.VideoStream(await self._bob.receives("ann", CAMERA))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(NEXT_FRAME_S):
                    async for _ in stream:
                        return True
            return False
        finally:
            await stream.aclose()

    async def protocol(self) -> str:
        """Return the protocol of the page's media."""
        return str((await self._evaluate(RECEIVED))["protocol"])


@asynccontextmanager
async def _chromium(browser: Browser) -> AsyncIterator[tuple[Open, Evaluate]]:
    page = await browser.new_page()
    try:
        yield page.goto, page.evaluate
    finally:
        await page.close()


@asynccontextmanager
async def _firefox() -> AsyncIterator[tuple[Open, Evaluate]]:
    async with firefox() as window:
        yield window.open, window.evaluate


@pytest.mark.parametrize("which", ["chromium", "firefox"])
async def test_after_each_scenario_media_goes_on(which: str, red_browser: Browser) -> None:
    # Firefox does not talk to 127.0.0.1
    address = "127.0.0.1" if which == "chromium" else own_addresses()[0]
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(embedded(addresses=(address,), tcp_port=0))
        bob = await stack.enter_async_context(joined(server, token(server, "bob", "room")))
        await bob.shows()
        browser = _chromium(red_browser) if which == "chromium" else _firefox()
        go, evaluate = await stack.enter_async_context(browser)
        await go(f"{server.http_url}/")
        await evaluate(LOAD, CLIENT.read_text())
        await evaluate(JOIN, [server.ws_url, token(server, "ann", "room")])
        ann = Scenarios(evaluate, bob)
        await ann.sees_pictures()
        assert await ann.keeps_session("speaker", "speaking")
        for scenario in RESUMED:
            # in Firefox the library cannot repeat a resume that was cut off, and joins again
            assert await ann.keeps_session(scenario) or which == "firefox", scenario
        for scenario in REJOINED:
            assert not await ann.keeps_session(scenario), scenario
        # there is no TURN server with TLS: all candidates are told again
        for scenario, protocol in (("force-tcp", "tcp"), ("force-tls", "udp")):
            assert not await ann.keeps_session(scenario), scenario
            assert await ann.protocol() == protocol
        await ann.ends("server-leave")
