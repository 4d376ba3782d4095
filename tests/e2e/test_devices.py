"""Cameras and microphones in a meeting: opened once, closed when they are to be, and their faults are told."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from support.fake_media import RED
from support.people import People, Person
from support.product import RoomLinks
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

# the browser asks, and the user answers when the test calls `answer()`
ASKING: Final = """
(() => {
  const open = MediaDevices.prototype.getUserMedia;
  let waiting = new Promise((resolve) => { globalThis.answer = resolve; });
  MediaDevices.prototype.getUserMedia = async function (constraints) {
    await waiting;
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
