"""The least that a page with `livekit-client` does for a meeting: what our page's join time is compared with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page

from support.product import Product, RoomLinks

CLIENT: Final = (
    Path(__file__).resolve().parents[1] / "web" / "node_modules" / "livekit-client" / "dist" / "livekit-client.umd.js"
)

# as our page: the devices are open before the click, the token is from the same API, the same is published
HTML: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>minimal</title>
<button>Join</button><div></div>
<script src="/minimal/livekit-client.js"></script>
<script>
const { Room, RoomEvent, createLocalTracks, VideoPresets } = LivekitClient;
const devices = createLocalTracks({ audio: true, video: { resolution: VideoPresets.h720.resolution } });
globalThis.opened = devices.then(() => true);
const link = LINK;
async function access() {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch('/meet/internal-api/v1/participants/token', { method: 'POST', headers, body: link });
  const { token } = await answer.json();
  const claims = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
  return [JSON.parse(claims.metadata).livekitUrl, token];
}
globalThis.firstFrame = new Promise((resolve) => {
  document.querySelector('button').onclick = async () => {
    const clickedAt = performance.now();
    const [url, token] = await access();
    const room = new Room({ adaptiveStream: true, dynacast: true, publishDefaults: { videoCodec: 'vp8' } });
    room.on(RoomEvent.TrackSubscribed, (track) => {
      const element = document.createElement(track.kind);
      Object.assign(element.style, { width: '600px', height: '338px' });
      document.querySelector('div').append(element);
      track.attach(element);
      if (track.kind === 'video') element.requestVideoFrameCallback(() => resolve(performance.now() - clickedAt));
    });
    await room.connect(url, token);
    for (const track of await devices) void room.localParticipant.publishTrack(track);
  };
});
</script></html>
"""


async def open_minimal_page(page: Page, product: Product, room: RoomLinks, name: str) -> None:
    """Open the page as one of our server's, which has none such: its API answers pages of its own origin."""
    [secret] = parse_qs(urlsplit(room.publisher).query)["secret"]
    link = json.dumps({"roomName": room.name, "secret": secret, "participantName": name})
    html = HTML.replace("LINK", json.dumps(link))
    await page.route("**/minimal/", lambda route: route.fulfill(body=html, content_type="text/html"))
    await page.route("**/minimal/livekit-client.js", lambda route: route.fulfill(path=CLIENT))
    await page.goto(f"{product.url}/minimal/")
    await page.evaluate("globalThis.opened")
    await page.wait_for_load_state("networkidle")
    # requests that are looked at are slower
    await page.unroute_all()
