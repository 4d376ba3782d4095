"""Before the meeting: a name that is taken, the speaker and its test, the cameras of a phone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Playwright, expect

from support.people import People, Person, browser_with
from support.product import RoomLinks
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE: Final[dict[str, Any]] = {"viewport": {"width": 375, "height": 667}, "has_touch": True, "is_mobile": True}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def phone_browser(playwright: Playwright, media: Path) -> AsyncIterator[Browser]:
    """A browser process with several cameras. Chromium's second one gives depth, which is not sent."""
    async with browser_with(playwright, voice=media / "voice.wav", cameras=3) as browser:
        yield browser


async def test_a_name_that_is_taken_gets_another_offered_which_one_click_takes(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    first, second, third = [await people.at(each, "Ana") for each in (red_browser, blue_browser, blue_browser)]
    await first.join(room.publisher)
    for each in (second, third):
        await each.open(room.publisher)
        await each.fill_in()
        await each.press_join()
        await expect(each.page.get_by_role("alert")).to_contain_text("already has this name")
    await people.screenshot("name-taken")
    await second.press("Join as “Ana (2)”")
    await expect(first.tile_of("Ana (2)")).to_be_visible()
    await third.press("Join as “Ana (2)”")
    await third.press("Join as “Ana (3)”")
    await expect(first.tile_of("Ana (3)")).to_be_visible()

    # this tab is the same participant after a reload, and in other meetings the user has the own name
    await second.page.reload()
    await expect(second.page.get_by_label("Your name")).to_have_value("Ana (2)")
    assert await second.page.evaluate("JSON.parse(localStorage['tertulia.preferences']).name") == "Ana"


# what plays where: an element for sound with the speaker that it has, and whether there is sound in it
PLAYED: Final = """
(() => {
  globalThis.testPlayed = [];
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    if (this instanceof HTMLAudioElement) {
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      context.createMediaStreamSource(this.srcObject).connect(analyser);
      globalThis.testPlayed.push({ element: this, analyser });
    }
    return play.call(this);
  };
  globalThis.testSounding = (speaker) => globalThis.testPlayed.some(({ element, analyser }) => {
    const samples = new Float32Array(1024);
    analyser.getFloatTimeDomainData(samples);
    return element.sinkId === speaker && samples.some((sample) => Math.abs(sample) > 0.01);
  });
})();
"""


async def test_the_level_of_the_microphone_moves(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.open(room.publisher)
    level = ana.page.get_by_role("meter", name="Microphone level")
    filled = "(level) => new DOMMatrix(getComputedStyle(level, '::before').transform).a"

    async def is_filled(at_least: float, at_most: float) -> bool:
        share: float = await level.evaluate(filled)
        return at_least <= share <= at_most

    await until("the level is high: a voice", lambda: is_filled(0.3, 1))
    await people.screenshot("level")
    await until("the level is low: a pause", lambda: is_filled(0, 0.1))
    await until("the level is high again", lambda: is_filled(0.3, 1))


def speakers(person: Person) -> Locator:
    return person.page.get_by_label("Speaker", exact=True)


async def test_the_speaker_is_chosen_tried_remembered_and_used_in_the_meeting(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(PLAYED)
    await asyncio.gather(ana.open(room.publisher), ben.join(room.publisher))
    await speakers(ana).select_option("Fake Audio Output 1")
    chosen = await speakers(ana).input_value()
    assert chosen not in ("", "default")
    await ana.press("Test sound")
    await until("the test sounds at that speaker", lambda: ana.page.evaluate("testSounding", chosen))
    await expect(ana.page.get_by_role("button", name="Test sound")).to_be_visible()
    await people.screenshot("speaker")

    await ana.page.reload()
    await expect(speakers(ana)).to_have_value(chosen)
    await ana.fill_in()
    await ana.press_join()
    sinks = "() => [...document.querySelectorAll('audio')].map(({ sinkId }) => sinkId)"
    await until("Ben is heard there", lambda: ana.page.evaluate(f"({sinks})().join() === '{chosen}'"))
    await ana.press("Devices")
    await people.screenshot("devices")
    await speakers(ana).select_option("Fake Audio Output 2")
    other = await speakers(ana).input_value()
    await until("Ben is heard at the other one", lambda: ana.page.evaluate(f"({sinks})().join() === '{other}'"))


# until a microphone was opened, browsers name no speakers to those who have given no permission
HIDING: Final = """
(() => {
  globalThis.testMicrophones = [];
  const open = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = async function (constraints) {
    const stream = await open.call(this, constraints);
    testMicrophones.push(...stream.getAudioTracks());
    return stream;
  };
  const list = MediaDevices.prototype.enumerateDevices;
  MediaDevices.prototype.enumerateDevices = async function () {
    const found = await list.call(this);
    return testMicrophones.length > 0 ? found : found.map(({ kind }) => ({ kind, deviceId: '', label: '' }));
  };
})();
"""


async def test_a_viewer_chooses_the_speaker_during_the_meeting(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    vera, ben = await people.at(red_browser, "Vera"), await people.at(blue_browser, "Ben")
    await vera.page.add_init_script(HIDING)
    await asyncio.gather(vera.join(room.viewer), ben.join(room.publisher))
    await vera.hears()
    await vera.press("Devices")
    dialog = vera.page.get_by_role("dialog")
    await expect(dialog.get_by_label("Camera")).to_have_count(0)
    await expect(speakers(vera)).to_have_count(0)
    await expect(dialog).to_contain_text("Nothing is recorded or sent.")
    await people.screenshot("viewer-speakers-hidden")
    await vera.press("Choose speaker")
    await expect(speakers(vera)).to_be_focused()
    await speakers(vera).select_option("Fake Audio Output 2")
    chosen = await speakers(vera).input_value()
    sinks = "() => [...document.querySelectorAll('audio')].map(({ sinkId }) => sinkId).join()"
    await until("Ben is heard there", lambda: vera.page.evaluate(f"({sinks})() === '{chosen}'"))
    assert await vera.page.evaluate("testMicrophones.map(({ readyState }) => readyState).join()") == "ended"
    await people.screenshot("viewer-speakers")
    await vera.page.keyboard.press("Escape")
    await expect(vera.page.get_by_role("button", name="Devices")).to_be_focused()


# Chromium's cameras do not tell where they look: as on a phone, the first looks at the user and the second does not
FACING: Final = """
(() => {
  const facing = { fake_device_0: 'user', fake_device_2: 'environment' };
  const settings = MediaStreamTrack.prototype.getSettings;
  MediaStreamTrack.prototype.getSettings = function () {
    const facingMode = facing[this.label];
    return { ...settings.call(this), ...(facingMode && { facingMode }) };
  };
  const open = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = async function (constraints) {
    const wanted = constraints.video?.facingMode?.ideal ?? constraints.video?.facingMode;
    if (!wanted) return open.call(this, constraints);
    const { facingMode, ...others } = constraints.video;
    const found = (await this.enumerateDevices()).find(({ label }) => facing[label] === wanted);
    return open.call(this, { ...constraints, video: { ...others, deviceId: { exact: found.deviceId } } });
  };
  globalThis.testSent = () => globalThis.testConnections.flatMap((connection) => connection.getSenders())
    .filter(({ track }) => track?.kind === 'video').map(({ track }) => track.label).join();
  globalThis.testShown = () => {
    const video = document.querySelector('[data-local="true"] video, .preview video');
    return `${video?.srcObject?.getVideoTracks()[0]?.label} ${video?.className}`.trim();
  };
})();
"""


async def test_a_phone_flips_its_camera_in_the_form_and_in_the_meeting(
    people: People, phone_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(phone_browser, "Ana", **PHONE), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(FACING)
    await asyncio.gather(ana.open(room.publisher), ben.join(room.publisher))

    async def shows(what: str) -> None:
        await until(f"Ana's page shows {what}", lambda: ana.page.evaluate(f"testShown() === '{what}'"))

    await shows("fake_device_0 mirrored")
    await ana.press("Switch camera")
    await shows("fake_device_2")
    await people.screenshot("phone-form")
    await ana.fill_in()
    await ana.press_join()
    sent = "testSent().split(',').every((label) => label === '{}')"
    await until("the back camera is sent", lambda: ana.page.evaluate(sent.format("fake_device_2")))
    await expect(ben.tile_of("Ana").locator("video")).to_be_visible()
    await shows("fake_device_2")
    await ana.press("Switch camera")
    await until("the front camera is sent", lambda: ana.page.evaluate(sent.format("fake_device_0")))
    await shows("fake_device_0 mirrored")
    await ben.decodes()
    await people.screenshot("phone-meeting")
    # it is the same one after a pause, and after a reload
    await ana.press("Stop camera")
    await expect(ana.page.get_by_role("button", name="Switch camera")).to_have_count(0)
    await ana.press("Start camera")
    await until("the front camera is sent again", lambda: ana.page.evaluate(sent.format("fake_device_0")))
    await ana.page.reload()
    await shows("fake_device_0 mirrored")


async def test_a_computer_offers_no_flip(people: People, phone_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(phone_browser, "Ana")
    await ana.join(room.publisher)
    await expect(ana.tile_of("Ana").locator("video")).to_be_visible()
    await expect(ana.page.get_by_role("button", name="Switch camera")).to_have_count(0)


async def test_a_viewer_can_try_the_sound(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.page.add_init_script(PLAYED)
    await ana.open(room.viewer)
    await ana.press("Test sound")
    await until("the test sounds", lambda: ana.page.evaluate("testSounding('')"))
    await people.screenshot("viewer-form")
