"""A WebSocket's bytes, made by hand: frames that no library would send."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from support.rest import RestServer
from support.signal_connection import JOIN, wrapped

PING: Final = b"\x89\x80\0\0\0\0"
PONG: Final = b"\x8a\x80\0\0\0\0"
FIRST_PART: Final = b"\x02\x80\0\0\0\0"
PART: Final = b"\x00\x80\0\0\0\0"
"""Frames without content, masked with zeros."""


@dataclass
class RawWebSocket:
    """An open signal connection. What the server sends is read and dropped."""

    writer: asyncio.StreamWriter
    ended: asyncio.Event

    async def send(self, data: bytes) -> None:
        """Send bytes, as fast as they are taken."""
        self.writer.write(data)
        await self.writer.drain()


@asynccontextmanager
async def raw_websocket(server: RestServer, token: str) -> AsyncIterator[RawWebSocket]:
    """Join by signalling."""
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    key = base64.b64encode(os.urandom(16)).decode()
    path = f"/rtc/v1?access_token={quote(token)}&join_request={quote(wrapped(JOIN))}"
    lines = [
        f"GET {path} HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}", "", "",
    ]  # fmt: skip
    writer.write("\r\n".join(lines).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101"), head
    ended = asyncio.Event()

    async def read() -> None:
        try:
            while await reader.read(1 << 16):
                pass
        except ConnectionError:
            pass
        ended.set()

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read(), name="read")
        yield RawWebSocket(writer, ended)
        reading.cancel()
        writer.close()
