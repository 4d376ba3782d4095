"""Media servers in processes of their own on free loopback ports, ours and a real livekit-server, and tokens."""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
from livekit import api

KEY, SECRET = "devkey", "a-secret-for-tests-only-0123456789abcdef"


def find_livekit_server() -> str | None:
    return shutil.which("livekit-server") or shutil.which("livekit-server", path=str(Path.home() / "go/bin"))


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class MediaServerProcess:
    """A media server that can be stopped, killed and started again on the same ports."""

    kind: str = "livekit"
    port: int = field(default_factory=free_port)
    udp_port: int = field(default_factory=lambda: free_port(socket.SOCK_DGRAM))
    tcp_port: int = field(default_factory=free_port)
    log: Path = Path(os.devnull)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def _command(self) -> list[str]:
        if self.kind == "tertulia":
            program = str(Path(sys.executable).with_name("tertulia-sfu"))
            ports = ["--port", str(self.port), "--udp-port", str(self.udp_port)]
            return [program, "--host", "127.0.0.1", "--address", "127.0.0.1", *ports, "--keys", f"{KEY}:{SECRET}"]
        found = find_livekit_server()
        assert found, "livekit-server is missing: go install github.com/livekit/livekit-server/cmd/server@v1.13.5"
        config = (
            f"{{port: {self.port}, bind_addresses: ['127.0.0.1'], keys: {{{KEY}: {SECRET}}}, "
            f"rtc: {{udp_port: {self.udp_port}, tcp_port: {self.tcp_port}, use_external_ip: false, "
            "node_ip: 127.0.0.1, enable_loopback_candidate: true}, "
            "room: {empty_timeout: 60, departure_timeout: 60}, logging: {level: warn}}"
        )
        return [found, "--config-body", config]

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(*self._command(), stdout=log, stderr=log)
        async with asyncio.timeout(60), aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"http://127.0.0.1:{self.port}/") as answer:
                        if answer.status < 500:
                            return
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def token(self, room: str, identity: str, *, name: str = "", can_publish: bool = True, **grants: bool) -> str:
        video = api.VideoGrants(room_join=True, room=room, can_publish=can_publish, can_subscribe=True, **grants)
        token = api.AccessToken(KEY, SECRET).with_identity(identity).with_name(name or identity).with_grants(video)
        return token.with_ttl(timedelta(hours=1)).to_jwt()

    def recorder_token(self, room: str, identity: str = "recorder") -> str:
        return self.token(room, identity, can_publish=False, can_publish_data=False, hidden=True, recorder=True)

    @contextlib.asynccontextmanager
    async def api(self) -> AsyncIterator[api.LiveKitAPI]:
        client = api.LiveKitAPI(f"http://127.0.0.1:{self.port}", KEY, SECRET)
        try:
            yield client
        finally:
            await client.aclose()  # type: ignore[no-untyped-call]
