"""Media servers for the contract tests: ours, in this process, and a real livekit-server, on free loopback ports."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tertulia_sfu.server import JoinPolicy, MediaConfig, MediaServer
from tertulia_sfu.serving import Server, uvicorn_config

KEY: Final = "devkey"
SECRET: Final = "a-secret-for-tests-only-0123456789abcdef"
START_DEADLINE_S: Final = 20


@dataclass
class RunningServer:
    """A media server that accepts connections. `media` is ours, where it is ours."""

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


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def embedded(
    *,
    join_policy: JoinPolicy | None = None,
    webhook_urls: Sequence[str] = (),
    webhook_sink: Callable[[Any], Awaitable[None]] | None = None,
    **settings: Any,
) -> AsyncIterator[RunningServer]:
    """Our own server, in this process and event loop."""
    config = MediaConfig(
        keys={KEY: SECRET}, udp_port=0, addresses=("127.0.0.1",), webhook_urls=tuple(webhook_urls), **settings
    )
    media = MediaServer(config, join_policy=join_policy, webhook_sink=webhook_sink)
    await media.start()
    server = Server(
        uvicorn_config(media.app, host="127.0.0.1", port=0, log_level="warning"), before_shutdown=media.stop
    )
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]  # they are pytest's
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve(), name="uvicorn")
        async with asyncio.timeout(START_DEADLINE_S):
            while not server.started:
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield RunningServer("embedded", port, media=media)
        finally:
            server.should_exit = True
            await serving
            await media.stop()


def find_livekit_server() -> str | None:
    """The real thing: `LIVEKIT_SERVER`, or on the path, or where `go install` puts it."""
    named = os.environ.get("LIVEKIT_SERVER")
    return named or shutil.which("livekit-server") or shutil.which("livekit-server", path=str(Path.home() / "go/bin"))


@contextmanager
def livekit(program: str, *, webhook_urls: Sequence[str] = ()) -> Iterator[RunningServer]:
    """A real livekit-server in a process of its own."""
    port, udp_port, tcp_port = free_port(), free_port(socket.SOCK_DGRAM), free_port()
    urls = ", ".join(f"'{url}'" for url in webhook_urls)
    config = (
        f"{{port: {port}, bind_addresses: ['127.0.0.1'], keys: {{{KEY}: {SECRET}}}, "
        f"webhook: {{api_key: {KEY}, urls: [{urls}]}}, "
        f"rtc: {{udp_port: {udp_port}, tcp_port: {tcp_port}, use_external_ip: false, "
        "node_ip: 127.0.0.1, enable_loopback_candidate: true}, logging: {level: warn}}"
    )
    process = subprocess.Popen([program, "--config-body", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_alive(port)
        yield RunningServer("livekit", port)
    finally:
        process.kill()  # asked politely it takes five seconds
        process.wait()


def _wait_until_alive(port: int) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
