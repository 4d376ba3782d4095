"""Cameras and microphones in a meeting: opened once, closed when they are to be, and their faults are told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import pytest
from livekit import api
from livekit.protocol.models import TrackSource
from playwright.async_api import Browser, Playwright, expect

from support.fake_media import RED, write_silence
from support.people import People, Person, browser_with
from support.product import MEDIA_API_KEY, MEDIA_API_SECRET, Product, RoomLinks
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

# the browser asks, and the user answers when the test says so: for the microphone alone, or for all
ASKING: Final = """
(() => {
  const open = MediaDevices.prototype.getUserMedia;
  const gate = () => {
    const made = {};
    made.opened = new Promise((resolve) => { made.open = resolve; });
    return made;
  };
  const gates = { audio: gate(), video: gate() };
  globalThis.answerMicrophone = () => gates.audio.open();
  globalThis.answer = () => { gates.audio.open(); gates.video.open(); };
  MediaDevices.prototype.getUserMedia = async function (constraints) {
    await gates[constraints.video ? 'video' : 'audio'].opened;
    return open.call(this, constraints);
  };
})();
"""

LIVE_AUDIO_SENDERS: Final = """
() => globalThis.testConnections.flatMap((connection) => connection.getSenders())
  .filter(({ track }) => track?.kind === 'audio' && track.readyState === 'live').length
"""

SILENT_WITHIN_S: Final = 0.5


async def sound_energy(person: Person) -> float:
    """Return the energy of all sound that this user's page has played."""
    return sum(stat.get("totalAudioEnergy", 0.0) for stat in await person.inbound() if stat["kind"] == "audio")


async def voices(person: Person) -> int:
    """Return how many audio tracks this user's page receives."""
    return len([stat for stat in await person.inbound() if stat["kind"] == "audio"])


