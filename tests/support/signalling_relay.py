"""Another way to a media server's signalling, on which messages are changed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import aiohttp
from aiohttp import web

from support.media_server_process import MediaServerProcess

Change = Callable[[bytes], bytes]
_Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


@contextlib.asynccontextmanager
async def signalling_way(
    server: MediaServerProcess, *, up: Change = bytes, down: Change = bytes
) -> AsyncIterator[MediaServerProcess]:
    """Give the same server at another port; `up` and `down` change what clients and server say."""
    async with aiohttp.ClientSession() as http:

        async def signalling(request: web.Request) -> web.WebSocketResponse:
            near = web.WebSocketResponse(max_msg_size=0)
            wanted = {name: text for name, text in request.headers.items() if name.lower() == "authorization"}
            async with http.ws_connect(f"{server.url}{request.raw_path}", headers=wanted, max_msg_size=0) as far:
                await near.prepare(request)
                await asyncio.gather(_pass(near, far, up), _pass(far, near, down))
            return near

        app = web.Application()
        app.router.add_get("/{path:.*}", signalling)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port: int = runner.addresses[0][1]
        try:
            yield replace(server, port=port, process=None)
        finally:
            await runner.cleanup()


async def _pass(source: _Socket, target: _Socket, change: Change) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.BINARY:
            await target.send_bytes(change(message.data))
        elif message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)
    await target.close()
