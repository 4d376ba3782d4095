"""Backgrounds: what others see, from real frames of a real face; nothing of it is loaded before it is used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, expect

from support.accessibility import violations
from support.fake_media import BLUE, Rgb, png_of, write_face
from support.people import People, Person, browser_with
from support.product import Product, RoomLinks, running_product
from support.waiting import until

# media in real time: they run alone
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.measures_time]

# of the squares behind the face and of the face itself: the mean colour, and how much the lightness varies
LOOK: Final = """
(video) => {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !video.videoWidth) return null;
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [640, 360];
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const look = (x, y, width, height) => {
    const { data } = context.getImageData(x, y, width, height);
    const [sum, lightness] = [[0, 0, 0], []];
    for (let i = 0; i < data.length; i += 4) {
      for (const c of [0, 1, 2]) sum[c] += data[i + c];
      lightness.push((data[i] + data[i + 1] + data[i + 2]) / 3);
    }
    const mean = lightness.reduce((a, b) => a + b) / lightness.length;
    const contrast = Math.sqrt(lightness.reduce((a, b) => a + (b - mean) ** 2, 0) / lightness.length);
    return { colour: sum.map((value) => value / lightness.length), contrast };
  };
  return { behind: look(24, 24, 140, 312), face: look(370, 90, 150, 220) };
}
"""

Look = dict[str, Any]

GREEN: Final = (30, 160, 60)

# whether the squares were ever to be seen, in any frame that came
WATCH: Final = """
() => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [640, 360];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const look = (video) => {
    context.drawImage(video, 0, 0, 640, 360);
    const { data } = context.getImageData(24, 180, 140, 1);
    const reds = data.filter((_, i) => i % 4 === 0);
    globalThis.testFrames = (globalThis.testFrames ?? 0) + 1;
    if (Math.max(...reds) - Math.min(...reds) > 120) globalThis.testSquares = true;
    video.requestVideoFrameCallback(() => look(video));
  };
  const seen = new WeakSet();
  const find = () => {
    const video = document.querySelector('.tile[data-identity="Ana"] video');
    if (!video || seen.has(video)) return;
    seen.add(video);
    video.requestVideoFrameCallback(() => look(video));
  };
  new MutationObserver(find).observe(document.body, { childList: true, subtree: true });
}
"""

BLURRED_BEFORE: Final = """
localStorage['tertulia.preferences'] ??= JSON.stringify({ background: 'strong' });
"""

# the worst that was ever to be seen of a background of one colour, in any frame that came
WATCH_COLOUR: Final = """
(wanted) => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [16, 9];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  [globalThis.testFrames, globalThis.testWorst] = [0, 0];
  const look = (video) => {
    context.drawImage(video, 0, 0, 16, 9);
    const { data } = context.getImageData(1, 1, 4, 7);
    testFrames += 1;
    data.forEach((value, i) => { if (i % 4 < 3) testWorst = Math.max(testWorst, Math.abs(value - wanted[i % 4])); });
    video.requestVideoFrameCallback(() => look(video));
  };
  look(document.querySelector('.tile[data-identity="Ana"] video'));
}
"""

KEEP_CAMERAS: Final = """
(() => {
  const cameras = globalThis.testCameras = [];
  const open = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = async function (constraints) {
    const stream = await open.call(this, constraints);
    cameras.push(...stream.getVideoTracks());
    return stream;
  };
})();
"""
OPEN_CAMERAS: Final = """
() => testCameras.filter(({ readyState }) => readyState === 'live').map((camera) => camera.getSettings().deviceId)
"""

# lets a test report what a slow device would
KEEP_WORKERS: Final = """
globalThis.testWorkers = [];
globalThis.Worker = class extends Worker {
  constructor(...args) {
    super(...args);
    globalThis.testWorkers.push(this);
  }
};
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def face_browser(playwright: Playwright, media: Path) -> AsyncIterator[Browser]:
    """A browser process whose camera shows a face."""
    picture = write_face(media / "face.y4m")
    async with browser_with(playwright, picture=picture, voice=media / "voice.wav") as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def two_cameras_browser(playwright: Playwright, media: Path) -> AsyncIterator[Browser]:
    """A browser process with two cameras: nobody is to be seen on their pictures."""
    async with browser_with(playwright, voice=media / "voice.wav", cameras=2) as browser:
        yield browser


