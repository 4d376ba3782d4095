"""Clients that connect, say little, and stay: in a process of their own, so that they cost the test nothing."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path


class SlowClients:
    """The process of the clients, seen from a test."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def opened(self) -> int:
        """Wait until all have connected, or were refused: how many have."""
        return int(await self._line())

    async def _line(self) -> bytes:
        assert self._process.stdout
        async with asyncio.timeout(30):
            return await self._process.stdout.readline()


@asynccontextmanager
async def slow_clients(
    port: int, addresses: Sequence[str], each: int, *, says: bytes = b"GET / HTTP/1.1\r\nX: "
) -> AsyncIterator[SlowClients]:
    """Let some clients connect from each address, as fast as they can, and hold their connections in the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "support.slow_clients", json.dumps([port, list(addresses), each, says.hex()])),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    try:
        yield SlowClients(process)
    finally:
        process.kill()
        await process.wait()


def _run(port: int, addresses: list[str], each: int, says: bytes) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    held = []
    for address in addresses * each:
        connection = socket.socket()
        try:
            connection.bind((address, 0))
            connection.connect(("127.0.0.1", port))
            connection.sendall(says)
        except OSError:
            connection.close()
        else:
            held.append(connection)
    sys.stdout.write(f"{len(held)}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    port, addresses, each, says = json.loads(sys.argv[1])
    _run(port, addresses, each, bytes.fromhex(says))
