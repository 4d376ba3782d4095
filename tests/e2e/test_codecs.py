"""Codecs: what one Chromium publishes, another one decodes, as the unmodified livekit-client negotiates it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from livekit import api
from playwright.async_api import Browser, Page

from support.people import KEEP_CONNECTIONS
from support.product import MEDIA_API_KEY, MEDIA_API_SECRET, Product, RoomLinks
from support.waiting import until

# media in real time: they run alone
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.measures_time]

_FRAMES: Final = 5
_LIBRARY: Final = Path(__file__).resolve().parents[2] / "web/node_modules/livekit-client/dist"
_JOIN: Final = """
async ({ url, token, worker }) => {
  let options = { dynacast: true };
  if (worker) {
    const keyProvider = new LivekitClient.ExternalE2EEKeyProvider();
    await keyProvider.setKey('a shared secret');
    const script = URL.createObjectURL(new Blob([worker], { type: 'text/javascript' }));
    options.e2ee = { keyProvider, worker: new Worker(script) };
  }
  globalThis.room = new LivekitClient.Room(options);
  if (worker) await room.setE2EEEnabled(true);
  await room.connect(url, token);
}
"""
_WITHOUT_VP9: Final = """
const add = RTCPeerConnection.prototype.addTransceiver;
RTCPeerConnection.prototype.addTransceiver = function (...given) {
  const transceiver = add.apply(this, given);
  if (transceiver.receiver.track.kind === 'video') {
    const { codecs } = RTCRtpReceiver.getCapabilities('video');
    transceiver.setCodecPreferences(codecs.filter((codec) => codec.mimeType !== 'video/VP9'));
  }
  return transceiver;
};
"""
_PUBLISH: Final = """
async (videoCodec) => {
  const [track] = (await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 180 } })).getTracks();
  await room.localParticipant.publishTrack(track, { videoCodec });
}
"""
_SOUND: Final = """
async (red) => {
  const [track] = (await navigator.mediaDevices.getUserMedia({ audio: true })).getTracks();
  await room.localParticipant.publishTrack(track, { red });
}
"""
_UNPUBLISH: Final = """
async () => {
  const published = [...room.localParticipant.trackPublications.values()];
  for (const { track } of published) await room.localParticipant.unpublishTrack(track);
}
"""
# [codec, decoded frames] of each stream
_RECEIVED: Final = """
async () => {
  const found = [];
  for (const connection of testConnections) {
    const stats = await connection.getStats();
    for (const stat of stats.values()) {
      if (stat.type !== 'inbound-rtp' || stat.kind !== 'video') continue;
      found.push([stats.get(stat.codecId)?.mimeType?.toLowerCase(), stat.framesDecoded]);
    }
  }
  return found;
}
"""


# [as what the sound is announced, how many of its packets have come]: this page plays nothing, so it decodes no sound
_HEARD: Final = """
async () => {
  const people = [...room.remoteParticipants.values()];
  const announced = people.flatMap((each) => [...each.trackPublications.values()]).map((each) => each.mimeType);
  let packets = 0;
  for (const connection of testConnections) {
    for (const stat of (await connection.getStats()).values()) {
      if (stat.type === 'inbound-rtp' && stat.kind === 'audio') packets += stat.packetsReceived;
    }
  }
  return [announced[0] ?? '', packets];
}
"""


@asynccontextmanager
async def _joined(
    browser: Browser, product: Product, room: RoomLinks, name: str, *, encrypts: bool = False, script: str = ""
) -> AsyncIterator[Page]:
    """Have a page without the product's own code join the room."""
    context = await browser.new_context(bypass_csp=True)
    await context.add_init_script(KEEP_CONNECTIONS + script)
    page = await context.new_page()
    await page.goto(f"{product.url}/health")
    await page.evaluate((_LIBRARY / "livekit-client.umd.js").read_text())
    made = api.AccessToken(MEDIA_API_KEY, MEDIA_API_SECRET).with_identity(name)
    token = made.with_grants(api.VideoGrants(room_join=True, room=room.name)).to_jwt()
    worker = (_LIBRARY / "livekit-client.e2ee.worker.js").read_text() if encrypts else None
    await page.evaluate(_JOIN, {"url": product.url.replace("http", "ws"), "token": token, "worker": worker})
    try:
        yield page
    finally:
        await context.close()


async def _decodes(page: Page, codec: str) -> None:
    async def holds() -> bool:
        streams: list[Any] = await page.evaluate(_RECEIVED)
        return any(each == f"video/{codec}" and frames > _FRAMES for each, frames in streams)

    await until(f"{codec} is decoded", holds)


async def _hears(page: Page, codec: str, more_than: int) -> bool:
    announced, packets = await page.evaluate(_HEARD)
    return bool(announced == codec and packets > more_than)


async def test_each_codec_that_chromium_publishes_is_decoded(
    red_browser: Browser, blue_browser: Browser, product: Product, room: RoomLinks
) -> None:
    async with _joined(red_browser, product, room, "ana") as ana, _joined(blue_browser, product, room, "ben") as ben:
        for codec in ("h264", "vp9", "av1"):
            await ana.evaluate(_PUBLISH, codec)
            await _decodes(ben, codec)
            await ana.evaluate(_UNPUBLISH)


async def test_who_cannot_decode_a_video_gets_its_second_codec(
    red_browser: Browser, blue_browser: Browser, product: Product, room: RoomLinks
) -> None:
    async with (
        _joined(red_browser, product, room, "ana") as ana,
        _joined(blue_browser, product, room, "ben", script=_WITHOUT_VP9) as ben,
        _joined(blue_browser, product, room, "cid") as cid,
    ):
        await ana.evaluate(_PUBLISH, "vp9")
        await _decodes(cid, "vp9")
        await _decodes(ben, "vp8")


async def test_sound_is_redundant_unless_its_publisher_does_not_want_that(
    red_browser: Browser, blue_browser: Browser, product: Product, room: RoomLinks
) -> None:
    async with _joined(red_browser, product, room, "ana") as ana, _joined(blue_browser, product, room, "ben") as ben:
        for red, codec in ((True, "audio/red"), (False, "audio/opus")):
            _, before = await ben.evaluate(_HEARD)
            await ana.evaluate(_SOUND, red)
            await until(f"{codec} comes", partial(_hears, ben, codec, before + _FRAMES))
            await ana.evaluate(_UNPUBLISH)


async def test_encrypted_frames_pass_untouched(
    red_browser: Browser, blue_browser: Browser, product: Product, room: RoomLinks
) -> None:
    async with (
        _joined(red_browser, product, room, "ana", encrypts=True) as ana,
        _joined(blue_browser, product, room, "ben", encrypts=True) as ben,
    ):
        for codec in ("vp8", "h264", "vp9"):
            await ana.evaluate(_PUBLISH, codec)
            await _decodes(ben, codec)
            await ana.evaluate(_UNPUBLISH)
