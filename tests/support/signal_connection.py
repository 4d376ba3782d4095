"""LiveKit's signalling spoken by hand, message by message, over a real WebSocket."""

from __future__ import annotations

import asyncio
import base64
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlencode

import aiohttp
from livekit.protocol.models import ClientInfo
from livekit.protocol.rtc import ConnectionSettings, JoinRequest, SignalResponse, WrappedJoinRequest

from support.media_servers import RunningServer

JOIN: Final = JoinRequest(
    client_info=ClientInfo(sdk=ClientInfo.PYTHON, version="1.0.0", protocol=16),
    connection_settings=ConnectionSettings(auto_subscribe=True),
)


def wrapped(request: JoinRequest | bytes, *, compress: bool = False) -> str:
    data = request if isinstance(request, bytes) else request.SerializeToString()
    if compress:
        message = WrappedJoinRequest(compression=WrappedJoinRequest.GZIP, join_request=gzip.compress(data))
    else:
        message = WrappedJoinRequest(join_request=data)
    return base64.urlsafe_b64encode(message.SerializeToString()).decode()


def join_url(server: RunningServer, access_token: str, join_request: str) -> str:
    query = urlencode({"access_token": access_token, "join_request": join_request})
    return f"{server.ws_url}/rtc/v1?{query}"


@asynccontextmanager
async def raw_line(
    server: RunningServer, access_token: str, request: JoinRequest | bytes = JOIN, *, compress: bool = False
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as http:
        url = join_url(server, access_token, wrapped(request, compress=compress))
        async with http.ws_connect(url, max_msg_size=0) as line:
            yield line


async def receive(line: aiohttp.ClientWebSocketResponse, field: str) -> SignalResponse:
    """Wait for a message of this kind."""
    return (await receive_until(line, field))[-1]


async def receive_until(line: aiohttp.ClientWebSocketResponse, field: str) -> list[SignalResponse]:
    """Everything up to a message of this kind, and that one."""
    told: list[SignalResponse] = []
    async with asyncio.timeout(15):
        while not told or told[-1].WhichOneof("message") != field:
            told.append(SignalResponse.FromString(await line.receive_bytes()))
    return told
