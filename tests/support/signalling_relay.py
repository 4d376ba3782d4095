"""A relay in front of a media server's signalling that changes messages."""

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
async def relayed_signalling(
    server: MediaServerProcess,
    *,
    up: Change = bytes,
    down: Change = bytes,
    on_connect: Callable[[str], None] = lambda _path: None,
) -> AsyncIterator[MediaServerProcess]:
    """Yield the same server at another port; `up` changes the messages of clients, `down` those of the server. What is
    changed to nothing is not passed on.

    `on_connect` is told the path and query of each connection.
    """
    async with aiohttp.ClientSession() as http:

        async def signalling(request: web.Request) -> web.WebSocketResponse:
            on_connect(request.raw_path)
            downstream = web.WebSocketResponse(max_msg_size=0)
            headers = {name: text for name, text in request.headers.items() if name.lower() == "authorization"}
            async with http.ws_connect(f"{server.url}{request.raw_path}", headers=headers, max_msg_size=0) as upstream:
                await downstream.prepare(request)
                await asyncio.gather(_pass(downstream, upstream, up), _pass(upstream, downstream, down))
            return downstream

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
            if changed := change(message.data):
                await target.send_bytes(changed)
        elif message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)
    await target.close()
