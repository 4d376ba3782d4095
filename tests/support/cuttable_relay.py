"""A TCP relay in front of a server whose connections can be cut or stalled, as in a network failure."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress


class CuttableRelay:
    """Listens on `port` and relays to a target that may be set later."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        self.port: int = server.sockets[0].getsockname()[1]
        self.target_port = 0
        self._cut = False
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def is_busy(self) -> bool:
        """Whether a connection is still open."""
        return bool(self._open)

    def cut(self) -> None:
        """Drop every connection and refuse new ones."""
        self._cut = True
        for writer in self._open:
            writer.transport.abort()

    def restore(self) -> None:
        """Let connections through again."""
        self._cut = False

    def stall(self) -> None:
        """Keep every connection, accept new ones, and pass nothing on."""
        self._flows.clear()

    def resume(self) -> None:
        """Pass on what came meanwhile, and all that comes."""
        self._flows.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        with suppress(OSError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
            self._open |= {writer, there_writer}
            try:
                await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))
            finally:
                self._open -= {writer, there_writer}
        writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        await self._flows.wait()
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


class RelayThread:
    """A relay in a thread of its own, for tests without a loop, and for those that block theirs."""

    def __init__(self, relay: CuttableRelay, loop: asyncio.AbstractEventLoop) -> None:
        self.port = relay.port
        self._relay = relay
        self._loop = loop

    def stall(self) -> None:
        self._loop.call_soon_threadsafe(self._relay.stall)

    def resume(self) -> None:
        self._loop.call_soon_threadsafe(self._relay.resume)


@contextmanager
def relay_thread(target_port: int) -> Iterator[RelayThread]:
    """Run a relay as long as the block lasts."""
    made: list[RelayThread] = []
    is_made, is_over = threading.Event(), asyncio.Event()

    async def run() -> None:
        async with cuttable_relay() as relay:
            relay.target_port = target_port
            made.append(RelayThread(relay, asyncio.get_running_loop()))
            is_made.set()
            await is_over.wait()
            relay.resume()
            relay.cut()
            while relay.is_busy:
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="relay")
    thread.start()
    assert is_made.wait(20)
    try:
        yield made[0]
    finally:
        made[0]._loop.call_soon_threadsafe(is_over.set)
        thread.join(20)