async def look_at(ben: Person, name: str) -> Look | None:
    video = ben.tile_of(name).locator("video")
    return await video.evaluate(LOOK) if await video.count() else None


async def sees(ben: Person, name: str, what: str, is_so: Callable[[Look], bool]) -> Look:
    """Wait until the picture is as it should be, and return how it looks."""
    seen: Look = {}

    async def looks_so() -> bool:
        nonlocal seen
        seen = await look_at(ben, name) or {}
        return bool(seen) and is_so(seen)

    try:
        await until(what, looks_so)
    except AssertionError:
        raise AssertionError(f"{what}: {seen}") from None
    return seen


def is_sharp(look: Look) -> bool:
    return bool(look["behind"]["contrast"] > 60)


def is_blurred(look: Look) -> bool:
    return bool(look["behind"]["contrast"] < 25)


def is_all(colour: Rgb) -> Callable[[Look], bool]:
    return lambda look: all(abs(have - want) < 40 for have, want in zip(look["behind"]["colour"], colour, strict=True))


async def shows(ana: Person, selector: str, is_so: Callable[[Look], bool]) -> None:
    """Wait until the user's own picture is as it should be."""

    async def looks_so() -> bool:
        video = ana.page.locator(selector)
        look = await video.evaluate(LOOK) if await video.count() else None
        return bool(look) and is_so(look)

    await until(f"{selector} is as it should be", looks_so)


async def choose(ana: Person, background: str) -> None:
    await ana.page.get_by_role("radio", name=background).check(force=True)


