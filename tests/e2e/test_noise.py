"""Noise suppression: how loud a noisy room is for others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, expect

from support.fake_media import write_noise
from support.people import People, Person, browser_with
from support.product import RoomLinks
from support.waiting import until

# media in real time: they run alone
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.measures_time]

MEASURED_MS: Final = 600


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def noisy_browser(playwright: Playwright, media: Path) -> AsyncIterator[Browser]:
    """A browser process whose microphone hears nothing but a ventilation."""
    async with browser_with(playwright, picture=media / "red.y4m", voice=write_noise(media / "noise.wav")) as browser:
        yield browser


# the mean energy of what is played, over a stretch of time
LOUDNESS: Final = """
async (ms) => {
  const sound = async () => {
    let sum = [0, 0];
    for (const connection of testConnections) {
      if (connection.connectionState === 'closed') continue;
      for (const stat of (await connection.getStats()).values())
        if (stat.type === 'inbound-rtp' && stat.kind === 'audio')
          sum = [sum[0] + stat.totalAudioEnergy, sum[1] + stat.totalSamplesDuration];
    }
    return sum;
  };
  const before = await sound();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const after = await sound();
  return Math.sqrt((after[0] - before[0]) / (after[1] - before[1]));
}
"""


async def hears(ben: Person, at_least: float, at_most: float) -> float:
    """Wait until it is so loud, and return how loud it is."""
    heard = 0.0

    async def is_so() -> bool:
        nonlocal heard
        heard = await ben.page.evaluate(LOUDNESS, MEASURED_MS) or 0.0
        return at_least <= heard <= at_most

    try:
        await until("", is_so)
    except AssertionError:
        raise AssertionError(f"{ben.name} hears {heard}, not between {at_least} and {at_most}") from None
    return heard


async def choose(ana: Person, level: str) -> None:
    await ana.page.get_by_label("Noise suppression").select_option(level)


async def test_noise_is_taken_out(
    people: People, noisy_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(noisy_browser, "Ana"), await people.at(blue_browser, "Ben")
    requests: list[str] = []
    ana.page.on("request", lambda request: requests.append(request.url))
    await ana.join(room.publisher)
    await ben.join(room.publisher)
    await ana.press("Devices")
    await choose(ana, "off")
    loud = await hears(ben, 0.05, 1)
    assert not [url for url in requests if "noise" in url.lower() or "/wasm/" in url]
    await choose(ana, "strong")
    await hears(ben, 0, loud / 10)
    assert [url for url in requests if url.endswith("/assets/wasm/rnnoise-0.4.1/rnnoise_simd.wasm")]
    await choose(ana, "off")
    await hears(ben, 0.05, 1)


async def test_a_browser_without_audio_worklets_keeps_its_own(
    people: People, noisy_browser: Browser, room: RoomLinks
) -> None:
    ana = await people.at(noisy_browser, "Ana")
    await ana.page.add_init_script("delete globalThis.AudioWorkletNode")
    await ana.join(room.publisher)
    await expect(ana.page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    await ana.press("Devices")
    await choose(ana, "strong")
    await expect(ana.page.get_by_text("Strong noise suppression does not work here").first).to_be_visible()
    await expect(ana.page.get_by_label("Noise suppression")).to_have_value("browser")


async def test_the_strong_suppression_lets_a_voice_through(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script("localStorage['tertulia.preferences'] = JSON.stringify({ noise: 'strong' })")
    await ana.join(room.publisher)
    await ben.join(room.publisher)
    await hears(ben, 0.005, 1)
    await ana.press("Mute")
    await hears(ben, 0, 0.001)
    # who speaks while muted is told so, with another button of that name
    await ana.page.locator('[data-control="microphone"]').click()
    await hears(ben, 0.005, 1)
