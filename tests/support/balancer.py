"""A load balancer: carries connections to servers that say that they are ready, by turns, and tries nothing twice."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiohttp

from support.ports import free_port

POLL_S: Final = 0.2
READINESS: Final = "/health"
_CHUNK_BYTES: Final = 65_536


class Balancer:
    """It never looks into what it carries, so a request that fails here fails for a client."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ready: set[int] = set()
        self._turns = itertools.cycle(ports)
        self._ports = tuple(ports)
        self._changed = asyncio.Condition()

    async def until_ready(self, port: int) -> None:
        """Wait until a server gets connections."""
        async with self._changed:
            await self._changed.wait_for(lambda: port in self.ready)

    async def poll(self, port: int) -> None:
        """Ask one server for ever."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as http:
            while True:
                is_ready = False
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with http.get(f"http://127.0.0.1:{port}{READINESS}") as answer:
                        is_ready = answer.status == 200
                async with self._changed:
                    (self.ready.add if is_ready else self.ready.discard)(port)
                    self._changed.notify_all()
                await asyncio.sleep(POLL_S)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        port = next((each for each in itertools.islice(self._turns, len(self._ports)) if each in self.ready), None)
        try:
            if port is not None:
                backend_reader, backend_writer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_copy(reader, backend_writer), _copy(backend_reader, writer))
        except OSError:
            pass
        finally:
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def balancer(ports: Sequence[int]) -> AsyncIterator[Balancer]:
    """Run a load balancer in front of servers for as long as the block lasts."""
    made = Balancer(ports)
    polling = [asyncio.ensure_future(made.poll(port)) for port in ports]
    listener = await asyncio.start_server(made.accept, "127.0.0.1", made.port)
    try:
        yield made
    finally:
        listener.close()
        for task in polling:
            task.cancel()
        await asyncio.gather(*polling, return_exceptions=True)
