"""Forwarded packets per server CPU-second: one publisher (sound and 720p-like video), N subscribers.

    python -m bench.forwarding [--subscribers 20] [--seconds 10] [--server tertulia|livekit]

The same synthetic peers (`sfu/crates/sfu-load`) run against our media server and, where it is installed, against
livekit-server, which makes the two figures comparable. A packet counts when a subscriber has decrypted it; the CPU
time is the server process's own, system time included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
from livekit import api

from bench.load import Load, Peer, Publication, load_process
from support.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
KEY, SECRET = "devkey", "secret-of-the-benchmark-0123456789abcdef"


@dataclass
class Server:
    name: str
    url: str
    pid: int


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def started(name: str, *command: str, url: str, env: dict[str, str] | None = None) -> AsyncIterator[Server]:
    log = (ROOT / "test-artefacts" / f"bench-{name}.log").open("w")
    process = await asyncio.create_subprocess_exec(
        *command, stdout=log, stderr=log, env={**os.environ, **(env or {})}, cwd=ROOT
    )
    try:
        await answers(url.replace("ws", "http", 1))
        yield Server(name, url, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def answers(url: str) -> None:
    """Wait until something answers at `url`."""
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)


def our_server(profile: str | None = None) -> AbstractAsyncContextManager[Server]:
    """Our media server alone; `profile`: a file for what cProfile sees of it."""
    port = free_port()
    profiler = [sys.executable, "-m", "cProfile", "-o", profile] if profile else []
    return started(
        "tertulia",
        *profiler,
        str(Path(sys.executable).parent / "tertulia-sfu"),
        *("--port", str(port), "--udp-port", str(free_port()), "--tcp-port", "0", "--keys", f"{KEY}:{SECRET}"),
        *("--address", "127.0.0.1"),
        url=f"ws://127.0.0.1:{port}",
    )


def livekit_binary() -> str | None:
    """Return where livekit-server is installed."""
    return shutil.which("livekit-server", path=f"{os.environ['PATH']}:{Path.home() / 'go' / 'bin'}")


def livekit_server(binary: str) -> AbstractAsyncContextManager[Server]:
    port = free_port()
    config = {
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "keys": {KEY: SECRET},
        "rtc": {
            "udp_port": free_port(),
            "tcp_port": free_port(),
            "node_ip": "127.0.0.1",
            "use_external_ip": False,
            "congestion_control": {"enabled": False},
        },
        "logging": {"level": "error"},
    }
    body = json.dumps(config)
    return started("livekit-server", binary, "--config-body", body, url=f"ws://127.0.0.1:{port}")


async def measure(server: Server, subscribers: int, seconds: float) -> float:
    """Packets that reached a subscriber per CPU-second of the server."""
    tasks: list[asyncio.Task[None]] = []
    names = ["publisher", *(f"subscriber-{n}" for n in range(subscribers))]
    async with load_process() as load, aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for name in names:
            ready = asyncio.Event()
            sends = name == "publisher"
            peer = Peer(name, token(name, publishes=sends), load, Publication() if sends else None)
            tasks.append(group.create_task(peer.run(session, server.url, ready), name=name))
            await ready.wait()
        await until_flowing(load, len(names))
        figure = await sample(server, load, seconds)
        for task in tasks:
            task.cancel()
    print(
        f"{server.name:16} 1 × {subscribers}: {figure:10,.0f} forwarded packets per server CPU-second",
        flush=True,
    )
    return figure


def token(name: str, *, publishes: bool, room: str = "bench") -> str:
    grants = api.VideoGrants(room_join=True, room=room, can_publish=publishes)
    return api.AccessToken(KEY, SECRET).with_identity(name).with_ttl(timedelta(hours=1)).with_grants(grants).to_jwt()


async def until_flowing(load: Load, peers: int) -> None:
    async with asyncio.timeout(60):
        while (stats := await load.ask(do="stats"))["connected"] != peers or not stats["received"]:
            await asyncio.sleep(0.2)
        await asyncio.sleep(2)


async def sample(server: Server, load: Load, seconds: float) -> float:
    before, cpu_before = await load.ask(do="stats"), cpu_seconds(server.pid)
    await asyncio.sleep(seconds)
    after, cpu_after = await load.ask(do="stats"), cpu_seconds(server.pid)
    received = int(str(after["received"])) - int(str(before["received"]))
    sent = int(str(after["sent"])) - int(str(before["sent"]))
    cpu = cpu_after - cpu_before
    print(f"{server.name:16} {sent} packets in, {received} out in {seconds:.0f} s; {cpu:.2f} CPU-seconds")
    return received / cpu


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--server", choices=["tertulia", "livekit"], help="only this one")
    options = parser.parse_args()
    (ROOT / "test-artefacts").mkdir(exist_ok=True)
    livekit = livekit_binary()
    if options.server != "livekit":
        async with our_server() as server:
            await measure(server, options.subscribers, options.seconds)
    if options.server != "tertulia" and livekit:
        async with livekit_server(livekit) as server:
            await measure(server, options.subscribers, options.seconds)


if __name__ == "__main__":
    asyncio.run(main())