@pytest.mark.measures_time
async def test_unmute_while_the_browser_asks_publishes_one_microphone_and_mute_silences_it(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(ASKING)
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await ana.press("Unmute")
    await ana.page.evaluate("answer()")
    await expect(ana.page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    await asyncio.gather(ben.hears(), ben.sees("Ana", RED))
    assert await voices(ben) == 1
    assert await ana.page.evaluate(LIVE_AUDIO_SENDERS) == 1

    await ana.press("Mute")
    await asyncio.sleep(SILENT_WITHIN_S)
    before = await sound_energy(ben)
    await asyncio.sleep(1)  # the voice in the file pauses for 0.4 s
    assert await sound_energy(ben) - before < 1e-4
    assert await voices(ben) == 1


async def test_a_camera_that_is_opening_is_not_lost_by_joining(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(ASKING)
    await ana.open(room.publisher)
    microphone = ana.page.get_by_role("switch", name="Microphone")
    await microphone.click()
    await microphone.click()
    await ana.fill_in()
    await ana.press_join()
    await expect(ana.page.get_by_role("button", name="Leave")).to_be_visible()
    await ana.page.evaluate("answerMicrophone()")
    await expect(ana.page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    await ana.page.evaluate("answer()")
    await ben.join(room.publisher)
    await asyncio.gather(ben.sees("Ana", RED), ben.hears())


async def test_a_camera_that_cannot_be_published_is_closed(
    people: People, red_browser: Browser, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.page.add_init_script(
        """
        (() => {
          const tracks = globalThis.testTracks = [];
          const open = MediaDevices.prototype.getUserMedia;
          MediaDevices.prototype.getUserMedia = async function (constraints) {
            const stream = await open.call(this, constraints);
            tracks.push(...stream.getVideoTracks());
            return stream;
          };
          const add = RTCPeerConnection.prototype.addTransceiver;
          RTCPeerConnection.prototype.addTransceiver = function (track, init) {
            if (track.kind === 'video' && init?.direction !== 'recvonly') throw new Error('no more transceivers');
            return add.call(this, track, init);
          };
        })();
        """
    )
    await ana.join(room.publisher)
    await expect(ana.page.get_by_text("Camera: It did not start")).to_be_visible()
    await until(
        "the camera's light is off",
        lambda: ana.page.evaluate("testTracks.length > 0 && testTracks.every((track) => track.readyState === 'ended')"),
    )
    await expect(ana.page.get_by_role("button", name="Start camera")).to_be_visible()


# the system's devices, as the test says
DEVICES: Final = """
(() => {
  const list = MediaDevices.prototype.enumerateDevices;
  globalThis.testAdded = [];
  MediaDevices.prototype.enumerateDevices = async function () {
    const found = await list.call(this);
    return [...found, ...globalThis.testAdded];
  };
  globalThis.plugIn = (kind, deviceId, label) => {
    globalThis.testAdded.push({ kind, deviceId, label, groupId: deviceId, toJSON: () => ({}) });
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
  };
  const open = MediaDevices.prototype.getUserMedia;
  // a device that was plugged in is the usual one under another name
  const usual = (wanted) => {
    const isAdded = globalThis.testAdded.some(({ deviceId }) => deviceId === wanted?.deviceId?.exact);
    return isAdded ? { ...wanted, deviceId: undefined } : wanted;
  };
  MediaDevices.prototype.getUserMedia = function ({ audio, video }) {
    if (globalThis.isGone?.({ audio, video })) throw new DOMException('gone', 'NotFoundError');
    if (globalThis.isBusy?.({ audio, video })) throw new DOMException('in use', 'NotReadableError');
    return open.call(this, { audio: usual(audio), video: usual(video) });
  };
  globalThis.pullOut = (kind) => globalThis.testConnections
    .flatMap((connection) => connection.getSenders())
    .map(({ track }) => track).filter((track) => track?.kind === kind)
    .forEach((track) => { track.stop(); track.dispatchEvent(new Event('ended')); });
})();
"""


async def test_a_microphone_that_is_pulled_out_is_replaced_and_told(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(DEVICES)
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await ben.hears()
    await ana.page.evaluate("pullOut('audio')")
    await expect(ana.page.locator('[data-notice="device_replaced"]')).to_contain_text("Your microphone was gone")
    await people.screenshot("device-replaced")
    await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "false")

    # and now there is no other one
    await ana.page.evaluate("() => { globalThis.isGone = ({ audio }) => audio }")
    await ana.page.evaluate("pullOut('audio')")
    alert = ana.page.get_by_role("alert")
    await expect(alert).to_contain_text("Microphone: None was found")
    await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "true")
    await ana.page.evaluate("() => { globalThis.isGone = null }")
    await alert.get_by_role("button", name="Try again").click()
    await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "false")
    await expect(alert).to_have_count(0)


async def test_a_new_device_is_offered_and_a_choice_is_remembered_at_once(
    people: People, red_browser: Browser, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.page.add_init_script(DEVICES)
    await ana.join(room.publisher)
    await expect(ana.tile_of("Ana").locator("video")).to_be_visible()
    await ana.press("Devices")
    options = ana.page.get_by_label("Camera", exact=True).locator("option")
    await expect(options).not_to_have_count(0)
    await ana.page.evaluate("plugIn('videoinput', 'new-camera', 'Camera on the ceiling')")
    await expect(options.filter(has_text="Camera on the ceiling")).to_have_count(1)
    await ana.page.keyboard.press("Escape")

    notice = ana.page.locator('[data-notice="device_added"]')
    await expect(notice).to_contain_text("New camera: Camera on the ceiling")
    await notice.get_by_role("button", name="Use it").click()
    await until(
        "the choice is stored",
        lambda: ana.page.evaluate("JSON.parse(localStorage['tertulia.preferences']).cameraId === 'new-camera'"),
    )
    await expect(notice).to_have_count(0)


async def test_a_camera_that_another_program_uses_leaves_the_one_before_on(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(DEVICES)
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await ben.sees("Ana", RED)
    await ana.page.evaluate("plugIn('videoinput', 'busy-camera', 'Busy camera')")
    await ana.page.evaluate("() => { globalThis.isBusy = ({ video }) => video?.deviceId?.exact === 'busy-camera' }")
    await ana.press("Devices")
    camera = ana.page.get_by_label("Camera", exact=True)
    before = await camera.input_value()
    await camera.select_option("Busy camera")
    dialog = ana.page.get_by_role("dialog")
    await expect(dialog.get_by_role("alert")).to_contain_text("Camera: It is used by another program")
    await expect(camera).to_have_value(before)
    await people.screenshot("camera-in-use")
    await ben.decodes()
    await ben.sees("Ana", RED)
    stored = "JSON.parse(localStorage['tertulia.preferences']).cameraId"
    assert await ana.page.evaluate(stored) == before

    await ana.page.evaluate("globalThis.isBusy = null")
    await ana.page.keyboard.press("Escape")
    alert = ana.page.get_by_role("alert").filter(has_text="Camera")
    await alert.get_by_role("button", name="Try again").click()
    await expect(alert).to_have_count(0)
    await until("the other camera is stored", lambda: ana.page.evaluate(f"{stored} === 'busy-camera'"))
    await ben.decodes()

    # and where none opens any more, it is off, and says so
    await ana.page.evaluate("() => { globalThis.isBusy = ({ video }) => video }")
    await ana.press("Devices")
    await camera.select_option(index=0)
    await expect(ben.tile_of("Ana").locator("video")).to_have_count(0)
    await ana.page.keyboard.press("Escape")
    await expect(ana.page.get_by_role("button", name="Start camera")).to_be_visible()


async def test_the_form_remembers_a_choice_at_once(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.open(room.publisher)
    await ana.page.get_by_role("switch", name="Camera").click()
    await ana.page.reload()
    await expect(ana.page.get_by_role("switch", name="Camera")).not_to_be_checked()


async def test_a_microphone_that_gives_no_sound_is_noticed(
    people: People, playwright: Playwright, media: Path, room: RoomLinks
) -> None:
    async with browser_with(playwright, picture=media / "red.y4m", voice=write_silence(media / "silence.wav")) as quiet:
        ana = await people.at(quiet, "Ana")
        await ana.join(room.publisher)
        notice = ana.page.locator('[data-notice="silent_microphone"]')
        await expect(notice).to_contain_text("Your microphone gives no sound")
        await people.screenshot("silent-microphone")
        await ana.press("Mute")
        await expect(notice).to_have_count(0)


async def test_pictures_that_the_browser_holds_back_start_with_a_click(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(
        """
        (() => {
          const play = HTMLVideoElement.prototype.play;
          globalThis.isHeldBack = true;
          HTMLVideoElement.prototype.play = function () {
            if (globalThis.isHeldBack) return Promise.reject(new DOMException('wait for a click', 'NotAllowedError'));
            return play.call(this);
          };
        })();
        """
    )
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    alert = ana.page.get_by_role("alert")
    await expect(alert).to_contain_text("The browser holds the pictures back")
    await ana.page.evaluate("globalThis.isHeldBack = false")
    await alert.get_by_role("button", name="Show pictures").click()
    await expect(alert).to_have_count(0)


async def published_microphone(admin: api.LiveKitAPI, room: str, identity: str) -> str:
    """Wait until the media server has it, which is after the button is there; return the track's id."""
    sids: list[str] = []

    async def is_published() -> bool:
        who = await admin.room.get_participant(api.RoomParticipantIdentity(room=room, identity=identity))
        sids.extend(track.sid for track in who.tracks if track.source == TrackSource.MICROPHONE)
        return bool(sids)

    await until("the microphone is published", is_published)
    return sids[0]


async def test_a_moderator_who_mutes_is_said(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.publisher)
    await expect(ana.page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    async with api.LiveKitAPI(product.url, MEDIA_API_KEY, MEDIA_API_SECRET) as admin:
        sid = await published_microphone(admin, room.name, "Ana")
        await admin.room.mute_published_track(
            api.MuteRoomTrackRequest(room=room.name, identity="Ana", track_sid=sid, muted=True)
        )
    await expect(ana.page.get_by_role("log")).to_contain_text("A moderator muted you")
    notice = ana.page.locator('[data-notice="muted_by_moderator"]')
    await expect(ana.page.get_by_role("button", name="Unmute").first).to_be_visible()
    await notice.get_by_role("button", name="Unmute").click()
    await expect(ana.page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    await expect(notice).to_have_count(0)
