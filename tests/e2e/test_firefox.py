"""Firefox and Chromium in one meeting, and Firefox playing a recording."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from support.fake_media import BLUE, RED, Rgb
from support.firefox import FirefoxWindow, firefox
from support.host_site import host_site
from support.people import People
from support.player import Player
from support.product import Product, RoomLinks, running_product
from support.waiting import until
from tertulia_sfu.addresses import own_addresses

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A server whose media is not on 127.0.0.1: Firefox does not talk to that."""
    settings = {"TERTULIA_MEDIA_ADDRESSES": own_addresses()[0]}
    async with running_product(tmp_path_factory.mktemp("firefox"), settings=settings) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def fay(request: pytest.FixtureRequest, artefacts: Path) -> AsyncIterator[FirefoxWindow]:
    """A user with Firefox."""
    async with firefox() as window:
        yield window
        await window.screenshot(artefacts / f"{request.node.name}-Fay.png")
        assert await window.page_errors() == []


def is_near(seen: list[int] | Rgb | None, colour: Rgb) -> bool:
    return seen is not None and max(abs(x - y) for x, y in zip(seen, colour, strict=True)) < 60


# without a display Firefox has no screen to share: here it is a canvas, from there on all is as with a screen
BLUE_SCREEN: Final = """
(colour) => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [1280, 720];
  const context = canvas.getContext('2d');
  setInterval(() => {
    context.fillStyle = `rgb(${colour})`;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }, 100);
  MediaDevices.prototype.getDisplayMedia = async () => canvas.captureStream(10);
}
"""


async def hears(window: FirefoxWindow) -> bool:
    return any(one["kind"] == "audio" and one.get("totalAudioEnergy", 0) > 0 for one in await window.inbound())


async def test_firefox_and_chromium_see_and_hear_each_other(
    people: People, red_browser: Browser, fay: FirefoxWindow, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await asyncio.gather(ana.join(room.moderator), fay.join(room.publisher, "Fay"))

    async def fay_sees_ana() -> bool:
        return is_near(await fay.colour_seen_of("Ana"), RED)

    async def ana_sees_fay() -> bool:
        return await ana.colour_seen_of("Fay") is not None

    await until("Fay sees Ana", fay_sees_ana)
    await until("Fay hears Ana", lambda: hears(fay))
    await until("Ana sees Fay", ana_sees_fay)
    await ana.hears()
    await ana.decodes()
    before = await frames_decoded(fay)

    async def moving() -> bool:
        return await frames_decoded(fay) > before

    await until("Fay's picture of Ana moves", moving)
    await people.screenshot("firefox-and-chromium")

    await ana.press("Share screen")

    async def fay_sees_the_screen() -> bool:
        return await fay.colour_seen_of("Ana", "screen_share") is not None

    await until("Fay sees Ana's screen", fay_sees_the_screen)
    await ana.press("Stop sharing")
    await fay.evaluate(BLUE_SCREEN, BLUE)
    await fay.press("Share screen")

    async def ana_sees_the_screen() -> bool:
        return is_near(await ana.colour_seen_of("Fay", "screen_share"), BLUE)

    await until("Ana sees Fay's screen", ana_sees_the_screen)
    await ana.decodes(2)
    await people.screenshot("screen-from-firefox")
    await fay.press("Stop sharing")
    await expect(ana.tile_of("Fay", "screen_share")).to_have_count(0)

    await fay.press("Mute")
    await expect(ana.tile_of("Fay")).to_have_attribute("data-muted", "true")
    await fay.press("Leave")
    await expect(ana.tiles()).to_have_count(1)


async def frames_decoded(window: FirefoxWindow) -> int:
    return sum(one.get("framesDecoded", 0) for one in await window.inbound() if one["kind"] == "video")


@pytest.mark.measures_time
async def test_a_recording_plays_and_seeks_in_firefox(
    people: People, red_browser: Browser, fay: FirefoxWindow, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await asyncio.gather(ana.join(room.publisher), fay.join(room.moderator, "Fay"))
    await ana.sees("Ana", RED)
    await fay.press("Record")
    await expect(ana.page.get_by_test_id("recording")).to_be_visible()
    await fay.press("Recordings")

    async def long_enough() -> bool:
        shown: str | None = await fay.evaluate("() => document.querySelector('[data-testid=length]')?.innerText")
        return shown is not None and shown >= "0:06"

    await until("six seconds are recorded", long_enough)
    await fay.press("Stop recording")
    names = "() => [...document.querySelectorAll('.action')].map((one) => one.ariaLabel)"

    async def playable() -> bool:
        return any(name.startswith("Play") for name in await fay.evaluate(names))

    await until("the recording is ready", playable)
    await fay.press(next(name for name in await fay.evaluate(names) if name.startswith("Play")))

    player = Player(fay.evaluate)
    await player.plays()
    duration_s = await player.duration_s()
    for to_s in (duration_s - 0.5, 0.5, duration_s / 2):
        await player.seeks(to_s)
        await player.shows("Ana, in her own red", lambda picture: picture.share_of(RED, within=12) > 0.1)
    await player.resume()
    await player.plays()


async def test_a_page_of_another_site_embeds_a_meeting_in_firefox(fay: FirefoxWindow, room: RoomLinks) -> None:
    server = room.publisher.partition("/meet/")[0]
    element = f"<tertulia-meet room-url='{room.publisher}' participant-name='Fay' skip-prejoin></tertulia-meet>"
    async with host_site("localhost") as site:
        await fay.open(site.embed("/firefox", server, element))

        async def happened(name: str) -> bool:
            return bool(await fay.evaluate("(name) => seen.some((one) => one.name === name)", name))

        await until("Fay is in the meeting", lambda: happened("meetingJoined"))
        call = "() => document.querySelector('tertulia-meet')"
        await fay.evaluate(f"{call}.setHand(true)")
        await until("the hand is told", lambda: happened("handChanged"))
        assert [one["name"] for one in await fay.evaluate(f"{call}.participants()")] == ["Fay"]
        failed = await fay.evaluate(f"{call}.meetingEnd().catch(({{ cause }}) => cause)")
        assert failed == "origin_not_named"
        # a script is no click
        assert await fay.evaluate(f"{call}.setScreenShare(true).catch(({{ cause }}) => cause)") == "needs_click"
        await fay.evaluate(f"{call}.meetingLeave()")
        await until("Fay has left", lambda: happened("meetingLeft"))
