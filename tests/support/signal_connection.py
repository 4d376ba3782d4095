"""LiveKit's signalling, message by message, over a real WebSocket."""

from __future__ import annotations

import asyncio
import base64
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
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
    """Return the `join_request` parameter of a request."""
    data = request if isinstance(request, bytes) else request.SerializeToString()
    if compress:
        message = WrappedJoinRequest(compression=WrappedJoinRequest.GZIP, join_request=gzip.compress(data))
    else:
        message = WrappedJoinRequest(join_request=data)
    return base64.urlsafe_b64encode(message.SerializeToString()).decode()


def join_url(server: RunningServer, access_token: str, join_request: str) -> str:
    """Return the URL that a client connects to."""
    query = urlencode({"access_token": access_token, "join_request": join_request})
    return f"{server.ws_url}/rtc/v1?{query}"


@asynccontextmanager
async def raw_connection(
    server: RunningServer, access_token: str, request: JoinRequest | bytes = JOIN, *, compress: bool = False
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a signal connection."""
    async with aiohttp.ClientSession() as http:
        url = join_url(server, access_token, wrapped(request, compress=compress))
        async with http.ws_connect(url, max_msg_size=0) as connection:
            yield connection


@asynccontextmanager
async def legacy_connection(
    server: RunningServer, access_token: str, **query: Any
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a signal connection as older clients do, which use two peer connections."""
    parameters = {"access_token": access_token, "sdk": "go", "protocol": "15"} | query
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{server.ws_url}/rtc", params=parameters, max_msg_size=0) as connection,
    ):
        yield connection


async def receive(connection: aiohttp.ClientWebSocketResponse, field: str) -> SignalResponse:
    """Wait for a message of this kind."""
    return (await receive_until(connection, field))[-1]


async def receive_until(connection: aiohttp.ClientWebSocketResponse, field: str) -> list[SignalResponse]:
    """Return all messages up to one of this kind, and that one."""
    messages: list[SignalResponse] = []
    async with asyncio.timeout(15):
        while not messages or messages[-1].WhichOneof("message") != field:
            messages.append(SignalResponse.FromString(await connection.receive_bytes()))
    return messages
