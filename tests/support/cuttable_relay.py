"""A TCP relay in front of a server whose connections can be cut, as in a network failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class CuttableRelay:
    """Listens on `port` and relays to a target that may be set later."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        self.port: int = server.sockets[0].getsockname()[1]
        self.target_port = 0
        self._cut = False
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Drop every connection and refuse new ones."""
        self._cut = True
        for writer in self._open:
            writer.transport.abort()

    def restore(self) -> None:
        """Let connections through again."""
        self._cut = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        with suppress(OSError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
            self._open |= {writer, there_writer}
            await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))
            self._open -= {writer, there_writer}
        writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.write_eof()


@asynccontextmanager
async def cuttable_relay() -> AsyncIterator[CuttableRelay]:
    """Run a relay as long as the block lasts."""
    relay: CuttableRelay | None = None

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert relay
        await relay.serve(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    relay = CuttableRelay(server)
    try:
        yield relay
    finally:
        relay.cut()
        server.close()
