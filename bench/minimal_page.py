"""The least that a page with `livekit-client` does for a meeting: what our page's join time is compared with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web

from support.ports import free_port
from support.product import Product, RoomLinks

CLIENT: Final = (
    Path(__file__).resolve().parents[1] / "web" / "node_modules" / "livekit-client" / "dist" / "livekit-client.umd.js"
)

# as our page: the devices are open before the click, the token is one of our API, the same is published
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
async def served(html: str, *routes: web.RouteDef) -> AsyncIterator[str]:
    """Serve a page, `livekit-client` and what else it asks for, as long as the block lasts; give its address."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    async def client(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(CLIENT)

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/livekit-client.js", client), *routes])
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def minimal_page(product: Product, room: RoomLinks) -> AsyncIterator[str]:
    """Serve the page for a room as long as the block lasts; give its address, to which `?name=` is added."""
    [secret] = parse_qs(urlsplit(room.publisher).query)["secret"]

    async def token(request: web.Request) -> web.Response:
        wanted = {"roomName": room.name, "secret": secret, "participantName": request.query["name"]}
        async with session.post(f"{product.url}/meet/internal-api/v1/participants/token", json=wanted) as answer:
            made = await answer.json()
        return web.json_response({"url": product.url.replace("http", "ws"), "token": made["token"]})

    async with aiohttp.ClientSession() as session, served(HTML, web.get("/token", token)) as address:
        yield address
