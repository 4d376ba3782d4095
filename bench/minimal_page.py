"""The least that a page with `livekit-client` does for a meeting: what our page's join time is compared with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web
from livekit import api

from support.ports import free_port
from support.product import MEDIA_API_KEY, MEDIA_API_SECRET, Product, RoomLinks

CLIENT: Final = (
    Path(__file__).resolve().parents[1] / "web" / "node_modules" / "livekit-client" / "dist" / "livekit-client.umd.js"
)

# the options of our page; the devices are open before the click, as in a form with a preview
HTML: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>minimal</title>
<button>Join</button><div></div>
<script src="/livekit-client.js"></script>
<script>
const { Room, RoomEvent, createLocalTracks, VideoPresets } = LivekitClient;
const devices = createLocalTracks({ audio: true, video: { resolution: VideoPresets.h720.resolution } });
globalThis.opened = devices.then(() => true);
globalThis.firstFrame = new Promise((resolve) => {
  document.querySelector('button').onclick = async () => {
    const clickedAt = performance.now();
    const { url, token } = await (await fetch('/token' + location.search)).json();
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


@asynccontextmanager
async def minimal_page(product: Product, room: RoomLinks) -> AsyncIterator[str]:
    """Serve the page for a room as long as the block lasts; give its address, to which `?name=` is added."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=HTML, content_type="text/html")

    async def client(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(CLIENT)

    async def token(request: web.Request) -> web.Response:
        grants = api.VideoGrants(room_join=True, room=room.name)
        made = api.AccessToken(MEDIA_API_KEY, MEDIA_API_SECRET).with_identity(request.query["name"])
        answer = {"url": product.url.replace("http", "ws"), "token": made.with_grants(grants).to_jwt()}
        return web.Response(text=json.dumps(answer), content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/livekit-client.js", client), web.get("/token", token)])
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()