async def test_the_background_is_blurred_replaced_and_shown_again(
    people: People, face_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(face_browser, "Ana"), await people.at(blue_browser, "Ben")
    requests: list[str] = []
    ana.page.on("request", lambda request: requests.append(request.url))
    await ana.join(room.publisher)
    await ben.join(room.publisher)
    raw = await sees(ben, "Ana", "the squares", is_sharp)
    assert not [url for url in requests if "/wasm/" in url or "background" in url or "Effect" in url]

    await ana.press("Devices")
    await choose(ana, "Strong blur")
    least = raw["face"]["contrast"] - 8
    await sees(ben, "Ana", "a sharp face", lambda look: is_blurred(look) and look["face"]["contrast"] > least)
    await people.screenshot("background-blur")

    await choose(ana, "Sea")
    await sees(ben, "Ana", "the sea", lambda look: look["behind"]["colour"][2] > look["behind"]["colour"][0] + 40)
    await people.screenshot("background-sea")
    await choose(ana, "None")
    await sees(ben, "Ana", "the squares again", is_sharp)
    origin = room.publisher.split("/meet/")[0]
    assert all(url.startswith((origin, "blob:", "data:")) for url in requests), requests


async def test_the_own_picture_is_there_before_joining_and_from_the_first_frame_on(
    people: People, face_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(face_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ben.join(room.publisher)
    await ben.page.evaluate(WATCH)
    await ana.open(room.publisher)
    await ana.press("Background and noise")
    picture = {"name": "green.png", "mimeType": "image/png", "buffer": png_of(GREEN)}
    await ana.page.locator('input[type="file"]').set_input_files(picture)
    await shows(ana, ".effects-preview video", is_all(GREEN))
    await people.screenshot("background-before")
    assert await violations(ana.page) == []
    await ana.page.keyboard.press("Escape")
    await ana.page.reload()
    await shows(ana, ".preview video", is_all(GREEN))

    await ana.fill_in()
    await ana.press_join()
    await sees(ben, "Ana", "the own picture", is_all(GREEN))
    for button in ("Stop camera", "Start camera"):
        await ana.press(button)
    await expect(ben.tile_of("Ana").locator("video")).to_be_visible()
    await ben.decodes()
    await sees(ben, "Ana", "the own picture again", is_all(GREEN))
    assert await ben.page.evaluate("[testFrames > 0, globalThis.testSquares]") == [True, None]


async def test_what_is_chosen_while_the_camera_is_off_is_there_from_its_first_picture(
    people: People, face_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(face_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await sees(ben, "Ana", "the squares", is_sharp)
    await ana.press("Stop camera")
    await expect(ben.tile_of("Ana").locator("video")).to_have_count(0)
    await ben.page.evaluate(WATCH)
    await ana.press("Devices")
    strong, none = (ana.page.get_by_role("radio", name=name) for name in ("Strong blur", "None"))
    await strong.check(force=True)
    await ana.page.keyboard.press("Escape")
    await ana.press("Start camera")
    await sees(ben, "Ana", "no squares", is_blurred)
    await ben.decodes()
    assert await ben.page.evaluate("[testFrames > 0, globalThis.testSquares]") == [True, None]
    await expect(ana.page.get_by_role("alert")).to_have_count(0)

    await ana.press("Stop camera")
    await ana.press("Devices")
    await none.check(force=True)
    await ana.page.keyboard.press("Escape")
    await ana.press("Start camera")
    await sees(ben, "Ana", "the squares again", is_sharp)
    await expect(ana.page.get_by_role("alert")).to_have_count(0)


async def test_another_camera_has_the_background_from_its_first_picture(
    people: People, two_cameras_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(two_cameras_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(KEEP_CAMERAS)
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await ana.press("Devices")
    picture = {"name": "blue.png", "mimeType": "image/png", "buffer": png_of(BLUE)}
    await ana.page.locator('input[type="file"]').set_input_files(picture)
    await sees(ben, "Ana", "the own picture", is_all(BLUE))
    await ben.page.evaluate(WATCH_COLOUR, BLUE)
    before = await ana.page.evaluate(OPEN_CAMERAS)
    await ana.page.get_by_label("Camera", exact=True).select_option(index=1)
    await until("the other camera is open", lambda: other_camera(ana, before))
    frames = await ben.page.evaluate("testFrames")
    await ben.page.wait_for_function("(seen) => testFrames > seen + 20", arg=frames)
    assert await ben.page.evaluate("testWorst") < 60


async def other_camera(ana: Person, before: list[str]) -> bool:
    """Tell whether one camera is open, and not the one that was."""
    now = await ana.page.evaluate(OPEN_CAMERAS)
    return len(now) == 1 and now != before


async def test_after_a_restart_of_the_server_the_background_is_there_from_the_first_picture(
    people: People, face_browser: Browser, blue_browser: Browser, tmp_path: Path
) -> None:
    async with running_product(tmp_path) as product:
        room = await product.create_room()
        ana, ben = await people.at(face_browser, "Ana"), await people.at(blue_browser, "Ben")
        await ana.page.add_init_script(BLURRED_BEFORE)
        await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
        await sees(ben, "Ana", "no squares", is_blurred)
        await ben.page.evaluate(WATCH)
        await product.stop()
        await expect(ana.page.get_by_test_id("reconnecting")).to_be_visible()
        await product.start()
        await asyncio.gather(
            *(expect(person.page.get_by_test_id("reconnecting")).to_have_count(0) for person in (ana, ben))
        )
        await ben.decodes()
        await sees(ben, "Ana", "no squares", is_blurred)
        assert await ben.page.evaluate("[testFrames > 0, globalThis.testSquares]") == [True, None]
        await asyncio.gather(ana.press("Leave"), ben.press("Leave"))


async def test_a_file_that_is_no_picture_is_told(people: People, face_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(face_browser, "Ana")
    await ana.open(room.publisher)
    await ana.press("Background and noise")
    text = {"name": "text.png", "mimeType": "image/png", "buffer": b"no picture"}
    await ana.page.locator('input[type="file"]').set_input_files(text)
    await expect(ana.page.get_by_role("status").filter(has_text="cannot show this file")).to_be_visible()
    await expect(ana.page.get_by_role("radio", name="None")).to_be_checked()


async def test_a_room_that_forbids_backgrounds_takes_them_off_and_says_so(
    people: People, face_browser: Browser, blue_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana, ben = await people.at(face_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(BLURRED_BEFORE)
    await ana.join(room.publisher)
    await ben.join(room.publisher)
    await sees(ben, "Ana", "no squares", is_blurred)
    await ana.press("Devices")
    await expect(ana.page.get_by_role("radio", name="Strong blur")).to_be_checked()

    await product.ask("PUT", f"/rooms/{room.name}", {"virtualBackgroundPreferences": {"enabled": False}})
    await expect(ana.page.get_by_role("radio")).to_have_count(0)
    await sees(ben, "Ana", "the squares", is_sharp)
    await ana.page.keyboard.press("Escape")
    notice = ana.page.locator('[data-notice="background_refused"]')
    await expect(notice).to_contain_text("This room does not allow backgrounds")
    await people.screenshot("background-refused")

    await product.ask("PUT", f"/rooms/{room.name}", {"virtualBackgroundPreferences": {"enabled": True}})
    await expect(notice).to_have_count(0)
    await sees(ben, "Ana", "no squares again", is_blurred)


async def test_where_the_room_forbids_it_a_remembered_background_is_not_loaded(
    people: People, face_browser: Browser, blue_browser: Browser, product: Product
) -> None:
    room = await product.create_room(preferences={"virtualBackgroundPreferences": {"enabled": False}})
    ana, ben = await people.at(face_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(BLURRED_BEFORE)
    await ana.join(room.publisher)
    await ben.join(room.publisher)
    await sees(ben, "Ana", "the squares", is_sharp)
    await expect(ana.page.locator('[data-notice="background_refused"]')).to_be_visible()


async def test_without_insertable_streams_a_canvas_does_it(
    people: People, face_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(face_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(f"delete globalThis.MediaStreamTrackProcessor; {BLURRED_BEFORE}")
    await ana.join(room.publisher)
    await ben.join(room.publisher)
    await sees(ben, "Ana", "no squares", is_blurred)
    await ben.decodes()


async def test_a_browser_that_cannot_says_so(people: People, face_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(face_browser, "Ana")
    await ana.page.add_init_script("delete globalThis.OffscreenCanvas")
    await ana.open(room.publisher)
    await ana.press("Background and noise")
    await expect(ana.page.get_by_text("This browser cannot change the background.")).to_be_visible()
    await expect(ana.page.get_by_role("radio")).to_have_count(0)


async def test_a_device_that_is_too_slow_offers_to_stop(
    people: People, face_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(face_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(f"{KEEP_WORKERS} {BLURRED_BEFORE}")
    await ana.join(room.publisher)
    await ben.join(room.publisher)
    await sees(ben, "Ana", "no squares", is_blurred)
    work = {"type": "work", "work": {"frames": 60, "busyMs": 5900, "elapsedMs": 6000}}
    report = "(data) => testWorkers.at(-1).dispatchEvent(new MessageEvent('message', { data }))"
    await ana.page.evaluate(report, work)
    notice = ana.page.locator('[data-notice="background_slow"]')
    await expect(notice).to_contain_text("too slow for the background")
    await people.screenshot("background-slow")
    await notice.get_by_role("button", name="Remove background").click()
    await sees(ben, "Ana", "the squares", is_sharp)
    await expect(notice).to_have_count(0)
