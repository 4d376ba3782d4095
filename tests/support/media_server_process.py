"""A media server in a process of its own, ours or livekit-server, with the tokens and the API that recordings need."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from livekit import api

from support.media_servers import KEY, SECRET, Ports, ServerProcess, livekit_command, tertulia_sfu_command
from support.ports import free_port, free_udp_port


@dataclass
class MediaServerProcess:
    """A media server that can be killed and started again on the same ports; `kind` is ``tertulia`` or ``livekit``."""

    kind: str = "livekit"
    port: int = field(default_factory=free_port)
    udp_port: int = field(default_factory=free_udp_port)
    tcp_port: int = field(default_factory=free_port)
    log: Path = Path(os.devnull)
    host: str = "127.0.0.1"
    """Of its signalling, where it runs already."""
    process: ServerProcess | None = None

    @property
    def url(self) -> str:
        return f"ws://{self.host}:{self.port}"

    async def start(self) -> None:
        ports = Ports(self.port, self.udp_port, self.tcp_port)
        if self.kind == "tertulia":
            command = tertulia_sfu_command(ports)
        else:
            command = livekit_command(ports, room={"empty_timeout": 60, "departure_timeout": 60})
        self.process = ServerProcess(command, ports, self.log)
        await self.process.start()

    async def kill(self) -> None:
        if self.process is not None:
            self.process.kill()

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
