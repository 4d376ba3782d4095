"""Media servers on free loopback ports: ours in this process, and ours or a real livekit-server in one of its own.

`ServerProcess` is the one launcher of such processes; `livekit_command` and `tertulia_sfu_command` say what to launch.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from support.ports import free_port, free_udp_port
from tertulia_sfu.server import JoinPolicy, MediaConfig, MediaServer
from tertulia_sfu.serving import SignallingServer, uvicorn_config

KEY: Final = "devkey"
SECRET: Final = "a-secret-for-tests-only-0123456789abcdef"
START_DEADLINE_S: Final = 60
ALIVE_INTERVAL_S: Final = 0.05


@dataclass
class RunningServer:
    """A media server that accepts connections. `media` is set for ours in this process."""

    name: str
    port: int
    key: str = KEY
    secret: str = SECRET
    media: MediaServer | None = None

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


# ── in this process ──


class _StartedServer(SignallingServer):
    """A server that says when it listens."""

    def __init__(self, media: MediaServer) -> None:
        config = uvicorn_config(media.app, host="127.0.0.1", port=0, log_level="warning")
        super().__init__(config, before_shutdown=media.stop)
        self.capture_signals = nullcontext  # type: ignore[method-assign, assignment]  # they are pytest's
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def embedded(
    *,
    join_policy: JoinPolicy | None = None,
    webhook_urls: Sequence[str] = (),
    webhook_sink: Callable[[Any], Awaitable[None]] | None = None,
    **settings: Any,
) -> AsyncIterator[RunningServer]:
    """Run our own server in this process and event loop."""
    usual: dict[str, Any] = {"keys": {KEY: SECRET}, "udp_port": 0, "addresses": ("127.0.0.1",)}
    config = MediaConfig(webhook_urls=tuple(webhook_urls), **usual | settings)
    media = MediaServer(config, join_policy=join_policy, webhook_sink=webhook_sink)
    await media.start()
    server = _StartedServer(media)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve(), name="uvicorn")
        async with asyncio.timeout(START_DEADLINE_S):
            await server.listening.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield RunningServer("embedded", port, media=media)
        finally:
            server.should_exit = True
            await serving
            await media.stop()


# ── in a process of its own ──


@dataclass(frozen=True)
class Ports:
    """The ports of a media server on 127.0.0.1: signalling and API, media over UDP, media over TCP."""

    http: int = field(default_factory=free_port)
    udp: int = field(default_factory=free_udp_port)
    tcp: int = field(default_factory=free_port)


@dataclass
class ServerProcess:
    """A media server in a process of its own, which can be killed and started again on the same ports."""

    command: Sequence[str]
    ports: Ports
    log: Path = Path(os.devnull)
    process: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        """Start the process, without waiting until it accepts connections."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    async def wait_until_alive(self) -> None:
        """Wait until the server answers HTTP requests."""
        async with asyncio.timeout(START_DEADLINE_S), aiohttp.ClientSession() as http:
            while self.process is not None and self.process.poll() is None:
                with suppress(aiohttp.ClientError):
                    async with http.get(f"http://127.0.0.1:{self.ports.http}/") as response:
                        if response.status < 500:
                            return
                await asyncio.sleep(ALIVE_INTERVAL_S)
        raise AssertionError(f"{self.command[0]} ended: {self.log.read_text(errors='replace')}")

    async def start(self) -> None:
        """Start the process, and wait until it accepts connections."""
        self.spawn()
        await self.wait_until_alive()

    def terminate(self) -> None:
        """Ask the process to stop (SIGTERM)."""
        assert self.process is not None
        self.process.terminate()

    async def exit_status(self, within_s: float = 10) -> int:
        """Wait until the process has ended by itself."""
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, within_s)

    def kill(self) -> None:
        """Kill the process, if it runs, and wait for its end."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def tertulia_sfu_command(ports: Ports, *, key: str = KEY, secret: str = SECRET) -> list[str]:
    """Return the command line of our own server."""
    program = str(Path(sys.executable).with_name("tertulia-sfu"))
    listen = ["--host", "127.0.0.1", "--port", str(ports.http), "--udp-port", str(ports.udp)]
    listen += ["--tcp-port", str(ports.tcp)]
    return [program, *listen, "--address", "127.0.0.1", "--keys", f"{key}:{secret}"]


def find_livekit_server() -> str | None:
    """Return the program: `LIVEKIT_SERVER`, or on the path, or where `go install` puts it."""
    named = os.environ.get("LIVEKIT_SERVER")
    return named or shutil.which("livekit-server") or shutil.which("livekit-server", path=str(Path.home() / "go/bin"))


def livekit_command(
    ports: Ports,
    *,
    key: str = KEY,
    secret: str = SECRET,
    webhook_urls: Sequence[str] = (),
    **config: Mapping[str, Any],
) -> list[str]:
    """Return the command line of livekit-server; `config` adds sections to its configuration."""
    program = find_livekit_server()
    assert program, "livekit-server is missing: go install github.com/livekit/livekit-server/cmd/server@v1.13.5"
    settings = {
        "port": ports.http,
        "bind_addresses": ["127.0.0.1"],
        "keys": {key: secret},
        "webhook": {"api_key": key, "urls": list(webhook_urls)},
        "rtc": {
            "udp_port": ports.udp,
            "tcp_port": ports.tcp,
            "use_external_ip": False,
            "node_ip": "127.0.0.1",
            "enable_loopback_candidate": True,
        },
        "logging": {"level": "warn"},
    }
    return [program, "--config-body", json.dumps(settings | config)]


@contextmanager
def livekit(*, webhook_urls: Sequence[str] = ()) -> Iterator[ServerProcess]:
    """Launch a livekit-server for as long as the block lasts; `wait_until_alive` before it is used."""
    ports = Ports()
    server = ServerProcess(livekit_command(ports, webhook_urls=webhook_urls), ports)
    server.spawn()
    try:
        yield server
    finally:
        server.kill()  # after SIGTERM it takes five seconds
