"""A way to the media server on which every track is announced as not encrypted, whatever the client says of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import aiohttp
from aiohttp import web
from livekit.protocol import models, rtc

from recording.media_server import MediaServer


@contextlib.asynccontextmanager
async def lying_about_encryption(server: MediaServer) -> AsyncIterator[MediaServer]:
    """Give the same server at another port; what is encrypted by those who come this way is garbage to all others."""
    async with aiohttp.ClientSession() as http:

        async def signalling(request: web.Request) -> web.WebSocketResponse:
            near = web.WebSocketResponse(max_msg_size=0)
            wanted = {name: text for name, text in request.headers.items() if name.lower() == "authorization"}
            async with http.ws_connect(f"{server.url}{request.raw_path}", headers=wanted, max_msg_size=0) as far:
                await near.prepare(request)
                await asyncio.gather(_pass(near, far, _lie), _pass(far, near, _hide))
            return near

        app = web.Application()
        app.router.add_get("/{path:.*}", signalling)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        try:
            yield replace(server, port=port, process=None)
        finally:
            await runner.cleanup()


_Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _pass(source: _Socket, target: _Socket, change: Callable[[bytes], bytes]) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.BINARY:
            await target.send_bytes(change(message.data))
        elif message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)
    await target.close()


def _lie(data: bytes) -> bytes:
    request = rtc.SignalRequest.FromString(data)
    if request.WhichOneof("message") == "add_track":
        request.add_track.encryption = models.Encryption.NONE
    return request.SerializeToString()


def _hide(data: bytes) -> bytes:
    # A client encrypts only what the server calls encrypted.
    response = rtc.SignalResponse.FromString(data)
    if response.WhichOneof("message") == "track_published":
        response.track_published.track.encryption = models.Encryption.GCM
    elif response.WhichOneof("message") == "update":
        for track in (track for participant in response.update.participants for track in participant.tracks):
            track.encryption = models.Encryption.GCM
    return response.SerializeToString()
