"""The servers that benchmarks compare: our media server alone, and livekit-server where it is installed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiohttp
from livekit import api

from support.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
KEY, SECRET = "devkey", "secret-of-the-benchmark-0123456789abcdef"
METRICS_TOKEN: Final = "metrics-of-the-benchmark"
# Linux: the clock of a process is its inverted id with this kind (MAKE_PROCESS_CPUCLOCK of its posix-timers.h)
_CPUCLOCK_SCHED: Final = 2


@dataclass
class Server:
    name: str
    url: str
    pid: int


def cpu_seconds(pid: int) -> float:
    """All threads, system time included, in nanoseconds' resolution: small meetings take a hundredth of a second."""
    return time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)


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
        *("--address", "127.0.0.1", "--metrics-token", METRICS_TOKEN),
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


def token(name: str, *, publishes: bool, subscribes: bool = True, room: str = "bench") -> str:
    grants = api.VideoGrants(room_join=True, room=room, can_publish=publishes, can_subscribe=subscribes)
    return api.AccessToken(KEY, SECRET).with_identity(name).with_ttl(timedelta(hours=1)).with_grants(grants).to_jwt()
