"""Sharing a screen that does not start: the page says what is missing, and where."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from support.people import People, Person
from support.product import Product, RoomLinks
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSING: Final = """
MediaDevices.prototype.getDisplayMedia = async () => { throw new DOMException(%r, 'NotAllowedError') }
"""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Permission denied by system", "Screen & System Audio Recording"),
        ("Permission denied", "ScreenCaptureAllowed"),
        ("Permission denied by user", None),
    ],
)
async def test_a_refusal_says_by_whom(
    people: People, red_browser: Browser, room: RoomLinks, words: str, told: str | None
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.page.add_init_script(REFUSING % words)
    await ana.join(room.publisher)
    await ana.press("Share screen")
    if told:
        await expect(ana.page.get_by_role("alert")).to_contain_text(told)
    else:
        await expect(ana.page.get_by_role("button", name="Share screen")).to_be_visible()
        await expect(ana.page.get_by_role("alert")).to_have_count(0)


async def test_an_iframe_without_the_attributes_names_them(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    # another origin than that of the meeting
    await ana.open(product.url.replace("127.0.0.1", "localhost") + "/health")
    await ana.page.set_content(f'<iframe src="{room.publisher}" style="width: 1000px; height: 700px"></iframe>')
    frame = ana.page.frame_locator("iframe")
    await expect(frame.get_by_text('allow="camera; microphone"').first).to_be_visible()
    await frame.get_by_label("Your name").fill("Ana")
    await frame.get_by_role("button", name="Join", exact=True).click()
    await frame.get_by_role("button", name="Share screen").click()
    await expect(frame.get_by_role("alert")).to_contain_text('allow="display-capture"')


async def test_shares_are_said_when_they_begin_and_end(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    own, other = ana.page.get_by_role("log"), ben.page.get_by_role("log")
    await ana.press("Share screen")
    await asyncio.gather(
        expect(own).to_contain_text("You are sharing your screen"),
        expect(other).to_contain_text("Ana is sharing a screen"),
    )
    # the browser's own "Stop sharing"
    await ana.page.evaluate(
        """() => globalThis.testConnections.flatMap((connection) => connection.getSenders())
          .map(({ track }) => track).filter((track) => track?.kind === 'video' && track.getSettings().displaySurface)
          .forEach((track) => { track.stop(); track.dispatchEvent(new Event('ended')); })"""
    )
    await asyncio.gather(
        expect(own).to_contain_text("You are no longer sharing your screen"),
        expect(other).to_contain_text("Ana is no longer sharing a screen"),
    )
    await expect(ana.page.get_by_role("button", name="Share screen")).to_be_visible()


ASKED: Final = """
const ask = MediaDevices.prototype.getDisplayMedia;
MediaDevices.prototype.getDisplayMedia = async function (options) {
  globalThis.asked = options;
  const stream = await ask.call(this, options);
  if (options.audio && stream.getAudioTracks().length === 0) {
    // this machine plays nothing that could be shared
    const context = new AudioContext();
    const [tone, played] = [context.createOscillator(), context.createMediaStreamDestination()];
    tone.connect(played);
    tone.start();
    stream.addTrack(played.stream.getAudioTracks()[0]);
  }
  return stream;
};
"""

SENDER_OF_SCREEN: Final = """
() => {
  const senders = globalThis.testConnections.flatMap((connection) => connection.getSenders());
  const sender = senders.find(({ track }) => track?.getSettings().displaySurface);
  const { encodings, degradationPreference } = sender.getParameters();
  const scales = encodings.map(({ scaleResolutionDownBy }) => scaleResolutionDownBy ?? 1);
  return { hint: sender.track.contentHint, degradationPreference, scales: scales.sort() };
}
"""


@pytest.mark.measures_time
async def test_two_screens_are_shown_sharp_and_their_sharers_know(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    cleo = await people.at(blue_browser, "Cleo", device_scale_factor=2)
    await ana.page.add_init_script(ASKED)
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher), cleo.join(room.viewer))
    await asyncio.gather(ana.press("Share screen"), ben.press("Share screen"))
    on_stage = cleo.page.locator(".stage .tile.screen_share")
    await expect(on_stage).to_have_count(2)
    await asyncio.gather(*(expect(on_stage.nth(place).locator("video")).to_be_visible() for place in (0, 1)))
    # two microphones and the sound of a screen
    await cleo.hears(3)
    asked = await ana.page.evaluate("asked")
    assert asked["surfaceSwitching"] == "include"
    assert asked["selfBrowserSurface"] == "exclude"
    assert asked["audio"]["autoGainControl"] is False
    assert await ana.page.evaluate(SENDER_OF_SCREEN) == {
        "hint": "text",
        "degradationPreference": "maintain-resolution",
        "scales": [1, 2],
    }
    # one's own screen is not large
    await expect(ana.page.locator(".stage .tile")).to_have_attribute("data-identity", "Ben")
    await people.screenshot("two-screens")

    await cleo.press("Pin Ben’s screen")
    await expect(on_stage).to_have_attribute("data-identity", "Ben")
    await expect_height(cleo, "Ben", at_least=1000)
    await ana.press("Stop")
    await expect(ana.page.locator(".sharing")).to_have_count(0)
    await expect(cleo.tile_of("Ana", kind="screen_share")).to_have_count(0)
    await expect(on_stage).to_have_attribute("data-identity", "Ben")


async def expect_height(person: Person, sharer: str, *, at_least: int) -> None:
    """Wait until a screen arrives with so many lines."""
    video = person.tile_of(sharer, kind="screen_share").locator("video")

    async def is_sharp() -> bool:
        return bool(await video.evaluate("(video) => video.videoHeight") >= at_least)

    await until("the screen is sharp", is_sharp)
