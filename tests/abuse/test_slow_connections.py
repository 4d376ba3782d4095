"""Who connects and says little: ten thousand half-sent requests, and TLS handshakes that do not end."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from abuse.conftest import Victim, resident_bytes, watched
from support.rest import RestServer, running_server
from support.signal_connection import raw_connection, receive
from support.slow_clients import slow_clients
from support.tls import self_signed
from support.waiting import until

SLOW: Final = 10_000
JOIN_S: Final = 0.5
MEMORY_BYTES: Final = 100 * 1024 * 1024
STRANGERS: Final = [f"127.0.0.{number}" for number in range(2, 12)]


def port_of(server: RestServer) -> int:
    return int(server.url.rpartition(":")[2])


def open_files(server: RestServer) -> int:
    assert server.process
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


async def seconds_to_join(victim: Victim, name: str) -> float:
    """From the connection to the first message."""
    token = victim.server.sign_participant(victim.room, name, "viewer")
    began = time.perf_counter()
    async with raw_connection(victim.server, token) as connection:  # type: ignore[arg-type]
        await receive(connection, "join")
        return time.perf_counter() - began


@pytest.mark.measures_time
async def test_ten_thousand_slow_connections(victim: Victim):
    """Nobody notices them coming, being there, and being dropped after ten seconds."""
    server = victim.server
    files = open_files(server)
    await victim.bystanders.start()
    began = time.monotonic()
    async with slow_clients(port_of(server), STRANGERS, SLOW // len(STRANGERS)) as clients:
        joins = [await seconds_to_join(victim, f"early{number}") for number in range(3)]
        opened = await clients.opened()
        opening = await victim.bystanders.report()
        opened_after_s = time.monotonic() - began
        held = 0

        async def are_here() -> bool:
            nonlocal held
            held = open_files(server) - files
            return held > SLOW * 0.9

        await until("they are accepted", are_here, deadline_s=5)
        memory = resident_bytes(server) - victim.memory_bytes
        joins += [await seconds_to_join(victim, f"late{number}") for number in range(3)]
        await victim.bystanders.start()

        async def are_gone() -> bool:
            return open_files(server) - files < 100

        await until("the slow ones are dropped", are_gone, deadline_s=20)
        dropping = await victim.bystanders.report()
    print(f"{opened} in {opened_after_s:.1f} s, {held} held, {memory / 1e6:.0f} MB, gone after")
    print(f"{time.monotonic() - began:.1f} s; joins {joins}\n{victim.quiet}\n{opening}\n{dropping}")
    assert memory < MEMORY_BYTES
    assert max(joins) < JOIN_S
    victim.assert_unharmed(opening, memory_bytes=MEMORY_BYTES)
    victim.assert_unharmed(dropping, memory_bytes=MEMORY_BYTES)
    assert "request_timeout" in server.log()


@pytest.fixture
async def tls_victim(tmp_path: Path) -> AsyncIterator[Victim]:
    """A server with TLS of its own; its ordinary users come without, by the port for recorders."""
    certificate, key = self_signed(tmp_path)
    settings = {"TERTULIA_TLS_CERT": str(certificate), "TERTULIA_TLS_KEY": str(key)}
    with running_server(tmp_path / "server", **settings) as server:
        server.http.trust_env = False  # REQUESTS_CA_BUNDLE would win over this
        server.http.verify = str(certificate)
        port = int((server.data_dir / "loopback-port").read_text())
        async with watched(server, tmp_path, port=port) as victim:
            yield victim


async def shakes_hands(port: int, address: str, context: ssl.SSLContext, tries: int) -> int:
    """Shake hands, time after time: how often that succeeds."""
    successes = 0
    for _ in range(tries):
        try:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, local_addr=(address, 0))
        except OSError:
            continue
        writer.transport.abort()
        successes += 1
    return successes


@pytest.mark.measures_time
async def test_tls_handshakes(tls_victim: Victim):
    """Half-sent ones count as connections and end after ten seconds; whole ones may come only so often."""
    server = tls_victim.server
    context = ssl.create_default_context(cafile=server.http.verify)  # type: ignore[arg-type]
    context.check_hostname = False
    files = open_files(server)
    await tls_victim.bystanders.start()
    began = time.monotonic()
    hello = b"\x16\x03\x01\x02\x00\x01"
    async with slow_clients(port_of(server), STRANGERS, 400, says=hello) as clients:
        opened = await clients.opened()
        held = 0

        async def are_here() -> bool:
            nonlocal held
            held = open_files(server) - files
            return held > 3000

        await until("they are accepted", are_here, deadline_s=5)
        attempts = await asyncio.gather(*(shakes_hands(port_of(server), "127.0.1.1", context, 50) for _ in range(20)))
        assert server.ask("GET", "/rooms?maxItems=1").status_code == 200

        async def are_gone() -> bool:
            return open_files(server) - files < 50

        await until("half-sent handshakes are dropped", are_gone, deadline_s=20)
        gone_after_s = time.monotonic() - began
    during = await tls_victim.bystanders.report()
    print(
        f"{opened} opened, {held} held, gone after {gone_after_s:.1f} s, {sum(attempts)} of 1000 handshakes\n{during}"
    )
    tls_victim.assert_unharmed(during)
    assert 400 < sum(attempts) < 900
    assert gone_after_s < 15
    assert '"reason":"no_tls_handshake"' in server.log()
