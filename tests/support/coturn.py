"""A real TURN and STUN server (coturn) on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.ports import free_port
from support.tls import self_signed

SECRET: Final = "the-shared-secret-of-the-turn-server"
_PROGRAM: Final = "turnserver"


@dataclass(frozen=True)
class Coturn:
    """A running server; clients log in with what `SECRET` signs."""

    port: int
    tls_port: int

    def url(self, transport: str) -> str:
        """Return where it is reached by `udp`, `tcp` or `tls`."""
        if transport == "tls":
            return f"turns:127.0.0.1:{self.tls_port}?transport=tcp"
        return f"turn:127.0.0.1:{self.port}?transport={transport}"


@contextlib.asynccontextmanager
async def coturn(folder: Path) -> AsyncIterator[Coturn]:
    """Run coturn with a certificate of its own; it relays to loopback, which it would not do elsewhere."""
    port, tls_port = free_port(), free_port()
    certificate, key = self_signed(folder)
    process = await asyncio.create_subprocess_exec(
        _PROGRAM,
        *("-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}"),
        *(f"--tls-listening-port={tls_port}", f"--cert={certificate}", f"--pkey={key}"),
        *("--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=test", "--allow-loopback-peers"),
        *("--no-dtls", "--no-cli", "--log-file=stdout", f"--pidfile={folder / 'coturn.pid'}"),
        f"--userdb={folder / 'coturn.sqlite'}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(ConnectionError):
                    for each in (port, tls_port):
                        _, writer = await asyncio.open_connection("127.0.0.1", each)
                        writer.close()
                    break
                assert process.returncode is None
                await asyncio.sleep(0.05)
        yield Coturn(port, tls_port)
    finally:
        process.terminate()
        await process.wait()
